"""How much is asked of one registry: so many looks at once, so many a second.

One that is slow, or wants quiet, delays those who need it, and nobody else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from countersign.ports import Throttled

_QUIET_S = 60.0  # seconds of quiet that are granted at most, whatever a registry wants
_TICK_S = 0.001  # seconds of the shortest wait: a clock has only so many digits
_BURST_S = 2.0  # seconds in which nothing was asked, that may be made up for


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How much of it.

    Attributes:
        at_once: Looks at a time; one look is some requests.
        rate: Looks a second.
        monotonic: The clock, in seconds.
        sleep: Waits.
    """

    at_once: int
    rate: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Lane:
    """The way to one registry.

    Args:
        host: Which one, for messages.
        flow: How much at once, and a second.
    """

    def __init__(self, host: str, flow: Flow) -> None:
        self._host = host
        self._flow = flow
        self._all = asyncio.Semaphore(flow.at_once)
        self._spare = asyncio.Semaphore(max(1, flow.at_once // 2))
        self._most = max(1.0, flow.rate * _BURST_S)
        self._tokens, self._counted = self._most, flow.monotonic()
        self._quiet_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Let the block ask the registry, when it is its turn.

        Raises:
            Throttled: the registry wants quiet: at once, for nobody has so much time.
        """
        self._require_wanted()
        async with self._all:
            await self._token()
            self._require_wanted()
            try:
                yield
            except Throttled as error:
                wait = min(max(error.retry_after, 0.0), _QUIET_S)
                until = self._flow.monotonic() + wait
                self._quiet_until = max(self._quiet_until, until)
                raise

    @asynccontextmanager
    async def spare(self) -> AsyncIterator[None]:
        """Let the block run while nobody is in a hurry: half of all goes to it at most."""
        async with self._spare:
            while (left := self._quiet_until - self._flow.monotonic()) > 0:
                await self._flow.sleep(max(left, _TICK_S))
            while self._refilled() < self._most / 2:
                await self._wait_for(self._most / 2)
            yield

    def _require_wanted(self) -> None:
        left = self._quiet_until - self._flow.monotonic()
        if left > 0:
            said = f"{self._host} asked to be left alone for {left:.0f} s more"
            raise Throttled(said, retry_after=left)

    async def _token(self) -> None:
        while self._refilled() < 1:
            await self._wait_for(1)
        self._tokens -= 1

    async def _wait_for(self, tokens: float) -> None:
        missing = (tokens - self._tokens) / self._flow.rate
        await self._flow.sleep(max(missing, _TICK_S))

    def _refilled(self) -> float:
        now = self._flow.monotonic()
        came = (now - self._counted) * self._flow.rate
        self._tokens, self._counted = min(self._most, self._tokens + came), now
        return self._tokens
