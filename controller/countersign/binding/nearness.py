"""How far an object is from what an intent says: a guess, to look at the nearest first.

An object at the API server has all that its author wrote, and more. So what is written
in an intent and not found in the object counts. That costs microseconds, where `match`
costs a millisecond; it decides nothing.
"""

from typing import Final

import orjson

from countersign.binding.masking import is_secret, mask, salt_of
from countersign.binding.tree import ABSENT, Value, find
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

FAR: Final = 16
"""Places at which counting ends; what cannot be compared is as far away."""

_TEMPLATE: Final = "/spec/template"


def distance(intent: bytes, tree: Tree) -> int:
    """Return in how many places `tree` has not what `intent` says, at most `FAR`.

    Args:
        intent: Claims to be canonical JSON.
        tree: An object of its kind, or one that a controller made of it: then their
            Pod templates are compared.
    """
    try:
        said = orjson.loads(intent)
        if type(said) is not dict:
            return FAR
        if said.get("kind") != tree.get("kind"):
            return _missing(find(said, _TEMPLATE), find(tree, _TEMPLATE), FAR)
        salt = salt_of(said) if is_secret(said) else None
        seen = tree if salt is None else mask(tree, salt)
        return _missing(said, seen, FAR)
    except (Malformed, ValueError, RecursionError):
        return FAR


def _missing(said: Value, seen: Value, left: int) -> int:
    """Count what is said and not seen, at most `left`."""
    if left <= 0 or (said == seen and type(said) is type(seen)):
        return 0
    if type(said) is dict and type(seen) is dict:
        pairs = [(value, seen.get(key, ABSENT)) for key, value in said.items()]
    elif type(said) is list and type(seen) is list:
        short = max(len(said) - len(seen), 0)
        rest = [*seen, *[ABSENT] * short]
        pairs = list(zip(said, rest, strict=False))
    else:
        return 1
    count = 0
    for one, other in pairs:
        count += _missing(one, other, left - count)
        if count >= left:
            break
    return count
