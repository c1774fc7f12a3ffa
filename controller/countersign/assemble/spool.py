"""The spool of ``countersign serve``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from countersign.adapters.spool.journal import SpoolJournal
from countersign.config import Spool

_MIB = 1 << 20


@asynccontextmanager
async def spool(told: Spool) -> AsyncIterator[SpoolJournal | None]:
    """Open the spool while the context lasts; None where nothing is recorded.

    Raises:
        Misconfigured: another process writes into the folder.
    """
    if told.directory is None:
        yield None
        return
    journal = SpoolJournal(told.directory, limit=told.max_mib * _MIB)
    try:
        yield journal
    finally:
        await asyncio.to_thread(journal.close)
