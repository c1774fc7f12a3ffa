"""Election: one process of several operates and records; the others stand by.

Whoever cannot renew the Lease stops writing into the cluster before anybody else may
take over, and goes on recording: nobody else can, either, while the API server is away.
Whoever finds that another one has it ends, and comes up again as one who waits.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from countersign.core.errors import Unavailable
from countersign.telemetry import LEADING

logger = logging.getLogger(__name__)


class Seat(Protocol):
    """What one process at a time has; `Lease` is one.

    Attributes:
        holder: Who had it at the last look; ``""``: nobody.
    """

    holder: str

    async def ask(self) -> bool:
        """Take it, or renew it; tell whether it is ours now; raise Unavailable."""
        ...

    async def release(self) -> None:
        """Let it go; raise Unavailable."""
        ...


class Election:
    """Asks for a seat, keeps it, and knows whether it is still ours.

    Args:
        seat: That one process has; None: there are no others, it is ours.
        lasts_s: How long it is ours without being renewed, in seconds.

    Attributes:
        held: Set while it is surely ours.
        lost: Set while it is not.
    """

    def __init__(self, seat: Seat | None, lasts_s: float) -> None:
        self._seat = seat
        self._every_s = lasts_s / 3
        self._sure_s = lasts_s * 2 / 3  # then nobody else has taken it over yet
        self._answered = False
        self.held, self.lost = asyncio.Event(), asyncio.Event()
        self.lost.set()

    def waiting(self) -> str:
        """Return why this process does nothing yet."""
        who = self._seat.holder if self._seat else ""
        return f"standing by: {who} leads" if who else "standing by: nobody leads yet"

    async def win(self, stop: asyncio.Event) -> bool:
        """Return when the seat is ours; False: `stop` was set before."""
        told: str | None = None
        while not stop.is_set():
            if await self._ask():
                self._have(ours=True)
                logger.info("leading")
                return True
            if (why := self.waiting()) != told:
                logger.info("standing_by", extra={"why": why})
                told = why
            await _either(stop, self._every_s)
        return False

    async def hold(self, stop: asyncio.Event) -> None:
        """Renew until `stop` is set, and then let go.

        Raises:
            Unavailable: another process has it.
        """
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while not stop.is_set():
            asked = loop.time()
            if await self._ask():
                renewed = asked
                self._have(ours=True)
            elif self._seat is not None and self._seat.holder and self._answered:
                self._have(ours=False)
                raise Unavailable(f"another one leads now: {self._seat.holder}")
            elif loop.time() - renewed >= self._sure_s - self._every_s:
                self._have(ours=False)  # the next look might come too late
            await _either(stop, self._every_s)

    async def leave(self) -> None:
        """Let go of the seat, where it is ours, so that the next one need not wait."""
        if self._seat is None or not self.held.is_set():
            return
        self._have(ours=False)
        try:
            await self._seat.release()
        except Unavailable as error:
            logger.warning("lease_not_released", extra={"error": str(error)})

    async def _ask(self) -> bool:
        self._answered = False
        if self._seat is None:
            return True
        try:
            async with asyncio.timeout(self._every_s):
                ours = await self._seat.ask()
        except (Unavailable, TimeoutError) as error:
            said = str(error) or "no answer in time"
            logger.warning("lease_not_asked", extra={"error": said})
            return False
        self._answered = True
        return ours

    def _have(self, *, ours: bool) -> None:
        if ours != self.held.is_set():
            yes, no = (self.held, self.lost) if ours else (self.lost, self.held)
            no.clear()
            yes.set()
        LEADING.set(int(ours))


async def while_held(
    election: Election, stop: asyncio.Event, work: Callable[[], "asyncio.Task[None]"]
) -> None:
    """Run `work` whenever the seat is surely ours, until `stop` is set."""
    while not stop.is_set():
        await _first(election.held, stop)
        if stop.is_set():
            return
        task = work()
        try:
            await _first(election.lost, stop)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _first(*events: asyncio.Event) -> None:
    """Return when one of `events` is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _either(event: asyncio.Event, longest_s: float) -> None:
    """Return when `event` is set, or after `longest_s` seconds."""
    try:
        async with asyncio.timeout(longest_s):
            await event.wait()
    except TimeoutError:
        pass
