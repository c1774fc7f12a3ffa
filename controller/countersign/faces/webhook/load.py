"""How much is taken on at once: more waits its turn, and beyond that is refused quickly.

A burst is no attack: hundreds of requests at once, as a rollout or a full apply makes
them, are judged one after the other within their time. What bounds memory is the number
of those who wait and the bytes of their bodies.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

_WAITING = 16  # times as many as are judged at once
_SMALL = 64 << 10  # bytes: bodies that need no place, since their number is bounded


class Room:
    """A number of places, given in the order in which they were asked for.

    Args:
        places: How many there are.
    """

    def __init__(self, places: int) -> None:
        self._most = self._free = places
        self._asked: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def take(self, count: int, patience_s: float) -> AsyncIterator[None]:
        """Hold `count` places, or all where that is more than there are.

        Raises:
            TimeoutError: They were not free in time.
        """
        wanted = min(count, self._most)
        await self._wait(wanted, patience_s)
        try:
            yield
        finally:
            self._give(wanted)

    async def _wait(self, wanted: int, patience_s: float) -> None:
        if not self._asked and wanted <= self._free:
            self._free -= wanted
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append((wanted, turn))
        try:
            async with asyncio.timeout(patience_s):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it came as the time was over
                self._give(wanted)
            else:
                self._asked.remove((wanted, turn))
                self._give(0)  # whoever is behind may need less
            raise

    def _give(self, count: int) -> None:
        self._free += count
        while self._asked and self._asked[0][0] <= self._free:
            wanted, turn = self._asked.popleft()
            if not turn.cancelled():
                self._free -= wanted
                turn.set_result(None)


class Load:
    """Counts requests and bytes in flight.

    Args:
        in_flight: Requests judged at once; `_WAITING` times as many may wait.
        body_bytes: Bodies held at once, not counting small ones.

    Attributes:
        here: Requests that are waiting or judged now.
        came: Requests that there were room for, ever.
    """

    def __init__(self, *, in_flight: int, body_bytes: int) -> None:
        self._most = (1 + _WAITING) * in_flight
        self.here = self.came = 0
        self._turns = Room(in_flight)
        self._bodies = Room(body_bytes)

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """Count a request while the block lasts; yield whether there is room for it."""
        if self.here >= self._most:
            yield False
            return
        self.here += 1
        self.came += 1
        try:
            yield True
        finally:
            self.here -= 1

    @asynccontextmanager
    async def body(self, length: int, patience_s: float) -> AsyncIterator[None]:
        """Hold room for a body of `length` bytes. Those that are small always have it.

        Raises:
            TimeoutError: There was none in time.
        """
        if length <= _SMALL:  # not behind a large one that waits
            yield
            return
        async with self._bodies.take(length, patience_s):
            yield

    @asynccontextmanager
    async def turn(self, patience_s: float) -> AsyncIterator[None]:
        """Be one of those that are judged.

        Raises:
            TimeoutError: Too many came before.
        """
        async with self._turns.take(1, patience_s):
            yield
