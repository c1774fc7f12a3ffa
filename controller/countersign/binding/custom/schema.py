"""Structural schemas, as far as they say what the server does to an object.

What only validates is of no interest here: the server has judged before us. What counts
is what it fills in, what it drops, and what it reads as metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from countersign.binding.tree import ABSENT, Value
from countersign.core.types.artifacts import Json

_SCALARS = frozenset({"boolean", "integer", "number", "string"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What the server knows of one value.

    Attributes:
        properties: Fields of an object, by name.
        additional: The values of a map; None: no schema says what they are.
        open: Other fields than `properties` are values of a map, and stay.
        items: The items of a list; None: no schema says what they are.
        default: Takes the place of nothing; `ABSENT`: nothing does.
        nullable: null is a value.
        preserves: Fields that the schema does not name stay.
        embedded: An object with apiVersion, kind and metadata of its own.
        fills: Some default applies somewhere below.
        quiet: Whatever is here stays as it was written: nothing is filled in, dropped
            or read as metadata, here or anywhere below.
    """

    properties: Mapping[str, "Schema"]
    additional: "Schema | None"
    open: bool
    items: "Schema | None"
    default: Value
    nullable: bool
    preserves: bool
    embedded: bool
    fills: bool
    quiet: bool


def compile_schema(tree: Mapping[str, Json]) -> Schema:
    """Read an ``openAPIV3Schema`` that the server has accepted.

    What cannot be read is left out: then the server knows more than we do, and that
    can only deny.

    Source:
        ``NewStructural`` in apiextensions-apiserver/pkg/apiserver/schema/convert.go.
    """
    properties = {
        name: compile_schema(below)
        for name, below in as_map(tree.get("properties")).items()
        if isinstance(below, dict)
    }
    more, items = tree.get("additionalProperties"), tree.get("items")
    additional = compile_schema(more) if isinstance(more, dict) else None
    each = compile_schema(items) if isinstance(items, dict) else None
    preserves = tree.get("x-kubernetes-preserve-unknown-fields") is True
    embedded = tree.get("x-kubernetes-embedded-resource") is True
    below = [*properties.values(), *(s for s in (additional, each) if s is not None)]
    said = tree.get("default")
    return Schema(
        properties=properties,
        additional=additional,
        open=more is not None,
        items=each,
        default=ABSENT if said is None else said,
        nullable=tree.get("nullable") is True,
        preserves=preserves,
        embedded=embedded,
        fills=any(s.fills or s.default is not ABSENT for s in below),
        quiet=not (embedded or properties or additional)
        and _is_quiet(tree, each, preserves=preserves),
    )


def _is_quiet(
    tree: Mapping[str, Json], each: Schema | None, *, preserves: bool
) -> bool:
    """Tell whether a value without named fields stays as it is.

    A null in a list stays, in a map it may go.
    """
    if each is not None:
        return each.quiet and each.default is ABSENT
    return preserves or tree.get("type") in _SCALARS


def fingerprint(schema: Schema) -> Value:
    """Return a schema as JSON: equal ones keep, drop and fill in the same."""
    below = {name: fingerprint(one) for name, one in schema.properties.items()}
    return {
        "additional": schema.additional and fingerprint(schema.additional),
        "default": [] if schema.default is ABSENT else [schema.default],
        "flags": [
            schema.open,
            schema.nullable,
            schema.preserves,
            schema.embedded,
            schema.quiet,
        ],
        "items": schema.items and fingerprint(schema.items),
        "properties": below,
    }


def as_map(value: Json) -> Mapping[str, Json]:
    """Return an object, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}
