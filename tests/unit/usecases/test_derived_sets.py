"""The door derived, for StatefulSets, DaemonSets and ReplicationControllers."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from countersign.core.types.artifacts import GroupKind
from countersign.core.types.policy import Scope
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Door, Reason
from tests.support import a
from tests.support.trees import having
from tests.support.world import DEVELOPER, Tree, World, controller, create, stored

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "support/recorded/sets.json").read_text()
)
CHILDREN = [name for name in RECORDED if "-" in name]
ACTORS = {
    "statefulset": "statefulset-controller",
    "daemonset": "daemon-set-controller",
    "replicationcontroller": "replication-controller",
}
IMAGE = "/spec/template/spec/containers/0/image"
REGION = "/spec/template/spec/containers/0/env/0/value"
COUNTED = ("creationTimestamp", "generation", "uid")


def written(tree: Any) -> Any:
    """Return an object as its author could have written it."""
    made = {key: value for key, value in tree.items() if key != "status"}
    kept = {k: v for k, v in tree["metadata"].items() if k not in COUNTED}
    return copy.deepcopy({**made, "metadata": kept})


def live(world: World, manifest: Any, like: Any) -> Any:
    """Let a signed owner live; return it."""
    tree: Any = stored(world.signed(manifest), like["metadata"]["uid"])
    tree = {**tree, "status": like["status"]}
    world.cluster.store(tree)
    return tree


def scene(name: str) -> tuple[World, AdmissionRequest, Tree]:
    """Return a world with a signed owner, and the request for its recorded child."""
    world, like = World(), RECORDED[name.partition("-")[0]]
    owner = live(world, written(like), like)
    child = written(RECORDED[name])
    if child["kind"] == "ControllerRevision":  # they copy annotations, ours as well
        child["metadata"]["annotations"] = owner["metadata"]["annotations"]
    by = controller(ACTORS[name.partition("-")[0]])
    request = replace(create(stored(child, "of-the-child")), requester=by)
    return world, request, owner


@pytest.mark.parametrize("name", CHILDREN)
async def test_a_child_of_a_signed_owner_passes(name: str) -> None:
    """And its basis names the bundles that its owner stands on."""
    world, request, _ = scene(name)
    verdict = await world.judge(request)

    (basis,) = verdict.bases
    assert basis.door is Door.DERIVED
    assert basis.bundles


@pytest.mark.parametrize("name", CHILDREN)
async def test_only_its_controller_makes_it(name: str) -> None:
    """Neither a person nor another controller."""
    world, request, _ = scene(name)
    for other in (DEVELOPER, controller("job-controller")):
        assert await world.why(replace(request, requester=other))


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_that_nobody_signed_has_no_children(name: str) -> None:
    """Nor one that is gone, or going, or that the policy leaves alone."""
    world, request, owner = scene(name)
    world.prover.known.clear()
    assert await world.why(request) == {Reason.OWNER_UNPROVEN}

    world, request, owner = scene(name)
    world.cluster.remove(owner)
    assert await world.why(request) == {Reason.OWNER_UNPROVEN}

    world, request, owner = scene(name)
    world.cluster.store(having(owner, "/metadata/deletionTimestamp", "2026-11-22"))
    assert await world.why(request) == {Reason.OWNER_UNPROVEN}

    world, request, owner = scene(name)
    group = str(owner["apiVersion"]).rpartition("/")[0]
    excluded = frozenset({GroupKind(group, str(owner["kind"]))})
    scope = Scope(namespaces=(a.NAMESPACE,), exclude=excluded)
    (policy,) = world.policies
    world.policies = (replace(policy, scope=scope),)
    assert await world.why(request) == {Reason.OWNER_UNPROVEN}


@pytest.mark.parametrize("name", CHILDREN)
async def test_an_owner_changed_behind_our_back_has_no_children(name: str) -> None:
    """Its evidence must be about its present state (rule 12)."""
    world, request, owner = scene(name)
    world.cluster.store(having(owner, "/spec/minReadySeconds", 77))

    assert await world.why(request) == {Reason.OWNER_UNPROVEN}


def older(world: World) -> tuple[Tree, Tree]:
    """Let the owner have a newer template; return it, and the record of the older one."""
    like, record = RECORDED["statefulset"], written(RECORDED["statefulset-revision"])
    signed: Any = world.signed(written(like))
    record["metadata"]["annotations"] = signed["metadata"]["annotations"]
    owner = live(world, having(written(like), REGION, "ap"), like)
    tree = stored(record, "of-the-record")
    world.cluster.store(tree)
    return owner, tree


async def test_a_pod_of_the_older_template_comes_back() -> None:
    """By the record that it names, and by the evidence that was copied onto that."""
    world, request, _ = scene("statefulset-pod")
    older(world)
    verdict = await world.judge(request)

    (basis,) = verdict.bases
    assert basis.rule == "statefulset-pod"
    assert basis.bundles


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        pytest.param("/data" + IMAGE, "evil:1", Reason.CHILD_DIFFERS, id="forged"),
        pytest.param("/data/spec/x", 1, Reason.CHILD_DIFFERS, id="does more"),
        pytest.param(
            "/metadata/annotations", {}, Reason.OWNER_UNPROVEN, id="without evidence"
        ),
        pytest.param(
            "/metadata/ownerReferences/0/uid",
            "another",
            Reason.CHILD_DIFFERS,
            id="of another set",
        ),
        pytest.param(
            "/metadata/name", "adopted-bcdf", Reason.CHILD_DIFFERS, id="not there"
        ),
    ],
)
async def test_a_record_is_not_believed(path: str, value: Any, reason: Reason) -> None:
    """That people did not sign for, or that is not of this owner."""
    world, request, _ = scene("statefulset-pod")
    _, record = older(world)
    world.cluster.remove(record)
    world.cluster.store(having(record, path, value))

    assert await world.why(request) == {reason}


async def test_a_forged_record_makes_no_forged_pod() -> None:
    """Both together: the record is nobody's word."""
    world, request, _ = scene("statefulset-pod")
    _, record = older(world)
    world.cluster.store(having(record, "/data" + IMAGE, "evil:1"))
    pod = having(request.object or {}, "/spec/containers/0/image", "evil:1")

    assert await world.why(replace(request, object=pod)) == {Reason.OWNER_UNPROVEN}


async def test_a_set_that_has_moved_on_makes_no_older_pods() -> None:
    """Its status names the two templates that are in use."""
    world, request, _ = scene("statefulset-pod")
    owner, _ = older(world)
    newer = {"currentRevision": "adopted-bcdf", "updateRevision": "adopted-bcdf"}
    world.cluster.store(having(owner, "/status", newer))

    assert await world.why(request) == {Reason.CHILD_DIFFERS}


async def test_a_daemon_sets_older_pods_do_not_come_back() -> None:
    """It makes Pods of its present template alone."""
    world, request, _ = scene("daemonset-pod")
    like, record = RECORDED["daemonset"], written(RECORDED["daemonset-revision"])
    signed: Any = world.signed(written(like))
    record["metadata"]["annotations"] = signed["metadata"]["annotations"]
    world.cluster.store(stored(record, "of-the-record"))
    live(world, having(written(like), REGION, "ap"), like)

    assert await world.why(request) == {Reason.CHILD_DIFFERS}
