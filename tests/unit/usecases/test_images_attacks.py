"""Ways round the gate by what lies beside images, each of them shut.

Whoever may push to a repository puts there what he likes, and as much of it; and whoever
runs a registry says and hides what he likes.
"""

import pytest

from countersign.core.types.evidence import Emergency
from countersign.core.types.policy import Images, ImageSubject, Policy, Treatment
from countersign.core.types.time import Interval
from tests.support import a
from tests.support.images import ImageWorld, looking
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
