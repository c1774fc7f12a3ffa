"""What lints say will fail does fail, and what they leave alone passes.

Faults this was seen to catch: a gate that is on taken for off; the live object not asked.
"""

import json
from typing import Any

from countersign.binding.gated import GATED, gated
from countersign.binding.tables import TABLES
from countersign.binding.tree import ABSENT, find
from tests.support import chart
from tests.support.gate import Gate, Tree, documents, written
from tests.support.minors import known_to, minor_of
from tools.controlplane import ControlPlane
from tools.stack.people import DANA

ITEM = {"key": "k", "path": "p", "user": 1}
NAMED = {"name": "s", "defaultUser": 1}
TOKEN = {"path": "t", "user": 1}
TRUST = {"name": "b", "path": "b", "user": 1}
CERTIFICATE = {
    "signerName": "example.com/signer",
    "keyType": "ED25519",
    "credentialBundlePath": "c",
    "user": 1,
}
POD: Tree = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "gated"},
    "spec": {
        "os": {"name": "linux"},
        "hostnameOverride": "other",
        "schedulingGroup": {"podGroupName": "g"},
        "workloadRef": {"name": "w", "podGroup": "g"},
        "evictionResponders": [{"name": "example.com/r", "priority": 1}],
        "volumes": [
            {"name": "a", "secret": {"secretName": "s", "defaultUser": 1, "items": [ITEM]}},
            {"name": "b", "configMap": {**NAMED, "items": [ITEM]}},
            {
                "name": "c",
                "downwardAPI": {
                    "defaultUser": 1,
                    "items": [
                        {
                            "path": "p",
                            "user": 1,
                            "fieldRef": {"fieldPath": "metadata.name"},
                        }
                    ],
                },
            },
            {
                "name": "d",
                "projected": {
                    "defaultUser": 1,
                    "sources": [
                        {"serviceAccountToken": TOKEN},
                        {"clusterTrustBundle": TRUST},
                        {"podCertificate": CERTIFICATE},
                    ],
                },
            },
            {"name": "e", "emptyDir": {"mode": 0o700}},
            {"name": "f", "image": {"reference": "example.com/model:1"}},
        ],
        "containers": [
            {
                "name": "main",
                "image": "example.com/app:1",
                "restartPolicy": "Never",
                "restartPolicyRules": [
                    {
                        "action": "Restart",
                        "exitCodes": {"operator": "In", "values": [42]},
                    }
                ],
                "lifecycle": {"stopSignal": "SIGUSR1"},
                "livenessProbe": {"httpGet": {"port": 80, "protocol": "H2C"}},
                "readinessProbe": {"grpc": {"port": 80, "mode": "TLS"}},
                "volumeMounts": [
                    {"name": "a", "mountPath": "/a", "bindMountOptions": ["noexec"]}
                ],
            }
        ],
    },
}  # fmt: skip
FROM_FILE: Tree = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "gated-file"},
    "spec": {
        "volumes": [{"name": "e", "emptyDir": {}}],
        "containers": [
            {
                "name": "main",
                "image": "example.com/app:1",
                "env": [
                    {
                        "name": "A",
                        "valueFrom": {
                            "fileKeyRef": {"volumeName": "e", "path": "f", "key": "A"}
                        },
                    }
                ],
            }
        ],
    },
}
"""Refused where its only field that matters is dropped: a variable is of something."""
SCALER: Tree = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "gated"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
        "maxReplicas": 3,
        "behavior": {"scaleUp": {"tolerance": "100m"}},
    },
}
DRIVER: Tree = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "CSIDriver",
    "metadata": {"name": "gated.example.com"},
    "spec": {
        "nodeAllocatableUpdatePeriodSeconds": 60,
        "preventPodSchedulingIfMissing": True,
    },
}
CLAIM: Tree = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "gated"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "dataSourceRef": {
            "kind": "PersistentVolumeClaim",
            "name": "other",
            "namespace": "elsewhere",
        },
    },
}


