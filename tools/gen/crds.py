"""The CustomResourceDefinitions, from the models that parse the resources.

Structural schemas as apiextensions.k8s.io/v1 wants them. Each object node keeps unknown
fields: a server that dropped a misspelt restriction would leave nothing for us to refuse.
No defaults are written into objects: what absence means is for the version that reads.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from countersign.core.types.artifacts import Tree
from countersign.wire.resources.kinds import (
    BUNDLE_SET,
    GROUP,
    POLICY,
    REVOCATION,
    ROSTER,
    TRUST_ROOT,
    VERSION,
    Kind,
)
from countersign.wire.resources.status import FIELDS, About
from countersign.wire.yaml_text import render_yaml
from tools.gen import Generator

FOLDERS = ("manifests/crds", "charts/countersign/crds")
SCHEMA = f"{GROUP}/schema"  # annotation by which the chart sees that one is older
_NOTED = "charts/countersign/files/crds.yaml"
_HEADER = "# Generated from the models in countersign.wire.resources by `make gen`.\n"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_KEPT = (
    "type",
    "description",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "required",
)

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What people see of a kind, beside name, readiness and age.

    Attributes:
        kind: Which.
        short: Short names.
        column: Title, JSON path and type of what is worth a column.
        wide: The same, shown with ``-o wide`` only.
    """

    kind: Kind
    short: tuple[str, ...]
    column: tuple[str, str, str]
    wide: tuple[tuple[str, str, str], ...] = ()


def _holds(about: About) -> str:
    return f'.status.conditions[?(@.type=="{about.value}")].status'


SHOWN = (
    _Shown(
        POLICY,
        ("pp",),
        ("Covered", _holds(About.COVERED), "string"),
        (
            ("Preset", ".spec.preset", "string"),
            ("Roster", ".spec.roster", "string"),
            ("Enforcement", ".spec.enforcement", "string"),
        ),
    ),
    _Shown(ROSTER, (), ("Persons", ".status.persons", "integer")),
    _Shown(TRUST_ROOT, ("troot",), ("Expires", ".status.expires", "string")),
    _Shown(REVOCATION, (), ("Entries", ".status.entries", "integer")),
    _Shown(BUNDLE_SET, ("bset",), ("Bundles", ".status.bundles", "integer")),
)

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "format": "int64"}
STATUS: Schema = {
    "type": "object",
    "description": "What countersign found. For people: never read back.",
    _PRESERVE: True,
    "properties": {
        "observedGeneration": _COUNT,
        **FIELDS,
        "conditions": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
            "items": {
                "type": "object",
                _PRESERVE: True,
                "required": ["type", "status", "reason", "lastTransitionTime"],
                "properties": {
                    "type": _TEXT,
                    "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                    "reason": _TEXT,
                    "message": _TEXT,
                    "observedGeneration": _COUNT,
                    "lastTransitionTime": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}


def definition(shown: _Shown) -> Tree:
    """Return the CustomResourceDefinition of a kind."""
    kind = shown.kind
    columns: list[Schema] = [
        *(_column(*told, priority=1) for told in shown.wide),
        _column(*shown.column),
        _column("Ready", _holds(About.READY), "string"),
        _column("Age", ".metadata.creationTimestamp", "date"),
    ]
    spec: Tree = {
        "group": GROUP,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "names": {
            "kind": kind.name,
            "listKind": f"{kind.name}List",
            "plural": kind.plural,
            "singular": kind.name.lower(),
            "categories": ["countersign"],
            "shortNames": [*shown.short],
        },
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [*columns],
                "schema": {"openAPIV3Schema": _root(kind)},
            }
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "annotations": {SCHEMA: _digest(spec)},
        },
        "spec": spec,
    }


def _digest(spec: Tree) -> str:
    """Return what tells one version of a definition from another."""
    text = json.dumps(spec, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _column(title: str, path: str, sort: str, *, priority: int = 0) -> Schema:
    """Return a column of ``kubectl get``; with a priority, of ``-o wide`` alone."""
    column: Schema = {"name": title, "type": sort, "jsonPath": path}
    return {**column, "priority": priority} if priority else column


def _root(kind: Kind) -> Schema:
    model = kind.spec.model_json_schema(by_alias=True)
    return {
        "type": "object",
        "description": (kind.spec.__doc__ or "").replace("The spec of a", "A", 1),
        _PRESERVE: True,
        "required": ["spec"],
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": {"type": "object"},
            "spec": structural(model, model.get("$defs", {})),
            "status": STATUS,
        },
    }


def structural(schema: Schema, models: Mapping[str, Schema]) -> Schema:
    """Turn a JSON schema of pydantic into a structural schema.

    Args:
        schema: One node.
        models: What ``$ref`` leads to, by name.
    """
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        # a description beside the reference is about the field, not about its type
        schema = {**models[name], **{k: v for k, v in schema.items() if k != "$ref"}}
    if "anyOf" in schema or "oneOf" in schema:
        return _union(schema, models)
    made = {key: schema[key] for key in _KEPT if key in schema}
    made |= {k: v for k, v in schema.items() if k.startswith("x-kubernetes-")}
    if "const" in schema:
        made["enum"] = [schema["const"]]
    if schema.get("type") == "object":
        made[_PRESERVE] = True
        properties = schema.get("properties", {})
        if properties:
            made["properties"] = {
                name: structural(field, models) for name, field in properties.items()
            }
    if schema.get("type") == "array":
        made["items"] = structural(schema["items"], models)
    return made


def _union(schema: Schema, models: Mapping[str, Schema]) -> Schema:
    """Turn ``X | None`` into a nullable X; leave other unions to our parser."""
    options = schema.get("anyOf") or schema["oneOf"]
    rest = [option for option in options if option.get("type") != "null"]
    said = {k: v for k, v in schema.items() if k == "description"}
    nullable = {"nullable": True} if len(rest) < len(options) else {}
    if len(rest) == 1 and not {"anyOf", "oneOf"} & rest[0].keys():
        return structural(rest[0], models) | said | nullable
    return said | nullable | {_PRESERVE: True}


def _make(folder: str) -> Mapping[str, bytes]:
    return {
        f"{folder}/{shown.kind.plural}.yaml": (
            _HEADER + render_yaml([definition(shown)])
        ).encode()
        for shown in SHOWN
    }


def _generator(folder: str) -> Generator:
    return Generator(
        name="custom resources", owns=f"{folder}/*.yaml", make=lambda: _make(folder)
    )


def _note() -> Mapping[str, bytes]:
    """Return the digests for the chart, which cannot read its own folder of CRDs."""
    made: Tree = {}
    for shown in SHOWN:
        metadata = definition(shown)["metadata"]
        assert isinstance(metadata, Mapping)  # noqa: S101 - made above
        annotations = metadata["annotations"]
        assert isinstance(annotations, Mapping)  # noqa: S101 - the same
        made[str(metadata["name"])] = annotations[SCHEMA]
    return {_NOTED: (_HEADER + render_yaml([made])).encode()}


CUSTOM_RESOURCES = (
    *(_generator(folder) for folder in FOLDERS),
    Generator(name="digests of custom resources", owns=_NOTED, make=_note),
)
