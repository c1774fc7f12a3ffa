"""A storage class that becomes the default later is filled into claims without one."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Door, Reason
from tests.support.trees import having
from tests.support.world import DEVELOPER, Tree, World, controller, stored, update

CLASS = "/spec/storageClassName"
BY = controller("persistent-volume-binder")
FAST: Tree = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "fast",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "example.com/disk",
}
CLAIM: Tree = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {
        "name": "data",
        "namespace": "payments",
        "finalizers": ["kubernetes.io/pvc-protection"],
    },
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "volumeMode": "Filesystem",
    },
}


@pytest.fixture(name="world")
def _world() -> World:
    world = World()
    world.cluster.store(FAST)
    return world


def given(world: World, path: str = CLASS, value: Any = "fast") -> AdmissionRequest:
    """Return how the binder changes a signed claim that has no class."""
    old = stored(world.signed(CLAIM))
    return replace(update(old, having(old, path, value)), requester=BY)


async def test_the_default_is_filled_in(world: World) -> None:
    """By the binder, into a claim without a class."""
    request = given(world)
    verdict = await world.judge(request)

    (basis,) = verdict.bases
    assert (basis.door, basis.rule) == (Door.DERIVED, "default-class")
    assert await world.why(replace(request, requester=DEVELOPER))


async def test_no_other_class_is(world: World) -> None:
    """Nor one that is no default, nor anything besides."""
    assert await world.why(given(world, value="shared")) == {Reason.CHILD_DIFFERS}

    request = given(world)
    more = having(request.object or {}, "/metadata/labels", {"tier": "front"})
    assert await world.why(replace(request, object=more))

    world.cluster.store(having(FAST, "/metadata/annotations", {}))
    assert await world.why(request) == {Reason.CHILD_DIFFERS}


async def test_a_class_that_was_signed_stays(world: World) -> None:
    """It is not changed into the default."""
    old = stored(world.signed(having(CLAIM, CLASS, "slow")))
    request = replace(update(old, having(old, CLASS, "fast")), requester=BY)

    assert await world.why(request)
