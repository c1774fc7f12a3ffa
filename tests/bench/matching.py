"""What one comparison costs: an object as the server shows it, and what was signed.

CPU of this process alone, without a server: the best of many, since a machine that does
other things, too, can only be slower.
"""

import time
from typing import Any

import orjson

from countersign.binding.canonical import canonical
from countersign.binding.match import match
from countersign.binding.normal_form import normal_form
from countersign.core.types.artifacts import ObjectRef
from tests.support import chart

Tree = dict[str, Any]

_ROUNDS = 300
_DEPTH, _FIELDS = 4, 6  # of the schema: 1 296 fields, some 200 KB


def matching() -> dict[str, float]:
    """Return milliseconds a comparison: a Deployment, and a definition of 200 KB."""
    return {
        "match_deployment_ms": _best(_deployment()),
        "match_crd_ms": _best(_definition()),
    }


def _best(manifest: Tree) -> float:
    intent = canonical(manifest).tree
    shown = normal_form(manifest)
    shown["metadata"] |= {"uid": "0", "generation": 1, "resourceVersion": "1"}
    metadata = manifest["metadata"]
    group = manifest["apiVersion"].rpartition("/")[0]
    identity = ObjectRef(
        group, manifest["kind"], metadata.get("namespace", ""), metadata["name"]
    )
    texts = orjson.dumps(intent), orjson.dumps(shown)
    best = float("inf")
    for _ in range(_ROUNDS):
        one, other = map(orjson.loads, texts)
        began = time.process_time()
        different = match(one, other, identity=identity)
        best = min(best, time.process_time() - began)
        if different:
            raise AssertionError(different)
    return round(best * 1000, 3)


def _deployment() -> Tree:
    """Return a Deployment as charts render it, some 2 KB."""
    tree = chart.deployment("median")
    (container,) = tree["spec"]["template"]["spec"]["containers"][:1]
    container |= {
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": f"NAME_{i}", "value": f"value {i}"} for i in range(6)],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}},
    }
    return tree


def _definition() -> Tree:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _schema(_DEPTH)},
    }
    names = {"kind": "Large", "plural": "larges"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "larges.bench.example"},
        "spec": {
            "group": "bench.example",
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
        },
    }


def _schema(depth: int) -> Tree:
    text = "What this field is for, in a sentence as operators write them. "
    if not depth:
        return {"type": "string", "description": text}
    below = {f"field{index}": _schema(depth - 1) for index in range(_FIELDS)}
    return {"type": "object", "description": text, "properties": below}
