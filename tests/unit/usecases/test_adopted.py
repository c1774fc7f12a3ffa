"""What was left without a controller, and who may take it."""

from dataclasses import replace

import pytest

from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import Door, Reason
from tests.support.trees import having
from tests.support.workloads import daemon_set
from tests.support.world import DEVELOPER, Tree, World, controller, stored, update

BY = controller("daemon-set-controller")
IMAGE = "/data/spec/template/spec/containers/0/image"


@pytest.fixture(name="world")
def _world() -> World:
    return World()


@pytest.fixture(name="live")
def _live(world: World) -> Tree:
    """Return the live owner, of the newer template, which the server counts."""
    signed = world.signed(daemon_set("edge", "us"))
    counted = "/metadata/annotations/deprecated.daemonset.template.generation"
    tree = stored(having(signed, counted, "1"))
    world.cluster.store(tree)
    return tree


def record(world: World, region: str = "eu") -> Tree:
    """Return the record of a template that people signed."""
    signed = world.signed(daemon_set("edge", region))
    template = signed["spec"]["template"] | {"$patch": "replace"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": "edge-bcdf",
            "namespace": "payments",
            "uid": "77",
            "labels": {"app": "edge", "controller-revision-hash": "bcdf"},
            "annotations": signed["metadata"]["annotations"],
        },
        "data": {"spec": {"template": template}},
        "revision": 1,
    }


def adoption(orphan: Tree, owner: Tree) -> AdmissionRequest:
    """Return how the controller takes it up."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    taken = having(orphan, "/metadata/ownerReferences", [reference])
    return replace(update(orphan, taken), requester=BY)


@pytest.mark.parametrize("region", ["eu", "us"])
async def test_records_of_signed_templates_are_taken(
    world: World, live: Tree, region: str
) -> None:
    """Of the present one, and of an older one by the evidence that it carries."""
    verdict = await world.judge(adoption(record(world, region), live))

    (basis,) = verdict.bases
    assert (basis.door, basis.rule) == (Door.DERIVED, "daemonset-revision")
    assert basis.bundles


async def test_a_forged_record_is_not_taken(world: World, live: Tree) -> None:
    """Whatever annotations it has; nor one that does more than bring a template."""
    orphan = record(world)
    for forged in (
        having(orphan, IMAGE, "evil:1"),
        having(orphan, "/data/spec/replicas", 9),
        having(orphan, "/data/spec/template/spec/containers/0/$patch", "delete"),
        having(orphan, "/metadata/annotations", {}),
    ):
        assert await world.why(adoption(forged, live)) == {Reason.OWNER_UNPROVEN}


async def test_only_what_is_selected_is_taken(world: World, live: Tree) -> None:
    """By the owner's labels, in both of their forms."""
    orphan = record(world)
    terms = "/spec/selector"
    for selector in (
        {},
        {"matchLabels": {"app": "other"}},
        {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["edge"]}]},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["other"]}]},
        {"matchExpressions": [{"key": "tier", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "app", "operator": "Near"}]},
    ):
        world.cluster.store(having(live, terms, selector))
        assert await world.why(adoption(orphan, live)) == {Reason.OWNER_UNPROVEN}


async def test_only_its_controller_takes(world: World, live: Tree) -> None:
    """Nobody gives his object an owner."""
    request = adoption(record(world), live)
    for by in (DEVELOPER, controller("replicaset-controller")):
        assert await world.why(replace(request, requester=by))


async def test_nothing_is_taken_by_who_goes(world: World, live: Tree) -> None:
    """Or by who went."""
    request = adoption(record(world), live)
    world.cluster.store(having(live, "/metadata/deletionTimestamp", "2026-11-22"))
    assert await world.why(request) == {Reason.OWNER_UNPROVEN}

    world.cluster.remove(live)
    assert await world.why(request) == {Reason.OWNER_UNPROVEN}


async def test_nothing_changes_hands(world: World, live: Tree) -> None:
    """From another controller nothing is taken, however alike its child is."""
    copied = live["metadata"]["annotations"]
    orphan = having(record(world, "us"), "/metadata/annotations", copied)
    other = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "a", "uid": "9"}
    held = having(orphan, "/metadata/ownerReferences", [{**other, "controller": True}])
    taken = adoption(held, live)

    assert not await world.why(replace(taken, verb=Verb.CREATE, old=None))
    assert await world.why(taken) == {Reason.OWNER_UNPROVEN}