def workloads() -> list[Tree]:
    """Return objects that together have all fields that the table has."""
    job = chart.job("gated")
    job["spec"]["scheduling"] = {"schedulingPolicy": {"basic": {}}}
    template = chart.deployment("gated")["spec"]
    stateful: Tree = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "gated"},
        "spec": {
            "selector": template["selector"],
            "template": template["template"],
            "serviceName": "gated",
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}},
        },
    }
    found = [POD, FROM_FILE, SCALER, DRIVER, CLAIM, job, stateful]
    for tree in found:
        tree["metadata"].pop("namespace", None)
    return found


def test_gated_fields_are_what_the_server_drops(control_plane: ControlPlane) -> None:
    """Field by field: gone where the gate is off in this minor, kept where it is on."""
    minor = minor_of(control_plane)
    (table,) = [table for table in TABLES if table.minor == minor]
    known = [
        (kind, field) for kind, field in GATED if field in table.types.get(kind, ())
    ]
    wrong, seen = [], 0
    for whole in workloads():
        tree = known_to(minor, whole)  # what it has no type for, it refuses in words
        flags = ("create", "--dry-run=server", "-o", "json", "-f", "-")
        done = control_plane.kubectl(*flags, stdin=tree)
        refused = whole is FROM_FILE and not done.ok
        answer = {} if refused else json.loads(done.check().stdout)
        for path, gate, since in gated(tree):
            seen += 1
            kept = find(answer, path) is not ABSENT
            if kept is not (since is not None and since <= int(minor[2:])):
                wrong.append((path, gate, since, kept))

    assert wrong == []
    assert seen >= len(known)


def attention(gate: Gate, tree: Tree, *flags: str) -> list[Any]:
    """Sign `tree` where the cluster is seen; return what the command line says of it."""
    file = gate.folder / "linted.yaml"
    file.write_text(gate.attest(tree))
    done = gate.cli(
        "sign-off",
        "-f",
        file,
        "--out",
        gate.folder / "linted-signed.yaml",
        "-o",
        "json",
        "--answers",
        gate.stack.folder / "people" / "answers.yaml",
        "--key",
        gate.stack.key(DANA),
        "--carrier",
        "annotations",
        "--kubeconfig",
        gate.stack.folder / "kubeconfig",
        *flags,
    )
    assert done.code == 0, done.err
    found: list[Any] = json.loads(done.out)["attention"]
    return found


def signed(gate: Gate) -> str:
    """Return what `attention` has signed."""
    return (gate.folder / "linted-signed.yaml").read_text()


def test_what_stays_is_denied_and_what_does_not_is_admitted(
    gate: Gate, name: str
) -> None:
    """As the lint says, with the live object in sight."""
    tree: Tree = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": chart.NAMESPACE},
        "spec": {"podSelector": {}, "ingress": [{}]},
    }
    assert attention(gate, tree) == []
    assert gate.apply(signed(gate)).admitted
    tree["spec"]["egress"] = [{}]

    said = attention(gate, tree)
    denied = gate.apply(signed(gate))
    tree["spec"]["policyTypes"] = ["Ingress", "Egress"]
    then = attention(gate, tree)
    admitted = gate.apply(signed(gate))

    assert {(one["kind"], one["severity"], one["path"]) for one in said} == {
        ("stays", "error", "/spec/policyTypes"),
        ("default_depends", "warning", "/spec/policyTypes"),
    }
    assert "changed" in denied.reasons
    assert then == []
    assert admitted.admitted, admitted.out


def test_what_is_scaled_stays(gate: Gate, name: str) -> None:
    """A number that a signature does not name is denied unless there is room for it."""
    tree = chart.deployment(name, replicas=2)
    flag = f"--elastic=Deployment/{name}:/spec/replicas=1..5"
    attention(gate, tree, flag)
    three = documents(signed(gate))[0]
    three["spec"]["replicas"] = 3
    assert gate.apply(written([three])).admitted
    del tree["spec"]["replicas"]  # stays at 3, by the closed list

    assert attention(gate, tree) == []
    assert gate.apply(signed(gate)).admitted
