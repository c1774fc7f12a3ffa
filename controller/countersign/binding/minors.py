"""What an older Kubernetes does not know of an object.

A server drops in silence the fields that it does not know: the object then is not what
was signed, and is denied. So whoever signs should hear of it before. Fields that a server
knows, but drops since a feature is turned off, are another matter: no table has those.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from countersign.binding.tables import (
    TABLES,
    TYPES,
    Either,
    ListOf,
    MapOf,
    Shape,
    Structure,
    kind_key,
    shape_of,
)
from countersign.binding.tree import Value, token
from countersign.binding.typefiles import TypeTable
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

MINORS: Final = tuple(table.minor for table in TABLES)
"""The minors that there are tables of, the newest first."""


def unknown_to(minor: str, tree: Tree) -> tuple[str, ...]:
    """Return where an object says what servers of a minor do not know.

    Args:
        minor: As in ``1.34``. For one that there is no table of, the nearest older one
            answers, for one before all the oldest.
        tree: An object of a built-in kind, as its author wrote it. What has a wrong
            type is passed over: others say so.

    Returns:
        JSON pointers in the order of the object; an empty pointer, which is the whole
        of it: the server does not serve this version of the kind.

    Raises:
        Malformed: no apiVersion or kind, or `minor` is no version.
    """
    table = _nearest(minor)
    kind = table.kinds.get(kind_key(tree))
    if kind is None:
        return ("",)
    return tuple(_unknown(tree, Structure(pointer=False, type=kind["type"]), "", table))


def _nearest(minor: str) -> TypeTable:
    asked = _number(minor)
    return next((t for t in TABLES if _number(t.minor) <= asked), TABLES[-1])


def _number(minor: str) -> tuple[int, int]:
    major, _, rest = minor.partition(".")
    try:
        return int(major), int(rest)
    except ValueError as error:
        raise Malformed(f"expected a minor such as 1.37, saw {minor[:40]!r}") from error


def _unknown(value: Value, shape: Shape, path: str, table: TypeTable) -> Iterator[str]:
    match value, shape:
        case dict(), Structure(type=name):
            yield from _in_struct(value, name, path, table)
        case list(), ListOf(item=item):
            for index, below in enumerate(value):
                yield from _unknown(below, item, f"{path}/{index}", table)
        case dict(), MapOf(item=item):
            for key, below in value.items():
                yield from _unknown(below, item, f"{path}/{token(key)}", table)
        case ((dict() | list()), Either()):
            try:
                yield from _unknown(value, shape_of(value, shape), path, table)
            except Malformed:
                return
        case _:
            return


def _in_struct(
    value: Mapping[str, Value], name: str, path: str, table: TypeTable
) -> Iterator[str]:
    known = table.types.get(name, {})
    for key, below in value.items():
        where = f"{path}/{token(key)}"
        if below is None:
            continue
        if key not in known:
            yield where
        else:
            yield from _unknown(below, TYPES[name][key], where, table)
