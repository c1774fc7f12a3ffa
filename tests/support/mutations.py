"""Every manifest that is one step away from a given one, as the type table knows steps."""

from collections.abc import Iterator
from typing import Any

from countersign.binding.tables import (
    TYPES,
    Either,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Structure,
    kind_of,
    shape_of,
)
from countersign.binding.tree import ABSENT, token
from tests.support.trees import having

Tree = dict[str, Any]
Step = tuple[str, Any]  # a place, and what to put there; ABSENT removes it

_ZEROS: dict[str, Any] = {
    "any": {},
    "bool": False,
    "bytes": "",
    "float": 0,
    "int": 0,
    "intOrString": 0,
    "microTime": None,
    "milliQuantity": "0",
    "quantity": "0",
    "string": "",
    "time": None,
}
_OTHERS: dict[str, tuple[Any, ...]] = {
    "any": ({"a": 1},),
    "bool": (True,),
    "bytes": ("AAEC",),
    "float": (1, 0.5),
    "int": (1, 7),
    "intOrString": (3, "30%", "named"),
    "microTime": ("2026-01-02T03:04:05.000006Z",),
    "milliQuantity": ("0.0001", "3", "1.5Gi"),
    "quantity": ("0.0001", "3", "1.5Gi"),
    "string": ("x", "Always", "TCP"),
    "time": ("2026-01-02T03:04:05Z",),
}
_RESPELLED = {"100m": "0.1", "1Gi": "1024Mi", "1.5Gi": "1536Mi", "128Mi": "131072Ki"}
_IDENTITY = frozenset(
    {"/apiVersion", "/kind", "/metadata", "/metadata/name", "/metadata/namespace"}
)
_DEPTH = 3  # of absent structs that are filled in


def steps(manifest: Tree) -> list[Step]:
    """Return every change of one place, for `stepped`.

    Fields that are there are removed, nulled, zeroed and changed, lists reordered and
    lengthened; fields of the type table that are not there get null, zero and others.
    """
    shape = Structure(pointer=False, type=kind_of(manifest).type)
    return [
        (path, value)
        for path, value in _steps(manifest, shape, "", _DEPTH)
        if path not in _IDENTITY and not path.startswith("/status")
    ]


def stepped(manifest: Tree, step: Step) -> Tree:
    """Return a copy of a manifest after one step."""
    return having(manifest, *step)


def _steps(value: Any, shape: Shape, path: str, depth: int) -> Iterator[Step]:
    """Yield (place, what to put there) for a value that is there."""
    if isinstance(value, str) and value in _RESPELLED:
        yield path, _RESPELLED[value]
    match shape:
        case Scalar(name=name):
            yield from ((path, other) for other in _others(name) if other != value)
        case Structure(type=type_name):
            yield from _struct_steps(value or {}, type_name, path, depth)
        case Either():
            yield from _steps(value, shape_of(value, shape), path, depth)
        case ListOf(item=item):
            yield from _list_steps(value or [], item, path, depth)
        case MapOf(item=item):
            yield from _map_steps(value or {}, item, path, depth)


def _struct_steps(value: Tree, type_name: str, path: str, depth: int) -> Iterator[Step]:
    for field, shape in TYPES[type_name].items():
        where = f"{path}/{field}"
        yield where, None
        if value.get(field) is not None:
            yield where, ABSENT
            yield from _steps(value[field], shape, where, depth)
        elif depth:
            yield from ((where, v) for v in _samples(shape, depth))


def _list_steps(value: list[Any], item: Shape, path: str, depth: int) -> Iterator[Step]:
    yield path, []
    yield path, [*value, None]
    yield path, [*value, *value[-1:]]
    yield path, value[::-1]
    yield from ((path, [*value, v]) for v in _samples(item, 1))
    for index, entry in enumerate(value):
        yield f"{path}/{index}", ABSENT
        yield f"{path}/{index}", None
        yield from _steps(entry, item, f"{path}/{index}", depth)


def _map_steps(value: Tree, item: Shape, path: str, depth: int) -> Iterator[Step]:
    yield path, {}
    yield path, {**value, "added": None}
    yield from ((path, {**value, "added": v}) for v in _samples(item, 1))
    for key, entry in value.items():
        where = f"{path}/{token(key)}"
        yield where, ABSENT
        yield where, None
        yield from _steps(entry, item, where, depth)


def _others(name: str) -> tuple[Any, ...]:
    return (_ZEROS[name], *_OTHERS[name])


def _samples(shape: Shape, depth: int) -> Iterator[Any]:
    """Yield values for a field that is not there: its zero, and some others."""
    match shape:
        case Scalar(name=name):
            yield from _others(name)
        case ListOf(item=item):
            yield []
            yield from ([v] for v in _samples(item, depth - 1))
        case MapOf(item=item):
            yield {}
            yield from ({"added": v} for v in _samples(item, depth - 1))
        case Either(shapes=shapes):
            for each in shapes:
                yield from _samples(each, depth)
        case Structure(type=type_name):
            yield {}
            if depth > 1:
                for field, below in TYPES[type_name].items():
                    yield from ({field: v} for v in _samples(below, depth - 1))
