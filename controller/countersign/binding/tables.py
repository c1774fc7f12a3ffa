"""The generated type table: which kinds there are, and what each field holds.

There is a table of each supported minor (`typefiles`). Objects are read by all of them
together, whichever server they come from: no field has ever changed what it holds, which
a test proves for each pair of minors, so a newer table reads an older server's objects
right, and fields that came and went are those of the minors that had them. What an older
server does not know is asked of `minors`. An object of a server that is newer than all
tables, and uses what only that one knows, is denied, never admitted by mistake.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Final, TypeAlias

from countersign.binding import typefiles
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree


@dataclass(frozen=True, slots=True)
class Scalar:
    """A field read as one value: a string, a bool, a quantity and so on.

    Attributes:
        pointer: The Go field is a pointer, so that its zero differs from absence.
        name: As in the table.
    """

    pointer: bool
    name: str


@dataclass(frozen=True, slots=True)
class Structure:
    """A field that holds a struct; `type` is a key of `TYPES`."""

    pointer: bool
    type: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A field that holds a list."""

    pointer: bool
    item: "Shape"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A field that holds a map from strings."""

    pointer: bool
    item: "Shape"


@dataclass(frozen=True, slots=True)
class Either:
    """A field that holds one of several things, told apart by what JSON has there.

    Of CustomResourceDefinitions' schemas: `additionalProperties` is a schema or a bool,
    `items` a schema or a list of them, `dependencies` maps to a schema or strings.
    """

    pointer: bool
    shapes: tuple["Shape", ...]


Shape: TypeAlias = Scalar | Structure | ListOf | MapOf | Either


def shape_of(value: object, either: Either) -> Shape:
    """Return the one of several shapes that a value claims to have.

    Raises:
        Malformed: It can have none of them.
    """
    for shape in either.shapes:
        if type(value) is _JSON[type(shape)]:
            return shape
    raise Malformed("expected one of the forms of this field, saw another")


_JSON: Mapping[type, type] = {Structure: dict, ListOf: list, MapOf: dict, Scalar: bool}
"""What the alternatives of an `Either` are in JSON; its only scalar is a bool."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that binding understands.

    Attributes:
        type: Its Go type, a key of `TYPES`.
        namespaced: Its objects live in namespaces.
        status: Its status is a subresource: the server ignores it in the object.
        resource: As it is asked for, in the plural; empty if its objects exist only in
            subresources of others.
        listed: Its objects are stored and can be listed; reviews are answered only.
    """

    type: str
    namespaced: bool
    status: bool
    resource: str
    listed: bool


@cache  # the same few hundred texts, again and again
def parse_shape(text: str) -> Shape:
    """Read a shape: ``*T``, ``[]T``, ``map[string]T``, ``(T|U)``, ``T``."""
    pointer, bare = text.startswith("*"), text.removeprefix("*")
    if bare.startswith("("):
        return Either(pointer, tuple(map(parse_shape, bare[1:-1].split("|"))))
    if bare.startswith("[]"):
        return ListOf(pointer, parse_shape(bare[2:]))
    if bare.startswith("map[string]"):
        return MapOf(pointer, parse_shape(bare.removeprefix("map[string]")))
    return Structure(pointer, bare) if "." in bare else Scalar(pointer, bare)


TABLES: Final = typefiles.load()
"""What each supported minor knows, the newest first."""


MINOR: Final = TABLES[0].minor
KINDS: Mapping[str, Kind] = {
    name: Kind(**described)
    for name, described in reduce(
        typefiles.patched, (table.kinds for table in reversed(TABLES))
    ).items()
}
TYPES: Mapping[str, Mapping[str, Shape]] = {
    name: {field: parse_shape(text) for field, text in fields.items()}
    for name, fields in reduce(
        typefiles.patched, (table.types for table in reversed(TABLES))
    ).items()
}


def stored() -> Iterator[tuple[str, str, str, Kind]]:
    """Yield (group, version, kind, what is known) of the kinds that any server stores.

    Each once, in its newest stable version. Left out is what only some minors have, and
    what has no stable version: that is off unless somebody turns it on.
    """
    for key, kind in KINDS.items():
        group_version, _, name = key.rpartition("/")
        group, _, version = group_version.rpartition("/")
        if (
            kind.listed
            and _STABLE.fullmatch(version)
            and key not in _OLDER
            and all(key in table.kinds for table in TABLES)
        ):
            yield group, version, name, kind


_STABLE = re.compile(r"v\d+")
_OLDER = frozenset({"autoscaling/v1/HorizontalPodAutoscaler"})
"""Stable versions of which there is a newer one; a test finds every other."""


def kind_key(tree: Tree) -> str:
    """Return ``apiVersion/kind`` of an object, whether or not it is supported.

    Raises:
        Malformed: one of the two is missing or no string.
    """
    version, kind = tree.get("apiVersion"), tree.get("kind")
    if type(version) is not str or type(kind) is not str or "/" in kind:
        raise Malformed("expected apiVersion and kind, saw an object without")
    return f"{version}/{kind}"


def supported(tree: Tree) -> bool:
    """Tell whether binding can judge an object of this version and kind at all."""
    return kind_key(tree) in KINDS


def kind_of(tree: Tree) -> Kind:
    """Return what is known about the kind of an object.

    Raises:
        Malformed: no apiVersion or kind, or a kind that is not supported.
    """
    key = kind_key(tree)
    try:
        return KINDS[key]
    except KeyError as error:
        raise Malformed(f"unsupported kind {key[:120]}") from error
