"""A whole rollout, as a real control plane asked for it, through the engine."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.doors import Doors
from countersign.core.types.policy import BaseRule
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import Door, Reason, Verdict
from tests.support import a
from tests.support.recording import follow, recorded
from tests.support.trees import having
from tests.support.world import World, controller

DEVELOPERS = frozenset({"developers"})
POLICY = a.policy(
    base=BaseRule.ANY,  # the recording goes back to an older state, unsigned as such
    doors=Doors(scale_groups=DEVELOPERS, restart_groups=DEVELOPERS),
)


async def replayed(world: World) -> list[tuple[AdmissionRequest, Verdict]]:
    """Judge every recorded request, and let all of them happen."""
    judged = []
    for request in recorded(world):
        judged.append((request, await world.judge(request)))
        follow(world, request)
    return judged


def a_cluster_with_roots(world: World) -> World:
    """Store the root certificates that the publisher copies."""
    for request in recorded(world):
        if request.ref.name == "kube-root-ca.crt" and request.object:
            root = having(request.object, "/metadata/namespace", "kube-system")
            world.cluster.store(root)
    return world


async def test_controllers_work_and_people_sign() -> None:
    """All that controllers do passes; of people only what is signed or let in."""
    world = a_cluster_with_roots(World(policies=(POLICY,)))
    judged = await replayed(world)
    denied = [(r, v) for r, v in judged if not v.allowed]

    assert all(not r.requester.name.startswith("system:") for r, _ in denied)
    assert {r.verb for r, _ in denied} == {Verb.CREATE, Verb.DELETE}
    unsigned = [r.ref.kind for r, _ in denied if r.verb is Verb.CREATE]
    assert unsigned == ["Namespace"]
    for request, verdict in denied:
        if request.verb is Verb.DELETE:
            assert a.reasons(verdict) == {Reason.DELETION}
    assert {b.door for _, v in judged for b in v.bases} == {
        Door.DELTA,
        Door.DERIVED,
        Door.SIGNED,
    }


async def test_without_sign_offs_nothing_new_runs() -> None:
    """The same requests, with bundles that nobody knows."""
    world = a_cluster_with_roots(World(policies=(POLICY,)))
    requests = list(recorded(world))
    world.prover.known.clear()
    for request in requests:
        verdict = await world.judge(request)
        follow(world, request)
        if request.verb is Verb.CREATE and request.ref.kind in {
            "Pod",
            "ReplicaSet",
            "Deployment",
            "Job",
            "CronJob",
            "Service",
            "EndpointSlice",
        }:
            assert not verdict.allowed, request.ref


@pytest.mark.parametrize(
    "name",
    [
        "deployment-controller",
        "replicaset-controller",
        "job-controller",
        "cronjob-controller",
        "endpointslice-controller",
    ],
)
async def test_a_controllers_name_makes_nothing(name: str) -> None:
    """Rule 12: whoever impersonates one cannot apply what is not derived.

    Every object of the recording that a person applied, without its evidence.
    """
    world = World(policies=(POLICY,))
    for request in list(recorded(world)):
        new: Any = request.object
        if (
            request.requester.name != "dev"
            or request.verb is not Verb.CREATE
            or not new
        ):
            continue
        plain = {**new, "metadata": {**new["metadata"], "annotations": {}}}
        forged = replace(request, object=plain, requester=controller(name))

        assert not (await world.judge(forged)).allowed, request.ref
