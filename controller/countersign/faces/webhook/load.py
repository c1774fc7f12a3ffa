"""How much is taken on at once: more is refused quickly, before memory runs out."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum


class Lane(Enum):
    """What is done with a request."""

    JUDGE = "judge"  # there is room for it
    SHED = "shed"  # its body is read, for its uid, and it is denied
    REFUSE = "refuse"  # not even that: nothing of it is read


class Load:
    """Counts requests and bytes in flight.

    Args:
        in_flight: Requests judged at once; as many again may be shed.
        body_bytes: Bodies held at once, of both.
    """

    def __init__(self, *, in_flight: int, body_bytes: int) -> None:
        self._limit = in_flight
        self._budget = body_bytes
        self._requests = 0
        self._bytes = 0

    @contextmanager
    def take(self, length: int) -> Iterator[Lane]:
        """Hold a place for a request with a body of `length` bytes.

        Yields:
            What is to be done with it. A place is held for what is not refused.
        """
        lane = self._lane(length)
        if lane is Lane.REFUSE:
            yield lane
            return
        self._requests += 1
        self._bytes += length
        try:
            yield lane
        finally:
            self._requests -= 1
            self._bytes -= length

    def _lane(self, length: int) -> Lane:
        if self._requests >= 2 * self._limit or self._bytes + length > self._budget:
            return Lane.REFUSE
        return Lane.SHED if self._requests >= self._limit else Lane.JUDGE
