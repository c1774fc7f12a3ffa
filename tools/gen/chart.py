"""The chart's values, their schema and their page, from the models in `values`."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel

from tools.gen import Generator
from tools.gen.values import Chart

VALUES = "charts/countersign/values.yaml"
SCHEMA = "charts/countersign/values.schema.json"
PAGE = "docs/values.md"
_SOURCE = "tools/gen/values.py"
_DRAFT = "http://json-schema.org/draft-07/schema#"  # what every Helm reads
_WIDTH = 90
_INTRODUCTION = f"""\
<!-- Generated from {_SOURCE} by `make gen`. -->

# Values of the chart

What `helm install --set` and a file of values can say. What does not exist, or does not
fit, is refused before anything is installed (`values.schema.json`). What is asked of
changes is not here: that is a ProtectionPolicy.

| value | default | what it is |
|---|---|---|
"""

Schema = dict[str, Any]


def _fields(model: BaseModel) -> Iterator[tuple[str, str, Any]]:
    """Yield name, description and default of each value."""
    for name, field in type(model).model_fields.items():
        said = field.description or ""
        if get_origin(field.annotation) is Literal:
            said += f" One of {', '.join(map(str, get_args(field.annotation)))}."
        yield field.alias or name, said, getattr(model, name)


def _values(model: BaseModel, indent: str = "") -> Iterator[str]:
    for name, description, value in _fields(model):
        if not indent:
            yield ""
        told = textwrap.wrap(description, _WIDTH - len(indent) - 2)
        yield from (f"{indent}# {line}" for line in told)
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:"
            yield from _values(value, indent + "  ")
        elif isinstance(value, dict) and value:
            yield f"{indent}{name}:"
            block = yaml.safe_dump(value, sort_keys=False)
            yield textwrap.indent(block.rstrip(), indent + "  ")
        else:
            yield f"{indent}{name}: {_inline(value)}"


def _inline(value: object) -> str:
    """Write a value as YAML and JSON both read it; words without quotes."""
    plain = isinstance(value, str) and value.replace("-", "").isalnum()
    return str(value) if plain else json.dumps(value)


def _rows(model: BaseModel, above: str = "") -> Iterator[str]:
    for name, description, value in _fields(model):
        path = f"{above}{name}"
        if isinstance(value, BaseModel):
            yield f"| **`{path}`** | | {description} |"
            yield from _rows(value, f"{path}.")
        else:
            shown = f"`{json.dumps(value)}`" if value not in ("", [], {}) else "none"
            yield f"| `{path}` | {shown} | {description} |"


def schema() -> Schema:
    """Return the schema of the values, with nothing referred to elsewhere."""
    whole = Chart.model_json_schema(by_alias=True)
    made = _resolved(whole, whole.get("$defs", {}))
    made["required"] = ["clusterName", "protectedNamespaces"]
    properties = made["properties"]
    _need(properties["tls"], "secretName", "caBundle")
    _need(properties["tls"], "internalSecretName", "internalCaBundle")
    return {"$schema": _DRAFT, "title": "countersign", **made}


def _need(group: Schema, given: str, wanted: str) -> None:
    """Have `wanted` be there where `given` is."""
    filled = {"minLength": 1}
    group.setdefault("allOf", []).append(
        {
            "if": {"properties": {given: filled}, "required": [given]},
            "then": {"properties": {wanted: filled}, "required": [wanted]},
        }
    )


def _resolved(node: Schema, models: Mapping[str, Schema]) -> Schema:
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        node = {**models[name], **{k: v for k, v in node.items() if k != "$ref"}}
    made = {
        key: value
        for key, value in node.items()
        if key not in ("$defs", "title", "default", "properties", "items", "anyOf")
    }
    if "properties" in node:
        made["properties"] = {
            name: _resolved(field, models) for name, field in node["properties"].items()
        }
    if "items" in node:
        made["items"] = _resolved(node["items"], models)
    if "anyOf" in node:
        made["anyOf"] = [_resolved(one, models) for one in node["anyOf"]]
    return made


def _make() -> Mapping[str, bytes]:
    # defaults that have to be given are empty here, and refused by the schema
    chart = Chart.model_construct()
    values = [f"# Generated from {_SOURCE} by `make gen`.", *_values(chart)]
    return {
        VALUES: ("\n".join(values) + "\n").encode(),
        SCHEMA: (json.dumps(schema(), indent=2) + "\n").encode(),
        PAGE: (_INTRODUCTION + "\n".join(_rows(chart)) + "\n").encode(),
    }


def _one(path: str) -> Generator:
    return Generator(name="chart", owns=path, make=lambda: {path: _make()[path]})


CHART = tuple(_one(path) for path in (VALUES, SCHEMA, PAGE))
