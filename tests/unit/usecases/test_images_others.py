"""What else lies beside an image: lists of parts, scans, plain signatures, junk.

Anybody who may push puts it there. It is no evidence, and no reason to doubt what is.
"""

import pytest

from countersign.core.errors import Foreign, Malformed
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Reason
from tests.support import a
from tests.support.images import ImageWorld, looking, pinned
from tests.support.world import Tree, create

SBOM, JUNK = b"a list of parts", b"junk"


def ledger() -> Tree:
    """Return a Pod of one image."""
    image = f"ghcr.io/acme/ledger@sha256:{'1' * 64}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "ledger", "namespace": a.NAMESPACE},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


@pytest.fixture(name="world")
def _world() -> ImageWorld:
    world = ImageWorld()
    world.prover.errors[SBOM] = Foreign("expected one of our predicates")
    world.prover.errors[JUNK] = Malformed("expected a bundle")
    return world


@pytest.mark.parametrize("other", [SBOM, JUNK])
@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(looking(), id="any policy"),
        pytest.param(
            looking(banned_tools=frozenset({"some-tool"})),
            id="one that leans on adverse evidence",
        ),
    ],
)
async def test_it_keeps_nothing_from_being_admitted(
    world: ImageWorld, policy: Policy, other: bytes
) -> None:
    """Nothing went unseen that could speak against the change.

    Seen to fail with such bundles counted as a look that is not whole.
    """
    world.policies = (policy,)
    tree = world.attached(ledger())
    world.registries.put(pinned(tree)[0], other)

    assert not await world.why(create(tree))


@pytest.mark.parametrize(("other", "told"), [(SBOM, False), (JUNK, True)])
async def test_only_what_is_broken_is_told(
    world: ImageWorld, other: bytes, *, told: bool
) -> None:
    """A list of parts is well made: it explains no denial."""
    world.registries.put(pinned(ledger())[0], other)

    verdict = await world.judge(create(ledger()))

    assert not verdict.allowed
    assert (Reason.MALFORMED in a.reasons(verdict)) is told
