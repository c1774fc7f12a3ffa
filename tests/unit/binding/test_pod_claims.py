"""Claims that live with a Pod: for its ephemeral volumes, and for devices."""

from typing import Any

import pytest

from countersign.binding.derivations.kin import Kin, reference
from countersign.binding.derivations.pod_claims import (
    claim_of_devices,
    claim_of_volume,
    device_template,
)
from countersign.binding.facts import Fact
from countersign.core.types.artifacts import ObjectRef
from tests.support.trees import Tree, having, pod, tree

NAMED = "resource.kubernetes.io/pod-claim-name"
MARKS = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
SCRATCH = {"metadata": MARKS, "spec": {"accessModes": ["ReadWriteOnce"]}}
OWNER = having(
    pod(
        volumes=[
            {"name": "config", "configMap": {"name": "x"}},
            {"name": "scratch", "ephemeral": {"volumeClaimTemplate": SCRATCH}},
        ],
        resourceClaims=[
            {"name": "own", "resourceClaimName": "mine"},
            {"name": "gpu", "resourceClaimTemplateName": "gpus"},
        ],
    ),
    "/metadata/uid",
    "u-1",
)
TEMPLATE = tree(
    "ResourceClaimTemplate",
    "resource.k8s.io/v1",
    spec={"metadata": MARKS, "spec": {"devices": {"requests": [{"name": "one"}]}}},
)


def claim(name: str) -> Tree:
    """Return a claim that says which of the Pod's it is."""
    marks = {"annotations": {NAMED: name}}
    return tree("ResourceClaim", "resource.k8s.io/v1", metadata=marks)


def test_a_claim_of_a_volume_is_its_template() -> None:
    """Called after Pod and volume, and owned by the Pod alone."""
    child = tree("PersistentVolumeClaim", metadata={"name": "it-scratch"})

    assert claim_of_volume(Kin(owner=OWNER, child=child)) == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "it-scratch",
            "namespace": "here",
            "ownerReferences": [reference(OWNER)],
            **MARKS,
        },
        "spec": SCRATCH["spec"],
    }


@pytest.mark.parametrize("name", ["it-config", "it-other", "it", "scratch"])
def test_another_claim_is_of_no_volume(name: str) -> None:
    """It gets no name, so that nothing equals it."""
    child = tree("PersistentVolumeClaim", metadata={"name": name})
    made = claim_of_volume(Kin(owner=OWNER, child=child))

    assert "name" not in made["metadata"]
    assert made["spec"] == {}


def test_a_claim_of_devices_is_its_template() -> None:
    """Its owner may be deleted before it."""
    owned = reference(OWNER)
    del owned["blockOwnerDeletion"]

    assert claim_of_devices(Kin(owner=OWNER, child=claim("gpu"), source=TEMPLATE)) == {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {
            "generateName": "it-gpu-",
            "namespace": "here",
            "ownerReferences": [owned],
            "labels": {"a": "b"},
            "annotations": {"c": "d", NAMED: "gpu"},
        },
        "spec": {"devices": {"requests": [{"name": "one"}]}},
    }
    bare = claim_of_devices(Kin(owner=OWNER, child=claim("gpu")))
    assert bare["spec"] == {}


@pytest.mark.parametrize(
    ("long", "prefix"),
    [
        ("p" * 52, "p" * 52 + "-gpu-"),
        ("p" * 53, "p" * 52 + "-" + "gp"),
        ("p" * 200, "p" * 55 + "-"),
    ],
)
def test_long_names_are_cut_in_proportion(long: str, prefix: str) -> None:
    """As the controller does, before the server would."""
    owner = having(OWNER, "/metadata/name", long)
    made = claim_of_devices(Kin(owner=owner, child=claim("gpu"), source=TEMPLATE))

    assert made["metadata"]["generateName"] == prefix


def test_a_template_is_looked_up_where_the_pod_names_one() -> None:
    """In the Pod's own namespace."""
    wanted = ObjectRef("resource.k8s.io", "ResourceClaimTemplate", "here", "gpus")
    nothing: list[Any] = [claim("own"), claim("other"), tree("ResourceClaim")]

    assert device_template(OWNER, claim("gpu")) == Fact("v1", wanted)
    assert [device_template(OWNER, child) for child in nothing] == [None] * 3
