"""The smallest differences of two trees, for people: an insertion is not a rewrite.

`tree.differences` decides whether trees are equal; this says the same in fewer words.
Order counts there and here: a list with the same items in another order is one
difference.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from countersign.binding.tree import ABSENT, Struct, Value, as_bytes, differences, token

_MAX_ALIGNED = 300  # items; longer lists are compared by position
_KEYS = ("name", "mountPath", "containerPort", "port", "key", "ip", "uid")
"""What names an item of a list, as the server's merges have it; the first that all have."""

_MAPS = ("/annotations", "/labels", "/matchLabels", "/nodeSelector", "/data")
"""Fields whose entries are each a thing of its own, even where all are new."""


class Place(NamedTuple):
    """One place where two trees differ.

    Attributes:
        path: JSON pointer; into the other tree, unless only the first has the value.
        one: The first tree's value, or `ABSENT`.
        other: The second's.
        reordered: Both are lists of the same items.
    """

    path: str
    one: Value
    other: Value
    reordered: bool = False


def smallest(one: Value, other: Value, path: str = "") -> Iterator[Place]:
    """Yield the smallest places where two trees differ; none if and only if equal."""
    if type(one) is dict and type(other) is dict:
        for key in one.keys() | other.keys():
            left, right = one.get(key, ABSENT), other.get(key, ABSENT)
            yield from smallest(left, right, f"{path}/{token(key)}")
    elif type(one) is list and type(other) is list:
        yield from _of_lists(one, other, path)
    elif path.endswith(_MAPS) and (one is ABSENT or other is ABSENT):
        yield from (
            smallest(one or {}, other or {}, path)
            if one or other
            else [Place(path, one, other)]
        )
    else:
        yield from (Place(*found) for found in differences(one, other, path))


def _of_lists(one: list[Value], other: list[Value], path: str) -> Iterator[Place]:
    if next(differences(one, other), None) is None:
        return
    texts = [[as_bytes(item) or b"" for item in items] for items in (one, other)]
    if sorted(texts[0]) == sorted(texts[1]):
        yield Place(path, one, other, reordered=True)
    elif max(len(one), len(other)) > _MAX_ALIGNED:
        yield from (Place(*found) for found in differences(one, other, path))
    elif key := _key_of([*one, *other], one, other):
        yield from _by_key(one, other, path, key)
    else:
        yield from _by_place(one, other, path, *texts)


def _key_of(items: list[Value], one: list[Value], other: list[Value]) -> str:
    """Return the field by which the items of both lists are told apart, or ``""``."""
    if not all(type(item) is dict for item in items):
        return ""
    for key in _KEYS:
        if all(type(item.get(key)) in (str, int) for item in items):
            names = [[item[key] for item in side] for side in (one, other)]
            if all(len(set(side)) == len(side) for side in names):
                return key
    return ""


def _by_key(
    one: list[Struct], other: list[Struct], path: str, key: str
) -> Iterator[Place]:
    left = {item[key]: (i, item) for i, item in enumerate(one)}
    right = {item[key]: (i, item) for i, item in enumerate(other)}
    both = [name for name in left if name in right]
    if both != [name for name in right if name in left]:
        yield Place(path, [*left], [*right], reordered=True)
    for name, (index, item) in left.items():
        if name not in right:
            yield Place(f"{path}/{index}", item, ABSENT)
    for name, (index, item) in right.items():
        before = left[name][1] if name in left else ABSENT
        yield from smallest(before, item, f"{path}/{index}")


def _by_place(
    one: list[Value],
    other: list[Value],
    path: str,
    left: list[bytes],
    right: list[bytes],
) -> Iterator[Place]:
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        paired = min(i_end - i, j_end - j)
        for step in range(paired):
            yield from smallest(one[i + step], other[j + step], f"{path}/{j + step}")
        for gone in range(i + paired, i_end):
            yield Place(f"{path}/{gone}", one[gone], ABSENT)
        for come in range(j + paired, j_end):
            yield Place(f"{path}/{come}", ABSENT, other[come])
