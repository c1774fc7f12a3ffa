"""Live looks that many want at once, made once.

A burst of denials asks for the same list hundreds of times; as hundreds of requests it
would take the API server's seats away from our own watches.
"""

import asyncio
from collections.abc import Awaitable, Callable


class SharedLooks:
    """Shares a look among all who wait for it, and begins it after each of them asked.

    A look that is under way may have read too early for who asks now: they get the next
    one, together. So there is one under way for a place, and one that waits.

    Args:
        look: Looks at one place.
    """

    def __init__(self, look: Callable[[str], Awaitable[None]]) -> None:
        self._look = look
        self._next: dict[str, asyncio.Task[None]] = {}
        self._last: dict[str, asyncio.Task[None]] = {}

    async def at(self, place: str) -> None:
        """Return when a look at `place` that began after this call has ended.

        Whoever gives up waiting leaves the look to the others.

        Raises:
            Exception: What the look raised, to each who waited for it.
        """
        task = self._next.get(place)
        if task is None:
            task = asyncio.create_task(self._after(self._last.get(place), place))
            self._next[place] = self._last[place] = task
            task.add_done_callback(_heeded)
        await asyncio.shield(task)

    async def _after(self, before: asyncio.Task[None] | None, place: str) -> None:
        if before is not None:
            await asyncio.wait({before})
        own = self._next.pop(place)  # from here on it is too late to join
        try:
            await self._look(place)
        finally:
            if self._last[place] is own:
                del self._last[place]


def _heeded(task: asyncio.Task[None]) -> None:
    """Take the fault of a look that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
