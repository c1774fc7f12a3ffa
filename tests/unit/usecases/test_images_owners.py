"""Children of owners that were admitted on what lies beside their images.

Each of these was seen to fail once with its rule taken out of the code.
"""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.people import Roster
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import AdmissionRequest, Resource
from countersign.core.types.running import Running
from countersign.core.types.verdict import Door, Reason
from countersign.usecases.images_warm import Noted, Warmer
from countersign.usecases.running import Standing
from countersign.wire.resources.bundleset import render_bundle_set
from tests.support import a
from tests.support.families import owner_of, scene
from tests.support.images import ImageWorld, looking, pinned, unburdened
from tests.support.trees import having
from tests.support.world import FakeSets, Tree, delete, ref_of

CHILDREN = ["deployment-replicaset", "replicaset-pod", "job-pod", "cronjob-job"]
_DAY = 86_400.0


async def doors(world: ImageWorld, request: AdmissionRequest) -> list[Door]:
    """Return by which doors a request passes."""
    return [basis.door for basis in (await world.judge(request)).bases]


@pytest.fixture(name="family", params=CHILDREN)
def _family(request: pytest.FixtureRequest) -> tuple[ImageWorld, AdmissionRequest]:
    return unburdened(*scene(request.param))


def warmer(world: ImageWorld) -> Warmer:
    """Return what has seen every object that is there."""
    noted = Noted()
    for tree in world.cluster.live.values():
        noted.owner(tree["apiVersion"].rpartition("/")[2], tree)
    return Warmer(
        noted,
        policies=world,
        prover=world.prover,
        sets=world.sets,
        state=world.cluster,
        cluster=a.CLUSTER,
        images=world.kept.spare(),
        sleep=world.clock.sleep,
    )


async def test_the_children_pass(
    family: tuple[ImageWorld, AdmissionRequest],
) -> None:
    """Nothing lies on the owner; what lies beside its image speaks for it."""
    world, request = family

    assert await doors(world, request) == [Door.DERIVED]


async def test_who_is_known_costs_no_look(
    family: tuple[ImageWorld, AdmissionRequest],
) -> None:
    """Rule 7: not the hundredth child, not a day later, not while the registry is away.

    Nor is anything listed.
    """
    world, request = family
    await world.judge(request)
    asked = list(world.registries.asked), list(world.registries.fetched)
    world.registries.down.add("ghcr.io")
    world.clock.now += _DAY
    world.sets.looks.clear()

    assert await doors(world, request) == [Door.DERIVED]
    assert (world.registries.asked, world.registries.fetched) == asked
    assert world.sets.looks == []


async def test_after_a_restart_the_owner_is_looked_at_before_its_children(
    family: tuple[ImageWorld, AdmissionRequest],
) -> None:
    """So that a node can be drained while the registry is away."""
    world, request = family
    await warmer(world).catch_up()
    world.registries.down.add("ghcr.io")

    assert await doors(world, request) == [Door.DERIVED]


async def test_what_a_silent_registry_knows_is_asked_for_again(
    family: tuple[ImageWorld, AdmissionRequest],
) -> None:
    """A replica that came up while it was away catches up."""
    world, request = family
    looking_on = warmer(world)
    world.registries.down.add("ghcr.io")
    await looking_on.catch_up()
    assert await world.why(request) == {Reason.UNAVAILABLE}

    world.registries.down.clear()
    looking_on.again()
    await looking_on.catch_up()
    world.registries.down.add("ghcr.io")
    assert await doors(world, request) == [Door.DERIVED]


async def test_a_registry_that_is_away_is_no_doubt_about_the_owner(
    family: tuple[ImageWorld, AdmissionRequest],
) -> None:
    """Nobody knows: that is `unavailable`, and passes by itself."""
    world, request = family
    world.registries.down.add("ghcr.io")
    assert await world.why(request) == {Reason.UNAVAILABLE}
    assert len(world.registries.asked) == 1  # for the owner, and for the child itself

    world.registries.down.clear()
    assert await doors(world, request) == [Door.DERIVED]


async def test_an_owner_for_whom_nobody_stands_has_no_children(
    family: tuple[ImageWorld, AdmissionRequest],
) -> None:
    """Its registry answers, and there is nothing."""
    world, request = family
    world.registries.held.clear()

    assert await world.why(request) == {Reason.OWNER_UNPROVEN}


