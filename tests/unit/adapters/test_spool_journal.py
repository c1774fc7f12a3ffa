"""Decisions on disk, whatever becomes of the disk and of the process.

Seen to fail: with records written after the answer, with a wait for a disk that hangs,
with a sighting of what was never written, and with a failed write taken as kept.
"""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from countersign.adapters.spool.folder import Folder
from countersign.adapters.spool.journal import KEEP_S, MAX_QUEUED, SpoolJournal
from countersign.core.errors import Misconfigured, Unavailable
from countersign.core.types.artifacts import Digest, Intent
from countersign.core.types.change import ObjectChange, Operation
from countersign.core.types.decision import (
    Batch,
    Decision,
    Outcome,
    Proposal,
    Sighting,
)
from countersign.wire.decision import parse_batch, parse_kept
from tests.support.decisions import denied

MIB = 1 << 20
NOBODY = 65534
_ROOT = Path(__file__).parents[3]


@pytest.fixture(name="journal")
async def _journal(tmp_path: Path) -> AsyncIterator[SpoolJournal]:
    journal = SpoolJournal(tmp_path / "spool", limit=MIB)
    yield journal
    await asyncio.to_thread(journal.close)


async def reached(journal: SpoolJournal, count: int) -> Batch:
    """Return what is on the disk, once that are so many entries."""
    async with asyncio.timeout(20):
        while True:
            batch = parse_batch(await journal.batch({}, 1000))
            if len(batch.entries) >= count:
                return batch
            await asyncio.sleep(0.01)


def in_folder(path: Path) -> list[Decision | Sighting]:
    """Return what a folder holds, as the next process finds it."""
    folder = Folder(path, limit=1 << 30)
    try:
        found, _ = folder.read(0, count=10**6, size=1 << 30)
        return [parse_kept(line) for _, line in found]
    finally:
        folder.close()


def keeper(
    folder: Path, *, first: int = 0, count: int = 10**6, limit: int = 0, user: int = 0
) -> subprocess.Popen[str]:
    """Start a process that keeps decisions."""
    numbers = (str(n) for n in (first, count, limit, user))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.keeping", str(folder), *numbers],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_what_is_kept_is_read(journal: SpoolJournal) -> None:
    """In its order, whole."""
    kept = [await journal.keep(denied(n)) for n in range(5)]
    batch = await reached(journal, 5)

    assert all(kept)
    assert [e.kept for e in batch.entries] == [denied(n) for n in range(5)]
    assert [e.sequence for e in batch.entries] == [1, 2, 3, 4, 5]
    assert (batch.lost, batch.more) == (0, False)


async def test_the_same_denial_is_seen_again(journal: SpoolJournal) -> None:
    """A controller that tries for ever costs a line each time, not an object."""
    for _ in range(3):
        assert await journal.keep(denied(1))
    batch = await reached(journal, 3)

    whole, *rest = [entry.kept for entry in batch.entries]
    again = Sighting(id=denied(1).id, at=denied(1).at, requester="lee")
    assert whole == denied(1)
    assert rest == [again, again]


async def test_an_admission_is_never_only_seen_again(journal: SpoolJournal) -> None:
    """It happens once."""
    admitted = denied(1, outcome=Outcome.ALLOWED, message="")
    for _ in range(2):
        await journal.keep(admitted)
    batch = await reached(journal, 2)

    assert [entry.kept for entry in batch.entries] == [admitted] * 2


async def test_a_recorder_reads_from_where_it_was(journal: SpoolJournal) -> None:
    """And what it does not acknowledge is there again."""
    for n in range(5):
        await journal.keep(denied(n))
    first = await reached(journal, 5)
    some = parse_batch(await journal.batch({first.spool: 2}, 2))
    other = parse_batch(await journal.batch({"0" * 32: 4}, 1000))

    assert [e.sequence for e in some.entries] == [3, 4]
    assert some.more
    assert len(other.entries) == 5
    assert await journal.acknowledge(first.spool, 5)
    assert not await journal.acknowledge("0" * 32, 5)


