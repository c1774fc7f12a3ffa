"""N and D of custom resources, by the structural schema of their version.

What the server would drop is kept: no object has it, so the intent that says it differs
from every object, and the difference names it.
"""

import copy
from collections.abc import Iterable

from countersign.binding.custom.definition import CustomKind
from countersign.binding.custom.schema import Schema
from countersign.binding.tree import ABSENT, Struct, Value
from countersign.binding.typed import written_struct
from countersign.core.errors import Malformed

_METADATA = "meta/v1.ObjectMeta"
_IMPLICIT = frozenset({"apiVersion", "kind", "metadata"})
"""What each object has, whether or not its schema says so."""


def written(tree: Struct, kind: CustomKind) -> Struct:
    """Return N of a custom resource: its metadata typed, nulls that are no values gone.

    Raises:
        Malformed: its metadata, or that of an object in it, has a wrong type.

    Source:
        ``unstructuredSchemaCoercer.apply`` in apiextensions-apiserver's
        pkg/apiserver/customresource_handler.go.
    """
    schema = kind.schema
    form: Struct = {key: tree[key] for key in ("apiVersion", "kind") if key in tree}
    form["metadata"] = written_struct(tree.get("metadata") or {}, _METADATA)
    body = {key: item for key, item in tree.items() if key not in _IMPLICIT}
    if kind.prunes:
        body = _write_map(body, schema, keeps=schema.preserves)
    return form | body


def fill(form: Struct, kind: CustomKind) -> None:
    """Apply D, the defaults of the schema, to a custom resource in place.

    Source:
        ``Default`` in apiextensions-apiserver/pkg/apiserver/schema/defaulting.
    """
    _fill(form, kind.schema)


def _write(value: Value, schema: Schema | None, *, keeps: bool) -> Value:
    """Return N of one value that is not null.

    Args:
        value: As it was written; not changed.
        schema: What is known of it; None: nothing.
        keeps: Fields stay here that the schema does not name.
    """
    if schema is None or schema.quiet:
        return value
    if type(value) is dict:
        return _write_map(value, schema, keeps=keeps)
    if type(value) is list and schema.items is not None:
        keeps = keeps or schema.items.preserves  # ``skipPrune`` goes through lists
        each = schema.items
        return [v if v is None else _write(v, each, keeps=keeps) for v in value]
    return value


def _write_map(value: Struct, schema: Schema, *, keeps: bool) -> Struct:
    form: Struct = {}
    for key, item in value.items():
        below = _below(key, schema)
        if item is None and _goes(key, schema, below, keeps=keeps):
            continue
        if schema.embedded and key == "metadata":
            form[key] = _metadata(item)
        elif item is None:
            form[key] = None
        else:
            form[key] = _write(item, below, keeps=below is not None and below.preserves)
    return form


def _goes(key: str, schema: Schema, below: Schema | None, *, keeps: bool) -> bool:
    """Tell whether the server drops a null.

    Source:
        ``PruneNonNullableNullsWithoutDefaults`` in schema/defaulting/prunenulls.go, and
        ``prune`` in schema/pruning/algorithm.go.
    """
    if below is not None:
        return not below.nullable and below.default is ABSENT
    return not (keeps or schema.open or (schema.embedded and key in _IMPLICIT))


def _metadata(value: Value) -> Struct:
    """Return the metadata of an embedded object as the server writes it.

    Source:
        ``CoerceWithOptions`` in schema/objectmeta/algorithm.go.
    """
    if value is not None and type(value) is not dict:
        raise Malformed("expected metadata to be an object, saw something else")
    return written_struct(value or {}, _METADATA)


def _below(key: str, schema: Schema) -> Schema | None:
    """Return the schema of a field, or None if there is none."""
    return schema.properties.get(key) or schema.additional


def _fill(value: Value, schema: Schema) -> None:
    if not schema.fills:
        return
    if type(value) is dict:
        for key, below in schema.properties.items():
            if below.default is not ABSENT and key not in value:
                value[key] = copy.deepcopy(below.default)
        _fill_items(value, value.items(), schema)
    elif type(value) is list:
        _fill_items(value, enumerate(value), schema)


def _fill_items(
    value: Value, items: Iterable[tuple[str | int, Value]], schema: Schema
) -> None:
    """Fill what is in a map or list, whose keys do not change by it."""
    for key, item in items:
        below = schema.items if type(key) is int else _below(str(key), schema)
        if below is None:
            continue
        if item is None and not below.nullable and below.default is not ABSENT:
            value[key] = copy.deepcopy(below.default)
        _fill(value[key], below)
