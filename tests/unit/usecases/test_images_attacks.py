"""Ways round the gate by what lies beside images, each of them shut.

Whoever may push to a repository puts there what he likes, and as much of it; and whoever
runs a registry says and hides what he likes.
"""

import pytest

from countersign.core.types.evidence import Emergency
from countersign.core.types.policy import Images, ImageSubject, Policy, Treatment
from countersign.core.types.time import Interval
from countersign.usecases.images_warm import MAX_ANNOUNCED, Noted, Warmer
from tests.support import a
from tests.support.families import owner_of, scene
from tests.support.images import ImageWorld, looking, pinned, unburdened
from tests.support.world import Tree, create

ONE = f"ghcr.io/acme/ledger@sha256:{'1' * 64}"


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
