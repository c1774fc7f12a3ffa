"""Where in an object stands a struct of which type."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
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
from countersign.binding.tree import find, token
from tests.support.apiserver import Tree

_PART = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Place:
    """A struct in an object.

    Attributes:
        type: A key of the type table.
        path: A JSON pointer.
    """

    type: str
    path: str

    @property
    def pattern(self) -> str:
        """The path without the numbers of list items, and so without their count."""
        return re.sub(r"/\d+(?=/|$)", "/*", self.path)


def places(tree: Tree) -> Iterator[Place]:
    """Yield every struct that an object has, itself first."""
    shape = Structure(pointer=False, type=kind_of(tree).type)
    yield from _places(tree, shape, "")


def _places(value: Any, shape: Shape, path: str) -> Iterator[Place]:
    match value, shape:
        case dict() | list(), Either():
            yield from _places(value, shape_of(value, shape), path)
        case dict(), Structure(type=name):
            yield Place(name, path)
            for field, below in TYPES[name].items():
                yield from _places(value.get(field), below, f"{path}/{field}")
        case list(), ListOf(item=item):
            for index, entry in enumerate(value):
                yield from _places(entry, item, f"{path}/{index}")
        case dict(), MapOf(item=item):
            for key, entry in value.items():
                yield from _places(entry, item, f"{path}/{token(key)}")
        case _:
            return


def fields(tree: Tree) -> Iterator[str]:
    """Yield, as ``TYPE.FIELD``, every field that an object sets."""
    for place in places(tree):
        struct = find(tree, place.path)
        yield from (f"{place.type}.{key}" for key, v in struct.items() if v is not None)


def target(shape: Shape) -> str:
    """Return the type of the structs in a field, through lists and maps, or ``""``."""
    match shape:
        case Structure(type=name):
            return name
        case ListOf(item=item) | MapOf(item=item):
            return target(item)
        case Either(shapes=shapes):
            return next(filter(None, map(target, shapes)), "")
        case Scalar():
            return ""


@cache
def below(type_name: str) -> frozenset[str]:
    """Return the types that a struct of a type can hold at any depth, itself too."""
    reached, fresh = {type_name}, [type_name]
    while fresh:
        targets = {target(shape) for shape in TYPES[fresh.pop()].values()}
        more = targets - reached - {""}
        reached |= more
        fresh += sorted(more)
    return frozenset(reached)


def shape_at(tree: Tree, path: str) -> tuple[str, str, Shape] | None:
    """Return (type, field, shape) of the field at a pointer; None if it is no field."""
    owner, shape = "", Structure(pointer=False, type=kind_of(tree).type)
    field = ""
    current: Shape = shape
    for part in path.split("/")[1:]:
        match current:
            case Structure(type=name) if part in TYPES[name]:
                owner, field, current = name, part, TYPES[name][part]
            case ListOf(item=item) | MapOf(item=item):
                field, current = f"{field}[]", item
            case _:
                return None
    return (owner, field, current) if owner else None


def pointer(field: str) -> str:
    """Write a field path of the server's (``spec.a[0].b[k]``) as a JSON pointer."""
    return "".join(
        f"/{token(plain or bracketed)}" for plain, bracketed in _PART.findall(field)
    )


def within(inner: str, outer: str) -> bool:
    """Tell whether a place is another, or lies in it."""
    return f"{inner}/".startswith(f"{outer}/")
