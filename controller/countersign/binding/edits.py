"""What an UPDATE changes, and the forms that a permitted change may take."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from countersign.binding.scalars import decode_base64
from countersign.binding.tree import ABSENT, Struct, Value, differences, token
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

Change: TypeAlias = tuple[str, Value, Value]
Form: TypeAlias = Callable[[Value, Value], bool]

_BOOKKEEPING = frozenset(
    {
        "/metadata/generation",
        "/metadata/managedFields",
        "/metadata/resourceVersion",
    }
)
"""What the server counts, and what it remembers of who wrote what."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A place that may change, and how.

    Attributes:
        path: JSON pointer; maps are told apart by key, lists are one value.
        form: Tells whether the step from the value before to the value after may be
            taken; `ABSENT` stands for nothing.
    """

    path: str
    form: Form

    def allows(self, change: Change) -> bool:
        """Tell whether `change` is this edit."""
        path, before, after = change
        return path == self.path and self.form(before, after)


def changes(old: Tree, new: Tree, path: str = "") -> Iterator[Change]:
    """Yield each place where two states of an object differ, as the server wrote them.

    Maps are compared key by key, lists as one value. What the server counts by itself
    is left out.
    """
    for key in sorted(old.keys() | new.keys()):
        where = f"{path}/{token(key)}"
        before: Value = old.get(key, ABSENT)
        after: Value = new.get(key, ABSENT)
        if where in _BOOKKEEPING:
            continue
        maps = _maps(before, after)
        if maps and any(maps):
            yield from changes(*maps, where)
        elif next(differences(before, after), None) is not None:
            yield where, before, after


def _maps(before: Value, after: Value) -> tuple[Struct, Struct] | None:
    """Return both as maps, nothing as an empty one; None if one is anything else."""
    sides = [{} if side is ABSENT else side for side in (before, after)]
    if not all(type(side) is dict for side in sides):
        return None
    return sides[0], sides[1]


# Forms. Each is harmless whoever makes the step.

NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
NUMBERS = re.compile(rf"({NUMBER.pattern})(,({NUMBER.pattern}))*")
TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
HASH = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{1,10}")
"""Of a template, as names and labels have it: ``rand.SafeEncodeString`` of 32 bits."""
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def written(pattern: re.Pattern[str]) -> Form:
    """Allow a text of that form to appear, or to take the place of another."""
    return lambda _, after: type(after) is str and pattern.fullmatch(after) is not None


def filled(pattern: re.Pattern[str]) -> Form:
    """Allow a text of that form to appear where nothing was."""
    return lambda before, after: (
        before is ABSENT and type(after) is str and pattern.fullmatch(after) is not None
    )


def filled_bytes(before: Value, after: Value) -> bool:
    """Allow base64 to appear where nothing was."""
    if before is not ABSENT or type(after) is not str:
        return False
    try:
        decode_base64(after)
    except Malformed:
        return False
    return True


def count(_: Value, after: Value) -> bool:
    """Allow any number from zero up."""
    return type(after) is int and after >= 0


def removes(*names: str) -> Form:
    """Allow some of these names to go from a list; all others stay, in their order."""

    def form(before: Value, after: Value) -> bool:
        had, has = _list(before), _list(after)
        if had is None or has is None:
            return False
        return has == [name for name in had if name not in names or name in has]

    return form


def toggles(name: str) -> Form:
    """Allow one name to come into or go from a list; all others stay, in their order."""

    def form(before: Value, after: Value) -> bool:
        had, has = _list(before), _list(after)
        if had is None or has is None:
            return False
        return [n for n in had if n != name] == [n for n in has if n != name]

    return form


def lets_owners_go(before: Value, after: Value) -> bool:
    """Allow owners to be removed, or not to block their owner's deletion any more."""
    had, has = _list(before), _list(after)
    if had is None or has is None:
        return False
    left = iter(had)
    return all(
        any(kept in (owner, owner | {"blockOwnerDeletion": False}) for owner in left)
        for kept in has
    )


def _list(value: Value) -> list[Value] | None:
    """Return a list, nothing as an empty one; None if it is anything else."""
    if value is ABSENT:
        return []
    return value if type(value) is list else None
