"""Walks over JSON trees."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson

Value: TypeAlias = (
    Any  # one JSON value, or its normal form; shapes are in the type table
)
Struct: TypeAlias = dict[str, Any]  # a JSON object


class Absent:
    """Stands where a tree has nothing; null is a value. False, as nothing is."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


def token(key: str) -> str:
    """Write `key` as a reference token of a JSON pointer (RFC 6901, section 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def as_bytes(tree: Value) -> bytes | None:
    """Return a tree as JSON, quickly, keys in their order; None: it is none.

    Trees with the same bytes are the same, types of values included.
    """
    try:
        return orjson.dumps(tree)
    except TypeError:
        return None


def without_nulls(tree: Value) -> Value:
    """Return a tree without the nulls of its objects; `tree` itself if it has none.

    Nulls in lists stand for elements, and stay.
    """
    if type(tree) is dict:
        items = {k: without_nulls(v) for k, v in tree.items() if v is not None}
        same = len(items) == len(tree) and all(items[k] is tree[k] for k in items)
        return tree if same else items
    if type(tree) is list:
        made = [without_nulls(item) for item in tree]
        return tree if all(a is b for a, b in zip(made, tree, strict=True)) else made
    return tree


def differences(
    one: Value, other: Value, path: str = ""
) -> Iterator[tuple[str, Value, Value]]:
    """Yield the deepest places where two trees differ, as (pointer, one's, other's).

    Types count, as JSON knows them: true is not 1, 80 is not "80"; 1.0 is 1. In place
    of what one of the two does not have stands `ABSENT`.
    """
    if type(one) is dict and type(other) is dict:
        for key in one.keys() | other.keys():
            left, right = one.get(key, ABSENT), other.get(key, ABSENT)
            yield from differences(left, right, f"{path}/{token(key)}")
    elif type(one) is list and type(other) is list:
        yield from _list_differences(one, other, path)
    elif one != other or (type(one) is bool) is not (type(other) is bool):
        yield path, one, other


def _list_differences(
    one: list[Value], other: list[Value], path: str
) -> Iterator[tuple[str, Value, Value]]:
    """Compare by position; of lists of different length name what was put in or out.

    Order counts everywhere: in arguments, and in environments, where one variable may
    use those before it.
    """
    if len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{path}/{index}")
        return
    shorter, longer = sorted((one, other), key=len)
    start = 0
    while start < len(shorter) and one[start] == other[start]:
        start += 1
    extra = len(longer) - len(shorter)
    if shorter[start:] != longer[start + extra :]:
        yield path, one, other
        return
    for index in range(start, start + extra):
        left = longer[index] if longer is one else ABSENT
        right = longer[index] if longer is other else ABSENT
        yield f"{path}/{index}", left, right


def find(tree: Value, path: str) -> Value:
    """Return what `tree` has at the JSON pointer `path`, or `ABSENT`."""
    for part in path.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if type(tree) is dict:
            tree = tree.get(key, ABSENT)
        elif type(tree) is list and key.isdecimal() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return ABSENT
    return tree


def put(tree: Value, path: str, value: Value) -> None:
    """Write `value` at the JSON pointer `path`, making objects on the way.

    A place in a list that is not there is left alone.
    """
    *way, last = (
        part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]
    )
    for key in way:
        if type(tree) is dict:
            tree = tree.setdefault(key, {})
        elif type(tree) is list and key.isdecimal() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return
    if type(tree) is dict:
        tree[last] = value
    elif type(tree) is list and last.isdecimal() and int(last) < len(tree):
        tree[int(last)] = value
