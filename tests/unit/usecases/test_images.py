"""Evidence beside images counts like evidence on the object, and is asked for in time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.artifacts import Subject
from countersign.core.types.policy import Treatment
from countersign.core.types.verdict import Door, Reason
from countersign.ports import Pinned
from tests.support import a
from tests.support.images import ImageWorld, looking, pinned
from tests.support.world import Tree, create, delete, stored, update

ONE, TWO = (f"ghcr.io/acme/ledger@sha256:{n * 64}" for n in "12")


def ledger(image: str = ONE, **spec: Any) -> Tree:
    """Return the Deployment of the ledger as its author writes it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ledger", "namespace": a.NAMESPACE},
        "spec": {
            "replicas": 2,
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


async def test_what_lies_beside_the_image_admits_the_object(world: ImageWorld) -> None:
    """Bundles and the signed text; nothing on the object itself."""
    verdict = await world.judge(create(world.attached(ledger())))

    (basis,) = verdict.bases
    assert verdict.allowed
    assert basis.door is Door.SIGNED
    assert [slot.person for slot in basis.filled] == ["dana"]


async def test_an_image_without_evidence_is_named(world: ImageWorld) -> None:
    """Its registry is sure: who has to act is whoever attests."""
    verdict = await world.judge(create(ledger()))

    assert Reason.UNAVAILABLE not in a.reasons(verdict)
    (image,) = pinned(ledger())
    assert (Reason.NO_EVIDENCE, Subject(image.repository, image.digest)) in [
        (finding.reason, finding.about) for finding in verdict.findings
    ]
