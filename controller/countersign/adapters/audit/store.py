"""The audit store over SQLite: :class:`~countersign.ports.Archive`.

All of it runs in one thread of its own, one transaction after the other: the loop never
waits for a disk.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from countersign.adapters.audit import reading, writing
from countersign.adapters.audit.database import opened
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.decision import Batch, Recorded, Review
from countersign.ports import Query

T = TypeVar("T")


@asynccontextmanager
async def archive(file: Path) -> AsyncIterator["SqliteArchive"]:
    """Open the audit store for as long as the block lasts.

    Raises:
        Misconfigured: see :func:`~countersign.adapters.audit.database.opened`.
    """
    loop = asyncio.get_running_loop()
    database = opened(file)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit") as thread:
        engine = await loop.run_in_executor(thread, database.__enter__)
        try:
            yield SqliteArchive(engine, thread)
        finally:
            await loop.run_in_executor(thread, database.__exit__, None, None, None)


class SqliteArchive:
    """Records decisions, and finds them again. Made by :func:`archive`."""

    def __init__(self, engine: Engine, thread: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._thread = thread

    async def positions(self) -> Mapping[str, int]:
        """Return the last sequence of each spool, the one heard last first."""
        return await self._run(reading.positions)

    async def lost(self) -> Mapping[str, int]:
        """Return how many decisions each spool could not keep."""
        return await self._run(reading.lost)

    async def add(self, batch: Batch) -> None:
        """Record a batch and how far it reaches; see the port."""
        await self._run(lambda connection: writing.add(connection, batch))

    async def review(self, decision: str, done: Review) -> None:
        """Note that a break-glass admission was reviewed; see the port."""
        await self._run(lambda connection: writing.review(connection, decision, done))

    async def get(self, decision: str) -> Recorded | None:
        """Return one decision whole, or None; see the port."""
        return await self._run(lambda connection: reading.get(connection, decision))

    async def find(self, query: Query) -> tuple[Recorded, ...]:
        """Return decisions, the newest first; see the port."""
        return await self._run(lambda connection: reading.find(connection, query))

    async def _run(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one transaction.

        Raises:
            Unavailable: a full disk, a lock that somebody holds, a damaged file.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, work)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            why = error.args[0] if error.args else type(error).__name__
            raise Unavailable(f"the audit store failed: {why}") from error
        except Malformed as error:
            raise Unavailable(f"the audit store is damaged: {error}") from error
