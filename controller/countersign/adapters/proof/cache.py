"""Results of work that is dear: kept within a number of bytes, done once at a time."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from countersign.core.errors import Unavailable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Sized(Generic[Value]):
    value: Value
    size: int  # bytes, estimated


class OnceCache(Generic[Key, Value]):
    """Does each piece of work once, off the event loop, and remembers the result.

    Whoever asks for what is being done waits for it. A caller that is cancelled leaves
    the work to run: the next one will want it. Belongs to one event loop.

    Args:
        executor: Where the work is done.
        max_bytes: Of remembered results.
        max_pending: Pieces of work begun or waiting; more are refused at once.
    """

    def __init__(self, executor: Executor, *, max_bytes: int, max_pending: int) -> None:
        self._executor = executor
        self._max_pending = max_pending
        self._known: LRUCache[Key, _Sized[Value]] = LRUCache(
            max_bytes, getsizeof=lambda sized: sized.size
        )
        self._pending: dict[Key, asyncio.Future[Value]] = {}

    def get(self, key: Key) -> Value | None:
        """Return what is remembered, or None."""
        sized = self._known.get(key)
        return sized.value if sized else None

    async def do(self, key: Key, work: Callable[[], Value], *, size: int) -> Value:
        """Return the result of `work` for `key`.

        Args:
            key: By which it is remembered.
            work: Runs in the executor. What it raises is told to all who wait, and not
                remembered.
            size: Of the result, bytes, estimated; what is larger than the whole cache
                is not remembered.

        Raises:
            Unavailable: too much is pending already; or as `work` raises.
        """
        future = self._pending.get(key)
        if future is None:
            if len(self._pending) >= self._max_pending:
                raise Unavailable(
                    f"expected fewer than {self._max_pending} bundles to verify at once"
                )
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._executor, work)
            self._pending[key] = future
            future.add_done_callback(lambda done: self._keep(key, done, size))
        return await asyncio.shield(future)

    def _keep(self, key: Key, done: asyncio.Future[Value], size: int) -> None:
        del self._pending[key]
        if not done.cancelled() and done.exception() is None:
            sized = _Sized(done.result(), size)
            if size <= self._known.maxsize:
                self._known[key] = sized
