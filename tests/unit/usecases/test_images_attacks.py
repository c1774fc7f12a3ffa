"""Ways round the gate by what lies beside images, each of them shut.

Whoever may push to a repository puts there what he likes, and as much of it; and whoever
runs a registry says and hides what he likes.
"""

from typing import Any

import pytest

from countersign.core.types.evidence import Assistance, Emergency
from countersign.core.types.policy import Images, ImageSubject, Policy, Treatment
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Reason
from countersign.report.denial import denial
from countersign.usecases.images_warm import MAX_ANNOUNCED, Noted, Warmer
from tests.support import a
from tests.support.families import owner_of, scene
from tests.support.images import ImageWorld, looking, pinned, unburdened
from tests.support.world import Tree, create

ONE, TWO = (f"ghcr.io/acme/ledger@sha256:{n * 64}" for n in "12")


def ledger(image: str = ONE, **spec: object) -> Tree:
    """Return the Deployment of the ledger as its author writes it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ledger", "namespace": a.NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": "ledger"}},
            "template": {
                "metadata": {"labels": {"app": "ledger"}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
            **spec,
        },
    }


@pytest.fixture(name="world")
def _world() -> ImageWorld:
    return ImageWorld()


# Break-glass ------------------------------------------------------------------------

EACH = Images(subject=ImageSubject.ALL_PLATFORMS, registries=("ghcr.io/acme/*",))


def broken(world: ImageWorld) -> Tree:
    """Return the ledger with a break-glass sign-off, which it carries."""
    return world.signed(
        ledger(),
        a.OMAR,
        emergency=Emergency("INC-7", "the registry is down"),
        validity=Interval(a.NOON - a.HOUR, a.NOON + a.HOUR),
        saw=(),
        answers=(),
        question_set=None,
    )


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(looking(images=EACH), id="each platform is asked for"),
        pytest.param(looking(ai=Treatment.DENY), id="no AI at all"),
        pytest.param(looking(banned_tools=frozenset({"tool"})), id="banned tools"),
    ],
)
@pytest.mark.parametrize("how", ["down", "stuck"])
async def test_glass_is_broken_without_any_registry(
    world: ImageWorld, policy: Policy, how: str
) -> None:
    """It may be what is down; and how the change was made is not asked."""
    world.policies = (policy,)
    getattr(world.registries, how).add("ghcr.io")

    verdict = await world.judge(create(broken(world)), patience_s=1)

    assert verdict.allowed
    assert not world.registries.asked


# Crowds -----------------------------------------------------------------------------


def crowd(world: ImageWorld) -> list[bytes]:
    """Return what somebody who may push puts there, of all kinds, to be found first."""
    named = world.subjects(ledger())
    strangers = [
        evidence
        for n in range(60)
        for evidence in (
            a.sign_off(
                signer=a.STRANGER,
                changes=(world.state(ledger()),),
                subjects=named,
                link=f"https://example.org/{n}",
            ),
            a.provenance(signer=a.STRANGER, subjects=named, collector=f"{n}"),
            a.build(*named, signer=a.STRANGER, builder=f"{n}"),
        )
    ]
    return [*(b"{%d" % n for n in range(60)), *map(world.prover.bundle, strangers)]


@pytest.mark.parametrize("leaning", [{}, {"banned_tools": frozenset({"some-tool"})}])
async def test_a_crowd_hides_nothing(
    world: ImageWorld, leaning: dict[str, Any]
) -> None:
    """What speaks for the change is found in it, and what speaks against it."""
    world.policies = (looking(**leaning),)
    (image,) = pinned(ledger())
    world.registries.put(image, *crowd(world))
    assert await world.why(create(ledger()))
    world.attached(ledger())
    world.restart()
    assert not await world.why(create(ledger()))

    worse = a.provenance(
        subjects=world.subjects(ledger()),
        assistance=Assistance.AI,
        tools=("some-tool 1",),
    )
    world.registries.put(image, world.prover.bundle(worse))
    world.restart()
    assert await world.why(create(ledger()))


async def test_a_longer_list_than_is_read_is_no_silence(world: ImageWorld) -> None:
    """Where silence must be sure, more than is read denies, and says so."""
    world.policies = (looking(banned_tools=frozenset({"some-tool"})),)
    tree = world.signed(ledger())
    told = "expected at most 256 bundles, saw 300"
    (image,) = pinned(ledger())
    world.registries.put(image, *crowd(world), complete=False, problems=(told,))

    verdict = await world.judge(create(tree))

    assert {Reason.UNAVAILABLE, Reason.OVER_LIMIT} <= a.reasons(verdict)
    assert told in denial(verdict, create(tree), a.CLUSTER)


# Other places -----------------------------------------------------------------------


async def test_the_same_image_elsewhere_is_asked_about_there(world: ImageWorld) -> None:
    """What lies in a repository that no policy names is never looked at."""
    world.attached(ledger())
    elsewhere = ledger(ONE.replace("ghcr.io", "evil.example"))
    world.attached(elsewhere)

    assert await world.why(create(elsewhere))
    assert {image.registry for image in world.registries.asked} <= {"ghcr.io"}


@pytest.mark.parametrize(
    "more",
    [
        {"initContainers": [{"name": "two", "image": TWO}]},
        {"volumes": [{"name": "two", "image": {"reference": TWO}}]},
    ],
)
async def test_each_image_of_an_approved_state_must_be_covered(
    world: ImageWorld, more: Tree
) -> None:
    """An approval that names one of two does not cover the other."""
    tree = ledger()
    tree["spec"]["template"]["spec"] |= more
    one = pinned(ledger())[0].digest
    world.attached(tree, about=[world.intent(tree)[0], one])
    assert Reason.IMAGE_UNCOVERED in await world.why(create(tree))

    world.attached(tree)
    world.restart()
    assert not await world.why(create(tree))


# Looking ahead ----------------------------------------------------------------------


def warmer(world: ImageWorld, noted: Noted) -> Warmer:
    """Return who looks at what is noted."""
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


async def test_owners_wait_for_no_announcement() -> None:
    """Anybody who may create BundleSets announces as many images as he likes."""
    world, request = unburdened(*scene("replicaset-pod"))
    (owned,) = pinned(owner_of(world, request))
    image = "ghcr.io/acme/x@sha256:{:064x}".format
    sets = [
        tuple(
            world.intent(ledger(image(1000 * n + m)))[1] for m in range(MAX_ANNOUNCED)
        )
        for n in range(2)
    ]
    noted = Noted()
    for raws in sets:
        noted.intents((*raws, world.intent(ledger(image(5)))[1]))
    for tree in world.cluster.live.values():
        noted.owner(tree["apiVersion"].rpartition("/")[2], tree)
    looking_on = warmer(world, noted)

    await looking_on.catch_up()

    assert world.registries.asked.index(owned) < 4
    assert len(world.registries.asked) <= 2 * MAX_ANNOUNCED + 1


async def test_a_silent_registry_ends_what_is_announced_of_it() -> None:
    """It would keep whoever looks ahead waiting once for each image."""
    world = ImageWorld()
    world.registries.down.add("ghcr.io")
    noted = Noted()
    image = "ghcr.io/acme/x@sha256:{:064x}".format
    noted.intents(tuple(world.intent(ledger(image(n)))[1] for n in range(9)))
    looking_on = warmer(world, noted)

    await looking_on.catch_up()

    assert len(world.registries.asked) == 1
