"""Claims that live with a Pod: of ephemeral volumes, and of devices."""

import json
from typing import Any

import pytest

from tests.support import chart
from tests.support.chart import NAMESPACE, Tree
from tests.support.gate import Gate
from tests.support.trees import having
from tests.support.workloads import all_of, another, created, denied_to_controllers
from tools.stack.ready import until

LABELS = {"app": "claims"}
STORAGE = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
}
REQUEST = {"name": "gpu", "exactly": {"deviceClassName": "gpus"}}


def device_template() -> Tree:
    """Return what claims of devices are made from."""
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": "one-gpu", "namespace": NAMESPACE},
        "spec": {
            "metadata": {"labels": LABELS},
            "spec": {"devices": {"requests": [REQUEST]}},
        },
    }


def workload() -> Tree:
    """Return a Deployment that has both, behind a ReplicaSet."""
    tree = chart.deployment("claims")
    spec: dict[str, Any] = tree["spec"]["template"]["spec"]
    template = {"metadata": {"labels": LABELS}, "spec": STORAGE}
    scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
    spec["volumes"] = [scratch]
    spec["resourceClaims"] = [
        {"name": "gpu", "resourceClaimTemplateName": "one-gpu"},
    ]
    return tree


@pytest.fixture(name="claims", scope="module")
def _claims(gate: Gate) -> dict[str, Tree]:
    """Apply it, and return the claims that controllers made of its Pod, by plural."""
    applied = gate.apply(gate.approved(device_template(), workload()))
    assert applied.admitted, applied.out
    kinds, found = ("persistentvolumeclaims", "resourceclaims"), {}

    def missing() -> str:
        found.update({kind: all_of(gate, kind, "claims") for kind in kinds})
        return "" if all(found.values()) else json.dumps(list(found))

    until(missing, what="claims of a Pod")
    return {kind: found[kind][0] for kind in kinds}


def test_a_volume_is_the_templates(gate: Gate, claims: dict[str, Tree]) -> None:
    """Not of another class; nor may a Pod have one that it does not mount."""
    volume = claims["persistentvolumeclaims"]
    name = volume["metadata"]["name"]
    gate.stack.plane.kubectl("delete", "pvc", name, "-n", NAMESPACE, "--wait=false")
    claim, by = another(volume, name), "ephemeral-volume-controller"
    claim["metadata"].pop("finalizers")
    told = [
        created(gate, tree, by, "--dry-run=server").reasons
        for tree in (
            having(claim, "/spec/storageClassName", "fast-and-shared"),
            having(claim, "/spec/resources/requests/storage", "900Gi"),
            having(claim, "/metadata/name", f"{name}-2"),
        )
    ]

    assert told == [("child_differs",)] * 3


def test_devices_are_the_templates(gate: Gate, claims: dict[str, Tree]) -> None:
    """A signed one, which lives: not more of them, and not as an administrator."""
    claim = another(claims["resourceclaims"])
    claim["metadata"].pop("finalizers", None)
    by, first = "resource-claim-controller", "/spec/devices/requests/0/exactly"
    told = [
        created(gate, tree, by, "--dry-run=server").reasons
        for tree in (
            claim,
            having(claim, f"{first}/count", 8),
            having(claim, f"{first}/deviceClassName", "cameras"),
            having(claim, "/metadata/annotations", {}),
        )
    ]

    assert told == [(), *[("child_differs",)] * 3]


def test_no_controller_was_denied(gate: Gate, claims: dict[str, Tree]) -> None:
    """Whatever the real ones asked for in this session, in the audit log's words."""
    assert claims
    assert denied_to_controllers(gate) == []