def test_nothing_that_was_kept_is_lost_by_a_kill(tmp_path: Path) -> None:
    """SIGKILL in the middle, three times over: all that a caller was told is there."""
    told: list[int] = []
    for first in (0, 100_000, 200_000):
        process = keeper(tmp_path, first=first)
        assert process.stdout is not None
        for line in process.stdout:
            told.append(int(line))
            if len(told) % 1000 == 0:
                process.kill()
                break
        told += [int(line) for line in process.stdout if line.endswith("\n")]
        process.communicate()
    kept = {each.id for each in in_folder(tmp_path)}

    assert len(told) >= 3000
    assert {f"{number:026d}" for number in told} <= kept


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """While the first lives; its end lets go, however it ends."""
    process = keeper(tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(Misconfigured, match="a spool folder of this process alone"):
        SpoolJournal(tmp_path, limit=MIB)
    process.kill()
    process.communicate()

    SpoolJournal(tmp_path, limit=MIB).close()


def test_a_disk_that_is_full_answers_no_and_holds_what_it_had(tmp_path: Path) -> None:
    """A limit of the system on files stands in for it: the write itself fails."""
    out, err = keeper(tmp_path, count=400, limit=60_000).communicate(timeout=60)
    *told, last = out.splitlines()
    kept = {each.id for each in in_folder(tmp_path)}
    folder = Folder(tmp_path, limit=MIB)
    lost = folder.lost
    folder.close()

    assert 0 < len(told) < 400
    assert {f"{int(number):026d}" for number in told} == kept
    assert last == f"refused {400 - len(told)}"
    assert lost == 400 - len(told)
    assert err.count("spool_failing") == 1


def test_a_folder_that_may_not_be_written_answers_no() -> None:
    """And the process starts: verdicts do not depend on it."""
    with tempfile.TemporaryDirectory() as place:  # pytest's folders are its user's own
        Path(place).chmod(0o555)
        process = keeper(Path(place) / "spool", count=20, user=NOBODY)
        out, err = process.communicate(timeout=60)

    assert out == "refused 20\n"
    assert err.count("spool_failing") == 1


async def test_a_folder_that_is_none_is_told_to_the_recorder(tmp_path: Path) -> None:
    """It answers that it cannot, and tries again later."""
    (tmp_path / "file").touch()
    journal = SpoolJournal(tmp_path / "file" / "spool", limit=MIB)
    try:
        assert not await journal.keep(denied())
        with pytest.raises(Unavailable, match="cannot be used now"):
            await journal.batch({}, 10)
    finally:
        await asyncio.to_thread(journal.close)


async def test_a_disk_that_hangs_holds_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One answer waits, the next do not; when it is back, what waited is written."""
    caplog.set_level(logging.WARNING)
    journal = SpoolJournal(tmp_path, limit=MIB)
    loop = asyncio.get_running_loop()
    large = a_segment_of()
    assert await journal.keep(large)
    await reached(journal, 1)
    hanging = tmp_path / f"{2:020d}.log"
    os.mkfifo(hanging)  # opening it waits for a reader: that is the disk

    begun = loop.time()
    first = await journal.keep(denied(1))
    waited_s = loop.time() - begun
    begun = loop.time()
    rest = [await journal.keep(denied(n)) for n in range(2, MAX_QUEUED + 20)]
    rest_s = loop.time() - begun

    assert not first
    assert not any(rest)
    assert KEEP_S <= waited_s < KEEP_S + 2
    assert rest_s < 2
    assert caplog.text.count("spool_hangs") == 1

    reader = os.open(hanging, os.O_RDONLY | os.O_NONBLOCK)  # it is back
    hanging.unlink()
    async with asyncio.timeout(20):
        while journal._queue.qsize():  # what waited goes first, with nothing behind it
            with suppress(BlockingIOError):
                os.read(reader, MIB)
            await asyncio.to_thread(os.sched_yield)
        while not await journal.keep(denied(9999)):
            await asyncio.to_thread(os.sched_yield)
    os.close(reader)
    assert "spool_answers_again" in caplog.text
    await asyncio.to_thread(journal.close)


def a_segment_of() -> Decision:
    """Return a decision that fills a segment of a small spool."""
    tree = {"text": "x" * (MIB // 8)}
    data = b'{"text":"' + b"x" * (MIB // 8) + b'"}'
    change = ObjectChange(
        object=denied().object,
        digest=Digest.sha256(data),
        operation=Operation.CREATE_OR_UPDATE,
    )
    intent = Intent(Digest.sha256(data), dict(tree))
    return denied(proposal=Proposal(change=change, intent=intent, version="v1"))


async def test_hands_over_what_is_kept(journal: SpoolJournal) -> None:
    """It waits until the recorder has said that it has everything."""
    for number in range(3):
        await journal.keep(denied(number))
    batch = await reached(journal, 3)
    over = asyncio.create_task(journal.hand_over(20))

    await journal.acknowledge(batch.spool, 2)
    early, _ = await asyncio.wait([over], timeout=0.5)
    await journal.acknowledge(batch.spool, 3)

    assert not early
    assert await over == 0


async def test_a_position_told_is_as_good_as_an_acknowledgement(
    journal: SpoolJournal, tmp_path: Path
) -> None:
    """Of an earlier process of this folder nobody acknowledges anything again."""
    await journal.keep(denied(1))
    batch = await reached(journal, 1)
    await asyncio.to_thread(journal.close)
    later = SpoolJournal(tmp_path / "spool", limit=MIB)

    assert await later.hand_over(0.05) == 1
    await later.batch({batch.spool: 1}, 10)
    assert await later.hand_over(20) == 0
    await asyncio.to_thread(later.close)


async def test_nobody_waits_for_ever_for_a_recorder(journal: SpoolJournal) -> None:
    """What is left is told; an empty spool keeps nobody."""
    assert await journal.hand_over(20) == 0
    await journal.keep(denied(1))
    await journal.keep(denied(2))

    assert await journal.hand_over(0.05) == 2
