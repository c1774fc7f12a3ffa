"""The normal form: what two objects are compared in.

``normal_form(o) = D(N(strip(o)))``:

* *strip* takes away what only the server owns;
* *N* mirrors Go's decoder: null and zero values that cannot be told from absence go,
  quantities, base64 and times get one spelling. Driven by the type table alone, never
  by a value: an empty string in a map is a value;
* *D* fills what is absent with the API server's own defaults (`defaults`).

All of it is applied to both sides of a comparison. So adding a field at its default
value changes nothing, and adding any other value is a difference. Nothing is ignored.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from countersign.binding.defaults import DEFAULTS
from countersign.binding.masking import masked_part
from countersign.binding.scalars import SCALARS, ZEROS
from countersign.binding.tables import (
    TYPES,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
    kind_key,
    kind_of,
)
from countersign.binding.tree import ABSENT, Struct, Value
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

OWN_PREFIX = "countersign.dev/"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SERVER_OWNED = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""Metadata that the server fills and no client can choose."""

Normaliser: TypeAlias = Callable[[Value], Value]


def normal_form(tree: Tree, *, own: bool = False) -> Struct:
    """Return the normal form of an object, as a new tree that has ``metadata``.

    Args:
        tree: An object of a supported kind; a masked Secret keeps its ``data`` and
            ``salt`` as they are.
        own: Keep our own annotations, which are no part of what is signed.

    Raises:
        Malformed: the kind is not supported, a value has not its field's type, or the
            object is nested too deeply.
    """
    return apply_defaults(tree, written_form(tree, own=own))


def written_form(tree: Tree, *, own: bool = False) -> Struct:
    """Return N(strip(tree)): what is written in it, without the server's defaults.

    Raises:
        Malformed: as `normal_form`.
    """
    kind, masked = kind_of(tree), masked_part(tree)
    plain = {k: v for k, v in tree.items() if k not in masked} if masked else tree
    try:
        form = _struct(_strip(plain, status=kind.status, own=own), kind.type)
    except RecursionError as error:
        raise Malformed("expected an object, saw one nested too deeply") from error
    return {"metadata": {}, **form, **masked}


def apply_defaults(tree: Tree, form: Struct) -> Struct:
    """Apply the server's defaults for the kind of `tree` to `form`, in place."""
    _default(form, kind_of(tree).type)
    return form


def _strip(tree: Tree, *, status: bool, own: bool) -> Struct:
    """Return a shallow copy without what only the server owns."""
    kept: Struct = {k: v for k, v in tree.items() if k != "status" or not status}
    metadata = kept.get("metadata") or {}
    if type(metadata) is not dict:
        raise Malformed(f"{kind_key(tree)}: expected metadata to be an object")
    metadata = {k: v for k, v in metadata.items() if k not in SERVER_OWNED}
    annotations = metadata.get("annotations")
    if type(annotations) is dict:
        metadata["annotations"] = {
            key: value
            for key, value in annotations.items()
            if key != LAST_APPLIED and (own or not key.startswith(OWN_PREFIX))
        }
    kept["metadata"] = metadata
    return kept


def _struct(value: Value, type_name: str) -> Struct:
    """N of a struct: zeros of non-pointers are absence, unknown fields stay."""
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


def _normaliser(shape: Shape) -> Normaliser:
    """Compile N for one field."""
    match shape:
        case Scalar(name=name):
            return SCALARS[name]
        case Structure(type=type_name):
            return lambda value: _struct(value, type_name)
        case ListOf(item=item):
            return _list_normaliser(_normaliser(item), item)
        case MapOf(item=item):
            return _map_normaliser(_normaliser(item), item)


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


def _default(form: Value, type_name: str) -> None:
    """D: the defaults of a type, then those of the types below it, in place.

    Parent first, as the server's generated ``SetObjectDefaults_*``. Structs that are
    no pointers are defaulted even where they are absent, as in Go.
    """
    if type_name in DEFAULTS:
        DEFAULTS[type_name](form)
    for name, shape, target in _defaulted_fields(type_name):
        value = form.get(name)
        if value is None and type(shape) is Structure and not shape.pointer:
            empty: Struct = {}
            _default(empty, target)
            if empty:
                form[name] = empty
        else:
            for struct in _structs(value, shape):
                _default(struct, target)


def _structs(value: Value, shape: Shape) -> list[Struct]:
    """Return the structs in a field: itself, or the items of its lists and maps."""
    match value, shape:
        case dict(), Structure():
            return [value]
        case list(), ListOf(item=item):
            return [struct for v in value for struct in _structs(v, item)]
        case dict(), MapOf(item=item):
            return [struct for v in value.values() for struct in _structs(v, item)]
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
        case Structure(type=name):
            return name
        case ListOf(item=item) | MapOf(item=item):
            return _target(item)
        case Scalar():
            return ""
