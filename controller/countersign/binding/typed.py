"""Values of Go types: N and D by the type table.

* *N* mirrors Go's decoder: null and zero values that cannot be told from absence go,
  quantities, base64 and times get one spelling. Driven by the type table alone, never
  by a value: an empty string in a map is a value;
* *D* fills what is absent with the API server's own defaults (`defaults`).
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from countersign.binding.defaults import DEFAULTS
from countersign.binding.scalars import SCALARS, ZEROS
from countersign.binding.tables import (
    TYPES,
    Either,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
    shape_of,
)
from countersign.binding.tree import ABSENT, Struct, Value
from countersign.core.errors import Malformed

Normaliser: TypeAlias = Callable[[Value], Value]


def written_struct(value: Value, type_name: str) -> Struct:
    """Return N of a struct: zeros of non-pointers are absence, unknown fields stay.

    Raises:
        Malformed: a value has not its field's type.
    """
    if type(value) is not dict:
        raise Malformed(f"expected an object of type {type_name}, saw something else")
    fields, form = _plan(type_name), {}
    for key, item in value.items():
        if item is None:
            continue
        known = fields.get(key)
        if known is None:
            form[key] = item
            continue
        normalise, zero = known
        result = normalise(item)
        if result != zero:
            form[key] = result
    return form


@cache
def _plan(type_name: str) -> Mapping[str, tuple[Normaliser, Value]]:
    """Return, for each field of a type, its normaliser and what counts as absence."""
    return {
        name: (_normaliser(shape), ABSENT if shape.pointer else _zero(shape))
        for name, shape in TYPES[type_name].items()
    }


def _zero(shape: Shape) -> Value:
    """Return the normal form of Go's zero value of a non-pointer field."""
    match shape:
        case Scalar(name=name):
            return ZEROS.get(name, ABSENT)
        case ListOf():
            return []
        case MapOf() | Structure():
            return {}
        case Either():
            return None


def _normaliser(shape: Shape) -> Normaliser:
    """Compile N for one field."""
    match shape:
        case Scalar(name=name):
            return SCALARS[name]
        case Structure(type=type_name):
            return lambda value: written_struct(value, type_name)
        case ListOf(item=item):
            return _list_normaliser(_normaliser(item), item)
        case MapOf(item=item):
            return _map_normaliser(_normaliser(item), item)
        case Either(shapes=shapes):
            by_shape = {each: _normaliser(each) for each in shapes}
            return lambda value: by_shape[shape_of(value, shape)](value)


def _list_normaliser(each: Normaliser, item: Shape) -> Normaliser:
    def normalise(value: Value) -> Value:
        if type(value) is not list:
            raise Malformed("expected a list, saw something else")
        return [each(v) if v is not None else _zero(item) for v in value]

    return normalise


def _map_normaliser(each: Normaliser, item: Shape) -> Normaliser:
    def normalise(value: Value) -> Value:
        if type(value) is not dict:
            raise Malformed("expected a map, saw something else")
        return {k: each(v) if v is not None else _zero(item) for k, v in value.items()}

    return normalise


def default_struct(form: Struct, type_name: str) -> None:
    """Apply D, the defaults of a type, then those of the types below it, in place.

    Parent first, as the server's generated ``SetObjectDefaults_*``. Structs that are
    no pointers are defaulted even where they are absent, as in Go.
    """
    if type_name in DEFAULTS:
        DEFAULTS[type_name](form)
    for name, shape, target in _defaulted_fields(type_name):
        value = form.get(name)
        if value is None and type(shape) is Structure and not shape.pointer:
            empty: Struct = {}
            default_struct(empty, target)
            if empty:
                form[name] = empty
        else:
            for struct in _structs(value, shape):
                default_struct(struct, target)


def _structs(value: Value, shape: Shape) -> list[Struct]:
    """Return the structs in a field: itself, or the items of its lists and maps."""
    match value, shape:
        case dict(), Structure():
            return [value]
        case list(), ListOf(item=item):
            return [struct for v in value for struct in _structs(v, item)]
        case dict(), MapOf(item=item):
            return [struct for v in value.values() for struct in _structs(v, item)]
        case _, Either() if value is not None:
            return _structs(value, shape_of(value, shape))
        case _:
            return []


@cache
def _defaulted_fields(type_name: str) -> tuple[tuple[str, Shape, str], ...]:
    """Return the fields below which some default applies, with the type they hold."""
    return tuple(
        (name, shape, target)
        for name, shape in TYPES[type_name].items()
        if (target := _target(shape)) in _types_with_defaults()
    )


@cache
def _types_with_defaults() -> frozenset[str]:
    """Return the types for which, or below which, some default applies."""
    reached = set(DEFAULTS)
    while True:
        more = {
            name
            for name, fields in TYPES.items()
            if name not in reached
            and any(_target(shape) in reached for shape in fields.values())
        }
        if not more:
            return frozenset(reached)
        reached |= more


def _target(shape: Shape) -> str:
    """Return the struct type that a field holds, through lists and maps, or ``""``."""
    match shape:
        case Either(shapes=shapes):  # at most one struct type among them
            return next(filter(None, map(_target, shapes)), "")
        case Structure(type=name):
            return name
        case ListOf(item=item) | MapOf(item=item):
            return _target(item)
        case Scalar():
            return ""
