"""The audit store: what was recorded is found as it was, once, after whatever happens."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.adapters.audit.store import SqliteArchive, archive
from countersign.adapters.audit.writing import MAX_REQUESTERS
from countersign.core.errors import Misconfigured, Unavailable
from countersign.core.types.artifacts import Digest, ObjectRef
from countersign.core.types.decision import (
    Batch,
    Decision,
    Entry,
    Outcome,
    Recorded,
    Review,
    Sighting,
)
from countersign.core.types.verdict import Basis, Door, Filled
from countersign.ports import Query
from tests.support import decisions as some
from tests.support.decisions import NOON, denied

SPOOL, OTHER = "0" * 32, "1" * 32
MINUTE = timedelta(minutes=1)


def batch(*kept: Decision | Sighting, first: int = 1, **fields: Any) -> Batch:
    """Return a batch of consecutive entries."""
    entries = tuple(Entry(first + n, one) for n, one in enumerate(kept))
    given: dict[str, Any] = {"spool": SPOOL, "lost": 0, "more": False}
    return Batch(**{**given, "entries": entries, **fields})


def admitted(number: int = 0, *persons: str, **fields: Any) -> Decision:
    """Return an admission that some persons signed for."""
    filled = tuple(Filled("senior", p, Digest.sha256(p.encode())) for p in persons)
    basis = Basis(policy="payments", door=Door.SIGNED, filled=filled)
    given: dict[str, Any] = {
        "outcome": Outcome.ALLOWED,
        "message": "",
        "bases": (basis,),
    }
    return denied(number, **{**given, **fields})


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


async def ids(store: SqliteArchive, **fields: Any) -> list[int]:
    """Return the numbers of the decisions that a query finds."""
    return [int(r.decision.id) for r in await store.find(Query(**fields))]


@given(st.lists(some.batches(), min_size=1, max_size=4))
@settings(max_examples=25)
def test_returns_every_decision_as_it_was_first_made(batches: list[Batch]) -> None:
    """Bundles, intents and all; seen to fail where bundles lost their order.

    Batches may be told twice, and in any order: a position never goes back.
    """
    first: dict[str, Decision] = {}
    count: dict[str, int] = {}
    reached: dict[str, int] = {}
    for told in batches:
        for entry in told.entries:
            if entry.sequence > reached.get(told.spool, 0):
                reached[told.spool] = entry.sequence
                count[entry.kept.id] = count.get(entry.kept.id, 0) + 1
                if isinstance(entry.kept, Decision):
                    first.setdefault(entry.kept.id, entry.kept)

    async def scenario() -> None:
        with TemporaryDirectory() as folder:
            async with archive(Path(folder, "audit.db")) as store:
                for told in batches:
                    await store.add(told)
                    await store.add(told)
            async with archive(Path(folder, "audit.db")) as store:
                found = {id_: await store.get(id_) for id_ in count}
                listed = await store.find(Query(limit=1000))

        assert {id_: r and r.count for id_, r in found.items()} == count
        made = {id_: r.decision for id_, r in found.items() if r and id_ in first}
        assert made == first
        assert {r.decision.id for r in listed} == count.keys()

    asyncio.run(scenario())


async def test_counts_what_is_seen_again(file: Path) -> None:
    """Whatever replica says so, with who asked and from when to when."""
    later = Sighting(id=denied().id, at=NOON + MINUTE, requester="argocd")
    before = denied(at=NOON - MINUTE)
    async with archive(file) as store:
        await store.add(batch(denied(), later))
        await store.add(batch(before, spool=OTHER))
        seen = await store.get(denied().id)

    assert seen == Recorded(
        decision=denied(),
        first=NOON - MINUTE,
        last=NOON + MINUTE,
        count=3,
        requesters=("argocd", "lee"),
    )


async def test_a_batch_told_again_is_recorded_once(file: Path) -> None:
    """Also in part, and after a restart: the position is stored with the entries."""
    async with archive(file) as store:
        await store.add(batch(denied(1), denied(2)))
    async with archive(file) as store:
        await store.add(batch(denied(2), denied(3), first=2))
        await store.add(batch(denied(1)))

        assert [r.count for r in await store.find(Query())] == [1, 1, 1]
        assert await store.positions() == {SPOOL: 3}


async def test_remembers_where_each_spool_is_and_what_it_lost(file: Path) -> None:
    """The spool heard last comes first."""
    async with archive(file) as store:
        await store.add(batch(denied(1)))
        await store.add(batch(denied(2), spool=OTHER, lost=7))

        assert list((await store.positions()).items()) == [(OTHER, 1), (SPOOL, 1)]
        assert await store.lost() == {SPOOL: 0, OTHER: 7}


async def test_a_sighting_of_nothing_known_is_kept_until_the_decision_comes(
    file: Path,
) -> None:
    """Somebody was denied: that is not lost with the words of it."""
    seen = Sighting(id=denied().id, at=NOON + MINUTE, requester="argocd")
    async with archive(file) as store:
        await store.add(batch(seen))
        lost = await store.get(denied().id)
        found = await store.find(Query())
        await store.add(batch(denied(), first=2))
        made = await store.get(denied().id)

    assert lost is not None
    assert lost.decision.message.startswith("its particulars were lost")
    assert (lost.count, lost.requesters) == (1, ("argocd",))
    assert found == (lost,)
    assert made is not None
    assert made.decision == denied()
    assert (made.first, made.last, made.count) == (NOON, NOON + MINUTE, 2)


async def test_names_no_more_requesters_than_it_must(file: Path) -> None:
    """A decision that everybody runs into does not grow for ever."""
    crowd = [
        Sighting(id=denied().id, at=NOON, requester=f"user-{n}") for n in range(100)
    ]
    async with archive(file) as store:
        await store.add(batch(denied(), *crowd))
        seen = await store.get(denied().id)

    assert seen is not None
    assert seen.count == 101
    assert len(seen.requesters) == MAX_REQUESTERS
    assert "lee" in seen.requesters


_PAST = ObjectRef("", "Secret", "ledger", "key")
_NODE = ObjectRef("rbac.authorization.k8s.io", "ClusterRole", "", "admin")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({}, [4, 3, 2, 1, 0], id="all, the newest first"),
        pytest.param({"namespace": "ledger"}, [1], id="of a namespace"),
        pytest.param({"namespace": ""}, [2], id="cluster-scoped"),
        pytest.param({"kind": "Secret"}, [1], id="of a kind"),
        pytest.param({"name": "admin"}, [2], id="of a name"),
        pytest.param({"outcome": Outcome.ALLOWED}, [4, 3], id="of an outcome"),
        pytest.param({"person": "dana"}, [4, 3], id="who signed"),
        pytest.param({"person": "lee"}, [4], id="who declared"),
        pytest.param({"person": "dan"}, [], id="no part of a name"),
        pytest.param({"since": NOON + 3 * MINUTE}, [4, 3], id="since"),
        pytest.param({"until": NOON + 2 * MINUTE}, [2, 1, 0], id="until"),
        pytest.param({"debts": True}, [4], id="still to be reviewed"),
        pytest.param({"limit": 2}, [4, 3], id="no more than asked for"),
        pytest.param(
            {"person": "dana", "namespace": "ledger"}, [], id="all of it at once"
        ),
    ],
)
async def test_finds(file: Path, query: dict[str, Any], expected: list[int]) -> None:
    """Each parameter narrows; seen to fail with any one of them left out."""
    declared = admitted(4, "dana", at=NOON + 4 * MINUTE, review_due=NOON)
    basis = replace(declared.bases[0], declared_by=("lee",))
    kept = [
        denied(0),
        denied(1, object=_PAST, at=NOON + MINUTE),
        denied(2, object=_NODE, at=NOON + 2 * MINUTE),
        admitted(3, "dana", at=NOON + 3 * MINUTE, review_due=NOON),
        replace(declared, bases=(basis,)),
    ]
    async with archive(file) as store:
        await store.add(batch(*kept))
        await store.review(kept[3].id, Review(at=NOON, persons=("ravi",)))

        assert await ids(store, **query) == expected


async def test_the_first_review_stays(file: Path) -> None:
    """It is told with the decision, whole or in a list."""
    done = Review(at=NOON, persons=("omar", "ravi"))
    async with archive(file) as store:
        await store.add(batch(admitted(0, "omar", review_due=NOON)))
        await store.review(denied().id, done)
        await store.review(denied().id, Review(at=NOON + MINUTE, persons=("lee",)))
        whole = await store.get(denied().id)

        assert whole is not None
        assert whole.reviewed == done
        assert [r.reviewed for r in await store.find(Query())] == [done]


async def test_bundles_keep_their_order(file: Path) -> None:
    """And one that is there twice is there twice."""
    bundles = tuple(bytes([n % 7]) for n in range(20))
    async with archive(file) as store:
        await store.add(batch(admitted(0, "dana", bundles=bundles)))
        whole = await store.get(denied().id)

    assert whole is not None
    assert whole.decision.bundles == bundles


async def test_lists_carry_neither_bundles_nor_intents(file: Path) -> None:
    """And each is stored once, however many decisions carry it."""
    heavy = [admitted(n, "dana", bundles=(b"bundle" * 1000,)) for n in range(3)]
    async with archive(file) as store:
        await store.add(batch(*heavy))

        assert all(not r.decision.bundles for r in await store.find(Query()))
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM blobs").fetchone() == (1,)


async def test_a_full_database_records_nothing_of_a_batch(file: Path) -> None:
    """Neither half of it nor the position; and all of it once there is room."""
    big = batch(denied(0, bundles=(some_noise(400_000),)))
    async with archive(file) as store:
        await store.add(batch(denied(9), spool=OTHER))
        with no_room(store):
            with pytest.raises(Unavailable, match="full"):
                await store.add(big)
            assert await ids(store) == [9]
            assert await store.positions() == {OTHER: 1}
        await store.add(big)

        assert await store.positions() == {SPOOL: 1, OTHER: 1}


def some_noise(length: int) -> bytes:
    """Return bytes that do not compress."""
    return b"".join(
        bytes.fromhex(Digest.sha256(str(n).encode()).value) for n in range(length // 32)
    )


@contextmanager
def no_room(store: SqliteArchive) -> Iterator[None]:
    """Let the database grow no more."""
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
    yield
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")


async def test_a_database_that_somebody_locks_is_unavailable(file: Path) -> None:
    """Reading goes on: that is what WAL is for."""
    async with archive(file) as store:
        await store.add(batch(denied(1)))
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable, match="locked"):
                await store.add(batch(denied(2), first=2))
            assert await ids(store) == [1]
            other.execute("ROLLBACK")
        await store.add(batch(denied(2), first=2))

        assert await ids(store) == [1, 2]


async def test_nobody_else_reads_the_files(file: Path) -> None:
    """Also one that was restored with a wider mode."""
    async with archive(file) as store:
        await store.add(batch(denied()))
        assert modes(file.parent) == {0o600}
    widen(file)
    async with archive(file):
        assert modes(file.parent) == {0o600}


def modes(folder: Path) -> set[int]:
    """Return the modes of all files in a folder."""
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()}


def widen(file: Path) -> None:
    """Let everybody read a file."""
    file.chmod(0o644)


async def test_is_durable_and_checks_itself(file: Path) -> None:
    """What is acknowledged must survive the loss of power."""
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    async with archive(file) as store:
        with store._engine.connect() as connection:
            told = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in pragmas
            }

    assert told == pragmas


async def refused(file: Path, why: str) -> None:
    """Open `file`, which must not be possible."""
    with pytest.raises(Misconfigured, match=why):
        async with archive(file):
            pass


async def test_one_recorder_at_a_time(file: Path) -> None:
    """Two would both acknowledge what only one has."""
    async with archive(file):
        await refused(file, "in use by another recorder")
    async with archive(file):
        pass


async def test_refuses_a_later_version(file: Path) -> None:
    """It says which, and leaves the file alone."""
    async with archive(file):
        pass
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")

    await refused(file, "of version 1 in .*, saw 99")


async def test_refuses_what_is_no_audit_store(file: Path) -> None:
    """Another program's database, a text, a file cut in the middle, no folder."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE theirs (x)")
    await refused(file, "saw another database")
    overwrite(file, b"no database " * 1000)
    await refused(file, "damaged or none")
    await refused(file.parent / "nowhere" / "audit.db", "expected a folder")


async def test_refuses_a_damaged_store(file: Path) -> None:
    """Pages in the middle overwritten; it is not repaired in silence."""
    async with archive(file) as store:
        await store.add(batch(*(denied(n) for n in range(200))))
    overwrite(file, b"\xff" * (4096 * 9), at=4096 * 3)

    await refused(file, "damaged")


async def test_a_bundle_that_was_altered_on_disk_is_not_returned(file: Path) -> None:
    """Content is checked against its digest when it is read."""
    async with archive(file) as store:
        await store.add(batch(admitted(0, "dana", bundles=(b"bundle",))))
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE blobs SET data = x'00'")
        database.commit()
    async with archive(file) as store:
        with pytest.raises(Unavailable, match="damaged"):
            await store.get(denied().id)


def overwrite(file: Path, data: bytes, *, at: int = 0) -> None:
    """Write over a part of a file."""
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(data)
