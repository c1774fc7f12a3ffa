"""Taking decisions from replicas: whatever fails is tried again, and holds up no other."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.decision import Batch, Entry
from countersign.faces.recorder.pull import Puller
from countersign.usecases.record_spools import Pulled, SpoolRecorder
from tests.support.decisions import denied

ID = "a" * 32


class Replica:
    """A spool in memory. Set `wrong` and it fails; it forgets what is acknowledged."""

    def __init__(self, spool: str = ID, held: int = 0, limit: int = 100) -> None:
        self.spool, self.limit, self.lost = spool, limit, 0
        self.held = dict.fromkeys(range(1, held + 1))
        self.wrong: Exception | None = None
        self.deaf: Exception | None = None
        self.reads = 0

    async def read(self, positions: Mapping[str, int]) -> Batch:
        """Return what was not recorded."""
        self.reads += 1
        if self.wrong:
            raise self.wrong
        after = [n for n in self.held if n > positions.get(self.spool, 0)]
        entries = tuple(Entry(n, denied(n)) for n in after[: self.limit])
        more = len(after) > self.limit
        return Batch(spool=self.spool, entries=entries, lost=self.lost, more=more)

    async def acknowledge(self, spool: str, sequence: int) -> None:
        """Forget what is recorded."""
        assert spool == self.spool
        if self.deaf:
            raise self.deaf
        self.held = {n: None for n in self.held if n > sequence}


class Store:
    """An audit store in memory. Set `wrong` and it takes nothing."""

    def __init__(self) -> None:
        self.reached: dict[str, int] = {}
        self.gaps: dict[str, int] = {}
        self.kept: list[tuple[str, int]] = []
        self.wrong: Exception | None = None

    async def positions(self) -> Mapping[str, int]:
        """Return how far each spool is recorded."""
        return self.reached

    async def lost(self) -> Mapping[str, int]:
        """Return what each spool could not keep."""
        return self.gaps

    async def add(self, batch: Batch) -> None:
        """Record a batch."""
        if self.wrong:
            raise self.wrong
        self.gaps[batch.spool] = batch.lost
        for entry in batch.entries:
            if entry.sequence > self.reached.get(batch.spool, 0):
                self.kept.append((batch.spool, entry.sequence))
                self.reached[batch.spool] = entry.sequence


class Clock:
    """A clock that stands."""

    def now(self) -> datetime:
        """Return the present."""
        return datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_acknowledges_only_what_is_recorded() -> None:
    """Neither where the store fails, nor before it has answered."""
    replica, store = Replica(held=3), Store()
    store.wrong = Unavailable("full")
    recorder = SpoolRecorder(replica, store)
    with pytest.raises(Unavailable):
        await recorder.pull()
    assert [*replica.held] == [1, 2, 3]

    store.wrong = None
    pulled = await recorder.pull()

    assert pulled == Pulled(
        spool=ID, recorded=3, missing=0, position=3, lost=0, more=False
    )
    assert [*replica.held] == []


async def test_acknowledges_what_a_predecessor_recorded() -> None:
    """It may have been killed just before; else the spool would never be emptied."""
    replica, store = Replica(held=3), Store()
    replica.deaf = Unavailable("cut")
    with pytest.raises(Unavailable):
        await SpoolRecorder(replica, store).pull()
    assert [*replica.held] == [1, 2, 3]

    replica.deaf = None
    again = await SpoolRecorder(replica, store).pull()

    assert (again.recorded, again.position) == (0, 3)
    assert [*replica.held] == []
    assert store.kept == [(ID, n) for n in (1, 2, 3)]


async def test_tells_of_a_gap() -> None:
    """Sequences that nobody told: they went elsewhere, or are gone."""
    replica, store = Replica(), Store()
    replica.held = dict.fromkeys((4, 5, 8))

    assert (await SpoolRecorder(replica, store).pull()).missing == 5


class Names:
    """Finds replicas by name."""

    def __init__(self, **replicas: Replica) -> None:
        self.replicas = replicas
        self.trouble: tuple[str, ...] = ()

    async def look(self) -> tuple[Mapping[str, Replica], tuple[str, ...]]:
        """Return those that are there."""
        return dict(self.replicas), self.trouble


@dataclass
class Seen:
    """What a puller told and did, up to the moment that was waited for."""

    status: dict[str, Any]
    waits: list[float]


async def run(names: Names, store: Store, until: Callable[[], object]) -> Seen:
    """Pull until something holds, which is looked at whenever a loop waits."""
    seen, done = Seen({}, []), asyncio.Event()

    async def sleep(seconds: float) -> None:
        if not done.is_set():
            seen.waits.append(seconds)
            if until():
                seen.status = puller.status()
                done.set()
        await asyncio.sleep(0)

    puller = Puller(names, store, Clock(), poll_s=1, sleep=sleep)
    async with asyncio.timeout(10):
        task = asyncio.create_task(puller.run())
        await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return seen


async def test_takes_all_without_a_pause_where_there_is_more() -> None:
    """It waits for new names, and for new decisions only where it has all."""
    one, store = Replica(held=10, limit=3), Store()

    seen = await run(Names(one=one), store, lambda: len(store.kept) == 10)

    assert seen.waits == [5, 1]


@pytest.mark.parametrize(
    "wrong", [Unavailable("down"), Malformed("nonsense"), ValueError("a fault")]
)
async def test_what_fails_is_tried_again_ever_more_rarely(wrong: Exception) -> None:
    """A fault of ours, too; the others go on, and it is shown."""
    bad, good, store = Replica("a" * 32, held=1), Replica("b" * 32, held=1), Store()
    bad.wrong = wrong

    seen = await run(
        Names(bad=bad, good=good), store, lambda: bad.reads >= 8 and store.kept
    )

    first, second = seen.status["spools"]
    assert str(wrong) in first["trouble"]
    assert first["lastPull"] is None
    assert second["trouble"] == ""
    assert second["position"] == 1
    assert 15 <= max(seen.waits) <= 30


async def test_recovers_by_itself() -> None:
    """And the trouble is no longer shown."""
    replica, store = Replica(held=1), Store()
    replica.wrong = Unavailable("down")

    def mend() -> bool:
        if replica.reads == 3:
            replica.wrong = None
        return bool(store.kept) and not replica.held

    seen = await run(Names(one=replica), store, mend)

    assert seen.status["spools"][0]["trouble"] == ""


async def test_replicas_come_and_go() -> None:
    """One that is gone is not asked any more, and not shown."""
    one, two = Replica("a" * 32, held=1), Replica("b" * 32, held=1)
    names, store = Names(one=one), Store()

    def change() -> bool:
        if store.kept and "one" in names.replicas:
            del names.replicas["one"]
            names.replicas["two"] = two
            names.trouble = ("no replica at x",)
        return len(store.kept) == 2

    seen = await run(names, store, change)

    assert [spool["address"] for spool in seen.status["spools"]] == ["two"]
    assert seen.status["trouble"] == ["no replica at x"]


async def test_what_a_spool_lost_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Also what spools of replicas that are gone have lost: the gap stays."""
    replica, store = Replica(held=1), Store()
    store.gaps = {"c" * 32: 5}
    replica.lost = 2

    seen = await run(
        Names(one=replica),
        store,
        lambda: any(r.message == "spool_lost" for r in caplog.records),
    )

    assert seen.status["lost"] == 7
