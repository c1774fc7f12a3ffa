"""The spool of this process: decisions go in within a bounded time, or not at all.

A thread of its own writes, so that a disk that hangs holds up nobody. Whatever goes
wrong with the disk is counted, told in the log when it begins and when it ends, and
told to whoever reads the spool. It never changes a verdict.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import TypeVar

from cachetools import TTLCache

from countersign.adapters.spool.folder import Folder
from countersign.core.errors import Malformed, Misconfigured, Unavailable
from countersign.core.types.decision import Decision, Outcome, Sighting
from countersign.telemetry import SPOOL_BYTES, SPOOL_LOST, SPOOLED
from countersign.wire.decision import MAX_KEPT, frame_batch, render_decision

logger = logging.getLogger(__name__)

KEEP_S = 0.1  # what an answer waits for the disk, at most
SYNC_S = 0.5  # between looks whether something must be brought to the disk
RETRY_S = 5.0  # between tries to open a folder that could not be opened
_HAND_OVER_LOOK_S = 0.1  # between looks whether the recorder has everything
CLOSE_S = 2.0  # for the last records, at the end
MAX_QUEUED = 256  # decisions that wait for a disk that hangs
MAX_BATCH_ENTRIES = 1000
MAX_BATCH_BYTES = 4 << 20  # from which on no more entries are added
_FULL = frozenset({EDQUOT, EFBIG, ENOSPC})
_T = TypeVar("_T")
_SEEN, _SEEN_S = 4096, 600.0  # denials that are remembered as kept, and for how long


@dataclass(frozen=True, slots=True)
class _Item:
    """A decision, and whoever waits to hear of it."""

    decision: Decision
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[bool]

    def answer(self, *, kept: bool) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self.loop.call_soon_threadsafe(self._set, kept)

    def _set(self, kept: bool) -> None:  # noqa: FBT001 - a callback
        if not self.done.done():
            self.done.set_result(kept)


class SpoolJournal:
    """Keeps decisions in a folder, and gives them to the recorder.

    A folder that cannot be used now is tried again; until then everything is lost, and
    counted.

    Args:
        path: The folder, of this process alone.
        limit: Bytes that it may have.

    Raises:
        Misconfigured: another process writes into the folder.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self._path, self._limit = path, limit
        self._queue: queue.Queue[_Item | None] = queue.Queue(MAX_QUEUED)
        self._seen: TTLCache[str, None] = TTLCache(_SEEN, _SEEN_S)
        self._hangs = self._failing = self._closing = False
        self._unopened = 0  # lost while there was no folder to count in
        self._counting = threading.Lock()  # decisions are lost on the loop, too
        self._reader = ThreadPoolExecutor(1, "spool-reader")
        self._folder: Folder | None = None
        self._tried = 0.0
        self._open()
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    @property
    def hangs(self) -> bool:
        """Whether decisions wait for the disk, and are kept late."""
        return self._hangs

    async def keep(self, decision: Decision) -> bool:
        """Write `decision` down; tell whether that was done within `KEEP_S`.

        Where a disk hangs, decisions wait for it, and answers do not.
        """
        loop = asyncio.get_running_loop()
        item = _Item(decision, loop, loop.create_future())
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._lose("hanging")
            return False
        if self._hangs:
            return False
        try:
            async with asyncio.timeout(KEEP_S):
                return await item.done
        except TimeoutError:
            if not self._hangs:
                logger.warning("spool_hangs", extra={"folder": str(self._path)})
            self._hangs = True
            return False

    async def batch(self, positions: Mapping[str, int], limit: int) -> bytes:
        """Return what the recorder has not yet, as `wire.decision.parse_batch` reads it.

        Args:
            positions: By the id of each spool, the last sequence recorded of it.
            limit: At most so many entries, and never more than `MAX_BATCH_ENTRIES`.

        Raises:
            Unavailable: the folder cannot be read now.
        """
        count = max(0, min(limit, MAX_BATCH_ENTRIES))
        return await self._use(lambda folder: _batch(folder, positions, count))

    async def acknowledge(self, spool: str, sequence: int) -> bool:
        """Let go of what is recorded; tell whether `spool` is this one.

        Raises:
            Unavailable: the folder cannot be written now.
        """
        return await self._use(lambda folder: _acknowledge(folder, spool, sequence))

    async def hand_over(self, patience_s: float) -> int:
        """Wait until the recorder has everything; return how many it has not.

        Nothing may be kept meanwhile. Where the disk fails nobody waits.

        Args:
            patience_s: The longest wait.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while True:
                    if not self._waiting() or self._failing:
                        break
                    await asyncio.sleep(_HAND_OVER_LOOK_S)
        return self._waiting()

    def _waiting(self) -> int:
        folder = self._folder
        return self._queue.qsize() + (folder.waiting if folder else 0)

    def close(self) -> None:
        """Write what waits, unless the disk hangs, and let go of the folder."""
        self._closing = True
        with suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(CLOSE_S)
        self._reader.shutdown(wait=False, cancel_futures=True)

    async def _use(self, work: Callable[[Folder], _T]) -> _T:
        """Do what blocks elsewhere, one after the other."""
        folder = self._folder
        if folder is None:
            raise Unavailable(f"the spool in {self._path} cannot be used now")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reader, work, folder)
        except OSError as error:
            raise Unavailable(f"the spool in {self._path}: {error}") from error

    def _run(self) -> None:
        synced = time.monotonic()
        while True:
            try:
                item = self._queue.get(timeout=SYNC_S)
            except queue.Empty:
                item = None
            if item is not None:
                item.answer(kept=self._write(item.decision))
            if self._queue.empty() and self._hangs:
                self._hangs = False
                logger.warning("spool_answers_again")
            if time.monotonic() - synced >= SYNC_S:
                self._sync()
                synced = time.monotonic()
            if self._closing and self._queue.empty():
                break
        self._sync()
        if self._folder is not None:
            self._folder.close()

    def _write(self, decision: Decision) -> bool:
        folder = self._folder or self._open()
        if folder is None:
            self._lose("unusable")
            return False
        try:
            folder.append(_line(self._brief(decision)))
        except OSError as error:
            self._fail(error)
            self._lose("full" if error.errno in _FULL else "failed")
            return False
        except Exception as error:  # the thread's one net: it must go on
            logger.exception("decision_not_written", extra={"decision": decision.id})
            self._lose("malformed" if isinstance(error, Malformed) else "fault")
            return False
        self._works(folder)
        if decision.outcome is Outcome.DENIED:
            self._seen[decision.id] = None
        return True

    def _brief(self, decision: Decision) -> Decision | Sighting:
        """Say only that it was made again where the whole of it was kept just now."""
        kind = "sighting" if decision.id in self._seen else "decision"
        SPOOLED.labels(kind).inc()
        if kind == "decision":
            return decision
        return Sighting(
            id=decision.id, at=decision.at, requester=decision.requester.name
        )

    def _open(self) -> Folder | None:
        """Open the folder, where that was not tried just now."""
        now = time.monotonic()
        if self._tried and now - self._tried < RETRY_S:
            return None
        first, self._tried = not self._tried, now
        try:
            folder = Folder(self._path, limit=self._limit)
        except OSError as error:
            self._fail(error)
            return None
        except Misconfigured:
            if first:
                raise
            return None
        if folder.torn:
            logger.warning("spool_torn", extra={"bytes": folder.torn})
        with self._counting:
            folder.lose(self._unopened)
            self._unopened = 0
            self._folder = folder
        SPOOL_BYTES.set(folder.size)
        return folder

    def _sync(self) -> None:
        if self._folder is None:
            return
        try:
            self._folder.sync()
        except OSError as error:
            self._fail(error)
        SPOOL_BYTES.set(self._folder.size)

    def _fail(self, error: OSError) -> None:
        """Say it once, not for each decision."""
        if not self._failing:
            logger.error(
                "spool_failing",
                extra={"folder": str(self._path), "error": str(error)},
            )
        self._failing = True

    def _works(self, folder: Folder) -> None:
        if self._failing:
            logger.warning("spool_works_again", extra={"lost_ever": folder.lost})
        self._failing = False

    def _lose(self, cause: str) -> None:
        SPOOL_LOST.labels(cause).inc()
        with self._counting:
            if self._folder is None:
                self._unopened += 1
            else:
                self._folder.lose()


def _line(kept: Decision | Sighting) -> bytes:
    line = render_decision(kept)
    if len(line) > MAX_KEPT:
        raise Malformed(f"expected at most {MAX_KEPT} bytes, saw {len(line)}")
    return line


def _batch(folder: Folder, positions: Mapping[str, int], count: int) -> bytes:
    after = positions.get(folder.id, 0)
    folder.note_taken(after)  # whoever asks for what follows has it
    entries, more = folder.read(after, count=count, size=MAX_BATCH_BYTES)
    return frame_batch(folder.id, entries, lost=folder.lost, more=more)


def _acknowledge(folder: Folder, spool: str, sequence: int) -> bool:
    if spool != folder.id:
        return False
    folder.acknowledge(sequence)
    SPOOL_BYTES.set(folder.size)
    return True
