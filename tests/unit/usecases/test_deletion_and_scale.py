"""What goes without a signature, and how far a number may move."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.errors import Unavailable
from countersign.core.types.change import Elastic
from countersign.core.types.doors import Doors
from countersign.core.types.evidence import Result
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb
from countersign.core.types.verdict import Door, Expected, Reason
from tests.support import a
from tests.support.families import owner_of, scene
from tests.support.trees import having
from tests.support.world import (
    DEVELOPER,
    Tree,
    World,
    controller,
    delete,
    request,
    stored,
)

OWNERS = "/metadata/ownerReferences"


def a_pod() -> tuple[World, Tree]:
    """Return a world in which a Pod of a live ReplicaSet runs."""
    world, asked = scene("replicaset-pod")
    pod: Any = asked.object
    world.cluster.store(pod)
    return world, pod


async def test_what_is_made_again_may_go() -> None:
    """Rule 11: by anyone, the state converges."""
    world, pod = a_pod()
    verdict = await world.judge(delete(pod))

    assert [(b.door, b.rule) for b in verdict.bases] == [(Door.DERIVED, "made-again")]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"propagationPolicy": "Orphan"}, id="orphans"),
        pytest.param({"orphanDependents": True}, id="orphans, in the old way"),
    ],
)
async def test_leaving_children_behind_must_be_signed_for(options: Tree) -> None:
    """Else they would run on without an owner."""
    world, pod = a_pod()

    assert await world.why(delete(pod, options=options)) == {Reason.DELETION}


async def test_what_nobody_makes_again_stays() -> None:
    """No owner, a gone owner, another uid, an owner that goes, an owner of one's own."""
    world, pod = a_pod()
    (reference,) = pod["metadata"]["ownerReferences"]
    for owners in (
        [],
        [{**reference, "uid": "another"}],
        [{**reference, "name": "another"}],
        [{**reference, "controller": False}],
        [{**reference, "apiVersion": "v1", "kind": "ConfigMap"}],
        [reference, {**reference, "uid": "2"}],
    ):
        assert await world.why(delete(having(pod, OWNERS, owners))) == {Reason.DELETION}
    owner = owner_of(world, request(Verb.CREATE, pod))
    going = having(owner, "/metadata/deletionTimestamp", "2026-11-22T12:00:00Z")
    world.cluster.store(going)
    assert await world.why(delete(pod)) == {Reason.DELETION}


async def test_a_deployment_stays() -> None:
    """Until deletions can be signed for."""
    world, asked = scene("deployment-replicaset")
    deployment = owner_of(world, asked)
    admin = Requester("admin", "", frozenset({"system:masters"}))

    assert await world.why(delete(deployment)) == {Reason.DELETION}
    assert await world.why(delete(deployment, by=admin)) == {Reason.DELETION}
    gc = controller("generic-garbage-collector")
    assert await world.why(delete(deployment, by=gc)) == {Reason.DELETION}


async def test_of_a_collection_each_is_judged() -> None:
    """The request names none [V]; the old object does."""
    world, pod = a_pod()
    plain = delete(having(pod, OWNERS, []))
    collection = replace(plain, ref=replace(plain.ref, name=""))

    assert await world.why(collection) == {Reason.DELETION}


async def test_a_namespace_takes_all_with_it() -> None:
    """But only once it goes; its controller may be played by anybody."""
    world, pod = a_pod()
    bare = having(pod, OWNERS, [])
    by = controller("namespace-controller")
    space: Tree = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": a.NAMESPACE},
    }

    assert await world.why(delete(bare, by=by)) == {Reason.DELETION}
    world.cluster.store(space)
    assert await world.why(delete(bare, by=by)) == {Reason.DELETION}
    path = "/metadata/deletionTimestamp"
    world.cluster.store(having(space, path, "2026-11-22T12:00:00Z"))
    assert not await world.why(delete(bare, by=by))
    assert await world.why(delete(bare)) == {Reason.DELETION}


def evict(pod: Tree, **options: Any) -> AdmissionRequest:
    """Return an eviction by whoever drains a node."""
    eviction: Tree = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod["metadata"]["name"], "namespace": a.NAMESPACE},
        **({"deleteOptions": options} if options else {}),
    }
    return request(
        Verb.CREATE, eviction, resource=Resource("", "v1", "pods", "eviction")
    )


async def test_a_node_can_be_drained() -> None:
    """An eviction is a deletion that asks first: judged by the live Pod."""
    world, pod = a_pod()
    bare = having(having(pod, OWNERS, []), "/metadata/name", "bare")
    world.cluster.store(bare)

    assert not await world.why(evict(pod))
    assert await world.why(evict(pod, propagationPolicy="Orphan")) == {Reason.DELETION}
    assert await world.why(evict(bare)) == {Reason.DELETION}
    assert await world.why(evict(having(pod, "/metadata/name", "nobody")))


async def test_not_to_know_the_owner_is_to_keep_the_child() -> None:
    """Doubt denies."""
    world, pod = a_pod()
    world.cluster.down = True

    assert await world.why(delete(pod)) == {Reason.UNAVAILABLE}


# Scale --------------------------------------------------------------------------------

MANIFEST: Tree = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "ledger", "namespace": a.NAMESPACE},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "ledger"}},
        "template": {
            "metadata": {"labels": {"app": "ledger"}},
            "spec": {
                "containers": [
                    {"name": "app", "image": "ghcr.io/acme/ledger@sha256:" + "1" * 64}
                ]
            },
        },
    },
}
RANGE = (Elastic("/spec/replicas", 2, 9),)


