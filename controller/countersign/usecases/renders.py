"""Renders: whether a template gives the same objects each time.

What is installed is rendered anew, so what differs from one rendering to the next is
never what was signed. Compared is what templates say: how it is spelt, and the order of
keys and documents, count for nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from countersign.binding.masking import is_secret
from countersign.binding.smallest import smallest
from countersign.binding.tree import ABSENT, Value, find
from countersign.core.types.artifacts import Tree
from countersign.usecases.prepare import name_of

_Key = tuple[str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Unstable:
    """One place that differs from one rendering to another.

    Attributes:
        about: Kind and name of the object.
        path: JSON pointer; ``""``: the object is only there at times.
        first: Value in the one rendering; None: nothing. Of Secrets never known.
        other: Value in the other.
        secret: The values are a Secret's, and left out.
        reordered: Lists of the same items.
    """

    about: str
    path: str
    first: Value = None
    other: Value = None
    secret: bool = False
    reordered: bool = False


def unstable(renders: Sequence[Sequence[Tree]]) -> tuple[Unstable, ...]:
    """Return where renderings differ from the first one, each place once.

    Objects are known by kind, namespace and name, those of one name by their order.

    Args:
        renders: The objects of each rendering, at least one.
    """
    first, *others = [_by_name(trees) for trees in renders]
    found = {
        (one.about, one.path): one for other in others for one in _between(first, other)
    }
    return tuple(found[key] for key in sorted(found))


def _by_name(trees: Sequence[Tree]) -> Mapping[_Key, Tree]:
    made: dict[_Key, Tree] = {}
    for tree in trees:
        what = (
            str(tree.get("apiVersion")),
            str(tree.get("kind")),
            str(find(tree, "/metadata/namespace") or ""),
            str(find(tree, "/metadata/name") or find(tree, "/metadata/generateName")),
        )
        number = sum(key[:4] == what for key in made)
        made[(*what, number)] = tree
    return made


def _between(
    first: Mapping[_Key, Tree], other: Mapping[_Key, Tree]
) -> Iterator[Unstable]:
    for key in first.keys() ^ other.keys():
        yield Unstable(name_of(first.get(key) or other[key]), "")
    for key in first.keys() & other.keys():
        one, same = first[key], other[key]
        hidden = is_secret(one) or is_secret(same)
        for place in smallest(one, same):
            yield Unstable(
                name_of(one),
                place.path,
                first=None if hidden or place.one is ABSENT else place.one,
                other=None if hidden or place.other is ABSENT else place.other,
                secret=hidden,
                reordered=place.reordered,
            )
