"""A spool's folder: segments of records, in the order of their sequences.

::

    id                        32 hex digits, made with the folder and never again
    lock                      held by the one process that writes
    lost                      how many decisions could not be kept, ever
    00000000000000000001.log  records from sequence 1 on
    00000000000000001317.log  from 1317 on; the last one is being written

Sequences are never used twice: the last segment stays, empty or not, and names the next
one; and only what reached the disk is given to readers, so that a power cut takes back
nothing that a recorder has seen.

Everything here blocks, and raises OSError. One thread writes; others read, acknowledge
and ask.
"""

import errno
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from countersign.adapters.spool.files import (
    hold,
    overwrite,
    read_count,
    spool_id,
    sync_folder,
    write_all,
)
from countersign.adapters.spool.frames import frame, frames

MAX_SEGMENT = 4 << 20  # bytes, from which on the next one is begun
_SEGMENTS = 8  # at least so many: what is recorded makes room before all is full
_SUFFIX = ".log"
_DIGITS = 20


@dataclass(slots=True)
class _Segment:
    first: int
    path: Path
    size: int = 0


class Folder:
    """The folder, held by this process.

    Args:
        path: Made if it is not there.
        limit: Bytes that all segments may have together.

    Attributes:
        id: Of the spool.
        torn: Bytes of an unfinished record, which were cut off at the start.

    Raises:
        Misconfigured: another process writes into it.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self._path, self._limit = path, limit
        self._most = min(MAX_SEGMENT, limit // _SEGMENTS)
        self._guard = threading.Lock()  # of counts and of the list; never during I/O
        self._fd = -1
        self._broken = self._dirty = False
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = hold(path / "lock")
        try:
            self.id = spool_id(path)
            self._lost = self._told = read_count(path / "lost")
            self._last = self._durable = self._damaged = 0
            self._segments = _segments(path)
            self._taken = self._segments[0].first - 1 if self._segments else 0
            self.torn = self._recover()
        except OSError:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.size for segment in self._segments)

    @property
    def lost(self) -> int:
        """How many decisions could not be kept, ever."""
        return self._lost

    @property
    def waiting(self) -> int:
        """How many records nobody is known to have taken."""
        return max(0, self._last - self._taken)

    def lose(self, count: int = 1) -> None:
        """Count decisions that are not kept."""
        with self._guard:
            self._lost += count

    def append(self, data: bytes) -> int:
        """Write a record to the page cache; it survives the end of this process.

        Returns:
            Its sequence.

        Raises:
            OSError: nothing was written; EDQUOT if that would be above the limit.
        """
        record = frame(self._last + 1, data)
        if self.size + len(record) > self._limit:
            raise OSError(errno.EDQUOT, "the spool is full")
        segment = self._segments[-1]
        if self._broken or segment.size >= self._most or self._fd < 0:
            segment = self._begin()
        try:
            write_all(self._fd, record)
        except OSError:
            self._cut(segment)
            raise
        segment.size += len(record)
        self._dirty = True
        self._last += 1
        return self._last

    def sync(self) -> None:
        """Bring to the disk what was appended: from now on readers see it."""
        if self._dirty:
            os.fsync(self._fd)
            self._dirty = False
            self._durable = self._last
        if self._lost != self._told:
            told = self._lost
            overwrite(self._path / "lost", b"%020d\n" % told)
            self._told = told

    def read(
        self, after: int, *, count: int, size: int
    ) -> tuple[list[tuple[int, bytes]], bool]:
        """Return records after a sequence, and whether there are more.

        A damaged segment ends at the damage; what is gone is counted once.

        Args:
            after: The last one that is known.
            count: At most so many.
            size: Bytes, from which on no more is added.
        """
        found: list[tuple[int, bytes]] = []
        durable = self._durable
        segments = self._segments  # after that: a later segment begins behind it
        later = [*(segment.first for segment in segments[1:]), durable + 1]
        for segment, end in zip(segments, later, strict=True):
            if end <= max(after + 1, segment.first):
                continue
            reached = segment.first
            for each in frames(_content(segment.path), segment.first):
                if each.sequence >= end:
                    break
                reached = each.sequence + 1
                if each.sequence <= after:
                    continue
                if len(found) == count or size <= 0:
                    return found, True
                found.append((each.sequence, each.data))
                size -= len(each.data)
            self._note_damage(segment, reached, end)
        return found, False

    def acknowledge(self, sequence: int) -> None:
        """Remove the segments that hold nothing after `sequence`."""
        self.note_taken(sequence)
        segments = self._segments
        done = [
            segment
            for segment, following in pairwise(segments)
            if following.first <= sequence + 1
        ]
        for segment in done:
            segment.path.unlink(missing_ok=True)
        with self._guard:
            self._segments = tuple(s for s in self._segments if s not in done)

    def note_taken(self, sequence: int) -> None:
        """Remember that somebody has everything up to `sequence`."""
        with self._guard:
            self._taken = max(self._taken, sequence)

    def close(self) -> None:
        """Let go of the folder."""
        for fd in (self._fd, self._lock):
            if fd >= 0:
                os.close(fd)
        self._fd = self._lock = -1

    def _recover(self) -> int:
        """Cut off what a crash left unfinished, and go on after it.

        Returns:
            How many bytes that were.
        """
        if not self._segments:
            self._begin()
            return 0
        segment = self._segments[-1]
        raw = segment.path.read_bytes()
        self._last, whole = segment.first - 1, 0
        for each in frames(raw, segment.first):
            self._last, whole = each.sequence, each.end
        self._fd = os.open(segment.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        torn, ended = len(raw) - whole, raw.count(b"\n", whole)
        if torn:
            os.ftruncate(self._fd, whole)
        segment.size = whole
        os.fsync(self._fd)  # what the last process did not
        if (
            ended
        ):  # no crash, but damage: those numbers are taken, the reader counts them
            self._last += ended
            self._begin()
        elif torn:
            self.lose()
        self._durable = self._last
        return torn

    def _begin(self) -> _Segment:
        """Go on in a new segment."""
        first = self._last + 1
        path = self._path / f"{first:0{_DIGITS}d}{_SUFFIX}"
        with suppress(
            OSError
        ):  # told at the next sync; a bad file must not be the last
            self.sync()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(fd).st_size:  # of a try that failed: nothing whole is in it
                os.ftruncate(fd, 0)
            sync_folder(self._path)
        except OSError:
            os.close(fd)
            raise
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._broken = fd, False
        segment = _Segment(first, path)
        with self._guard:
            kept = tuple(s for s in self._segments if s.first != first)
            self._segments = (*kept, segment)
        return segment

    def _cut(self, segment: _Segment) -> None:
        """Take back a record of which only a part was written."""
        try:
            os.ftruncate(self._fd, segment.size)
        except OSError:
            self._broken = True  # the next record goes into another file

    def _note_damage(self, segment: _Segment, reached: int, end: int) -> None:
        if reached < end and segment.first > self._damaged:
            self._damaged = segment.first
            self.lose(end - reached)
            if segment is self._segments[-1]:
                self._broken = True  # nobody would read what is written after it


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # somebody took it away: as if all of it were damaged
        return b""


def _segments(path: Path) -> tuple[_Segment, ...]:
    found = [
        _Segment(int(each.stem), each, each.stat().st_size)
        for each in path.glob(f"{'[0-9]' * _DIGITS}{_SUFFIX}")
    ]
    return tuple(sorted(found, key=lambda segment: segment.first))
