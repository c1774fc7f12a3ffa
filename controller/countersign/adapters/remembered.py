"""What was read of objects, as long as they and what they name stay the same.

Every change of one policy makes a new book of all of them, before the next request is
judged. Reading is dear: with thousands of policies it takes seconds, and one change would
hold up all requests for as long.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from countersign.wire.resources.read import Invalid

_Key = tuple[str, str]
_Read = tuple[tuple[object, ...], Any]
T = TypeVar("T")


class Memory:
    """Outcomes of reading, failures too, of the last two rounds."""

    def __init__(self) -> None:
        self._before: dict[_Key, _Read] = {}
        self._now: dict[_Key, _Read] = {}

    def turn(self) -> None:
        """Begin a round; what is not asked for in it is forgotten at its end."""
        self._before, self._now = self._now, {}

    def read(self, key: _Key, given: tuple[object, ...], read: Callable[[], T]) -> T:
        """Return what `read` returns, or returned in the last round for the same.

        Args:
            key: What is read, and of which object.
            given: All that the outcome depends on.
            read: Raises nothing but `Invalid`.

        Raises:
            Invalid: as `read`, or as it did then.
        """
        found = self._before.get(key)
        if found is None or not _same(found[0], given):
            found = given, _outcome(read)
        self._now[key] = found
        if isinstance(found[1], _Failed):
            raise Invalid(found[1].problems)
        return cast("T", found[1])  # what `read` of this key returns


class _Failed:
    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems


def _outcome(read: Callable[[], object]) -> object:
    try:
        return read()
    except Invalid as error:
        return _Failed(tuple(error.problems))


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    # mostly the very same; equal ones after a new list
    return all(a is b or a == b for a, b in zip(one, other, strict=True))