def scale(live: Tree, replicas: Any, **fields: Any) -> AdmissionRequest:
    """Return what kubectl scale asks, or an autoscaler."""
    old: Tree = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {
            "name": live["metadata"]["name"],
            "namespace": a.NAMESPACE,
            "uid": live["metadata"]["uid"],
        },
        "spec": {"replicas": live["spec"]["replicas"]},
        "status": {"replicas": 0},
    }
    new = having(old, "/spec/replicas", replicas)
    resource = Resource("apps", "v1", "deployments", "scale")
    return request(Verb.UPDATE, new, old, resource=resource, **fields)


def running(world: World, **fields: Any) -> Tree:
    """Store a signed Deployment."""
    live = stored(world.signed(MANIFEST, **fields))
    world.cluster.store(live)
    return live


@pytest.mark.parametrize(
    ("replicas", "passes"),
    [
        pytest.param(2, True, id="the least"),
        pytest.param(9, True, id="the most"),
        pytest.param(10, False, id="more"),
        pytest.param(1, False, id="less"),
        pytest.param(0, False, id="none"),
        pytest.param(True, False, id="a truth"),
        pytest.param("3", False, id="a text"),
    ],
)
async def test_a_signed_range_admits(replicas: Any, *, passes: bool) -> None:
    """Rule 27: whoever asks, within it."""
    world = World()
    live = running(world, elastic=RANGE)
    by = controller("horizontal-pod-autoscaler")
    verdict = await world.judge(scale(live, replicas, by=by))

    assert verdict.allowed is passes
    if passes:
        (basis,) = verdict.bases
        assert (basis.door, basis.rule) == (Door.DELTA, "signed-range")
        assert basis.bundles
    else:
        facts = a.finding(verdict, Reason.SUBRESOURCE).facts
        assert isinstance(facts, Expected)
        assert facts.expected in ("2..9", "")


async def test_it_comes_back_into_the_range() -> None:
    """Wherever the number is now."""
    world = World()
    live = having(running(world, elastic=RANGE), "/spec/replicas", 40)
    world.cluster.store(live)

    assert not await world.why(scale(live, 9))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no range"),
        pytest.param(
            {"elastic": (Elastic("/spec/minReadySeconds", 1, 9),)},
            id="of another field",
        ),
        pytest.param({"elastic": RANGE, "signer": a.STRANGER}, id="a stranger's range"),
        pytest.param(
            {"elastic": RANGE, "result": Result.REJECTED}, id="a rejected range"
        ),
        pytest.param(
            {"elastic": RANGE, "signer": a.cert("lee")},
            id="a range by who may not sign",
        ),
        pytest.param(
            {"elastic": RANGE, "clusters": frozenset({"staging"})},
            id="a range for another cluster",
        ),
    ],
)
async def test_without_a_signed_range_nobody_scales(fields: dict[str, Any]) -> None:
    """But for groups that the policy names."""
    world = World()
    live = running(world, **fields)

    assert await world.why(scale(live, 3)) == {Reason.SUBRESOURCE}


@pytest.mark.parametrize(
    ("elastic", "by", "replicas", "passes"),
    [
        pytest.param((), DEVELOPER, 5, True, id="where none is signed"),
        pytest.param((), DEVELOPER, 0, False, id="never to zero"),
        pytest.param(RANGE, DEVELOPER, 12, False, id="not past a signed range"),
        pytest.param((), Requester("mallory"), 5, False, id="not for others"),
    ],
)
async def test_a_group_may_scale(
    elastic: tuple[Elastic, ...], by: Requester, replicas: int, *, passes: bool
) -> None:
    """Rule 27."""
    world = World()
    live = running(world, elastic=elastic)
    world.policies = (a.policy(doors=Doors(scale_groups=frozenset({"developers"}))),)

    assert (not await world.why(scale(live, replicas, by=by))) is passes


async def test_a_scale_changes_the_number_of_that_object_only() -> None:
    """Not a label, not another object of the name, not what is gone."""
    world = World()
    live = running(world, elastic=RANGE)
    ask = scale(live, 3)
    labelled = having(ask.object or {}, "/metadata/labels", {"x": "y"})
    other = having(live, "/metadata/uid", "another")

    assert await world.why(replace(ask, object=labelled)) == {Reason.SUBRESOURCE}
    assert await world.why(scale(other, 3)) == {Reason.SUBRESOURCE}
    world.cluster.remove(live)
    assert await world.why(ask) == {Reason.SUBRESOURCE}


async def test_a_changed_object_has_no_signed_range() -> None:
    """The range is of the state that was signed."""
    world = World()
    live = having(running(world, elastic=RANGE), "/spec/minReadySeconds", 5)
    world.cluster.store(live)

    assert await world.why(scale(live, 3)) == {Reason.SUBRESOURCE}


async def test_evidence_that_was_not_proven_gives_no_range() -> None:
    """As everywhere."""
    world = World()
    live = running(world, elastic=RANGE)
    for raw in world.prover.known:
        world.prover.errors[raw] = Unavailable("busy")

    assert not (await world.judge(scale(live, 3))).allowed


async def test_what_cannot_be_scaled_by_kind_is_refused() -> None:
    """A custom resource's scale: its kind cannot be told from the request."""
    world = World()
    ask = scale(running(world, elastic=RANGE), 3)
    widget = replace(ask, resource=Resource("example.com", "v1", "widgets", "scale"))

    assert await world.why(widget) == {Reason.SUBRESOURCE}