async def test_the_owners_own_evidence_needs_no_registry(
    family: tuple[ImageWorld, AdmissionRequest],
) -> None:
    """What is carried is enough for ever, for whom a registry must not matter."""
    del family
    carrying, request = scene("replicaset-pod")
    world = ImageWorld(cluster=carrying.cluster, prover=carrying.prover)
    world.registries.down.add("ghcr.io")

    assert await doors(world, request) == [Door.DERIVED]
    await warmer(world).catch_up()
    assert world.registries.asked == []


async def test_a_policy_that_only_watches_keeps_nobody_waiting_at_another_door() -> (
    None
):
    """One looks beside images of a registry that is away, the other has all it needs."""
    carrying, request = scene("replicaset-pod")
    world = ImageWorld(cluster=carrying.cluster, prover=carrying.prover)
    watching = replace(
        looking(roster=Roster("others", (a.RAVI,))),
        name="watching",
        enforcement=Enforcement.AUDIT,
    )
    world.policies = (a.policy(), watching)
    world.registries.down.add("ghcr.io")
    verdict = await world.judge(request)

    assert verdict.allowed
    assert [basis.policy for basis in verdict.bases] == ["payments"]


async def test_owners_that_are_there_are_looked_at_when_a_policy_asks() -> None:
    """Before that, no registry hears of them."""
    world, request = unburdened(*scene("replicaset-pod"))
    looks, world.policies = world.policies, (a.policy(),)
    looking_on = warmer(world)
    await looking_on.catch_up()
    assert world.registries.asked == []

    world.policies = looks
    await looking_on.catch_up()
    world.registries.down.add("ghcr.io")
    assert await doors(world, request) == [Door.DERIVED]


async def test_images_of_what_a_set_announces_are_looked_at() -> None:
    """A BundleSet comes first; its objects are applied a moment later."""
    world, request = unburdened(*scene("deployment-replicaset"))
    owner = owner_of(world, request)
    noted = Noted()
    looking_on = Warmer(
        noted,
        policies=world,
        prover=world.prover,
        sets=world.sets,
        state=world.cluster,
        cluster=a.CLUSTER,
        images=world.kept.spare(),
        sleep=world.clock.sleep,
    )
    noted.intents((b"{", b"[]", *world.registries.blobs.values()))
    await looking_on.catch_up()

    assert {image.repository for image in world.registries.asked} == {
        "ghcr.io/acme/ledger"
    }
    assert owner["kind"] == "Deployment"


async def test_a_set_may_go_where_the_registry_says_the_same() -> None:
    """Nothing rests on it alone then; while nobody has looked there, it stays."""
    world, request = unburdened(*scene("deployment-replicaset"))
    owner = owner_of(world, request)
    (image,) = pinned(owner)
    held = world.registries.held.pop(image)
    texts = tuple(world.registries.blobs.values())
    made: Any = render_bundle_set("release", held.bundles, texts, a.NAMESPACE)
    name = made["metadata"]["name"]
    world.sets.put(name, held.bundles, texts, about=[ref_of(owner)])
    space: Tree = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": a.NAMESPACE},
    }
    world.cluster.store(space)
    gone = delete(made, resource=Resource("countersign.dev", "v1alpha1", "bundlesets"))
    assert await world.why(gone) == {Reason.EVIDENCE_REMOVED}

    world.registries.held[image] = held
    sets, world.sets = world.sets, FakeSets()  # it looks where else there is nothing
    await warmer(world).catch_up()
    world.sets = sets
    assert (await world.judge(gone)).outside


async def test_what_is_gone_is_forgotten() -> None:
    """Else the names of thousands of rollouts would be all that is known."""
    world, request = unburdened(*scene("replicaset-pod"))
    owner, noted = owner_of(world, request), Noted()
    noted.owner("v1", owner)
    assert list(noted.owners) == [ref_of(owner)]

    noted.owner("v1", having(owner, "/spec/replicas", 0))
    assert not noted.owners


async def test_who_looks_at_what_runs_sees_who_signed_beside_its_image() -> None:
    """And where a registry is silent, that it was: nobody stands for it as far as seen."""
    world, request = unburdened(*scene("replicaset-pod"))
    ref = ref_of(owner_of(world, replace(request, object=owner_of(world, request))))

    async def seen() -> Running:
        standing = Standing(
            world.cluster,
            world.prover,
            world.sets,
            a.CLUSTER,
            world.settings,
            images=world.kept,
        )
        found = await standing.look(a.NAMESPACE, world.policies)
        (one,) = (each for each in found.running if each.object == ref)
        return one

    assert [voice.person for voice in (await seen()).voices] == ["dana"]
    world.registries.down.add("ghcr.io")
    world.restart()
    one = await seen()
    assert one.doubting
    assert "ghcr.io did not answer" in one.problem
