"""A watch keeps its store equal to the server's list, and knows how old that is."""

import asyncio
from typing import Any

import pytest

from countersign.adapters.cluster.policies import WatchedBooks
from countersign.adapters.cluster.stores import PackedStore
from countersign.adapters.cluster.watch import Pace, Watch
from countersign.core.errors import Stale, Unavailable
from tests.support import resources as stored
from tests.support.watched import Clock, FakeLists, running, until

PATH = "/api/v1/services"
POLICIES = "/apis/countersign.dev/v1alpha1/protectionpolicies"
ROSTERS = "/apis/countersign.dev/v1alpha1/rosters"
TRUST_ROOTS = "/apis/countersign.dev/v1alpha1/trustroots"
REVOCATIONS = "/apis/countersign.dev/v1alpha1/revocations"


def service(name: str, **spec: Any) -> dict[str, Any]:
    """Return a Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "payments"},
        "spec": spec,
    }


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="server")
def _server(clock: Clock) -> FakeLists:
    return FakeLists(clock)


@pytest.fixture(name="pace")
def _pace(clock: Clock) -> Pace:
    return Pace(watch_s=20, stale_s=60, monotonic=clock.monotonic, sleep=clock.sleep)


class TestWatch:
    """List, then watch."""

    @pytest.fixture(name="store")
    def _store(self) -> PackedStore:
        return PackedStore()

    @pytest.fixture(name="watch")
    def _watch(self, server: FakeLists, store: PackedStore, pace: Pace) -> Watch:
        return Watch(server, kind="Service", path=PATH, store=store, pace=pace)

    def names(self, store: PackedStore) -> list[str]:
        """Return the names of what is stored."""
        trees: list[dict[str, Any]] = list(store.all("payments"))
        return sorted(tree["metadata"]["name"] for tree in trees)

    async def test_follows_every_change(
        self, server: FakeLists, store: PackedStore, watch: Watch
    ) -> None:
        """Created, changed and deleted objects arrive."""
        await server.put(PATH, service("a"))
        async with running(watch):
            await until(lambda: self.names(store) == ["a"])
            await server.put(PATH, service("b"))
            await until(lambda: self.names(store) == ["a", "b"])
            await server.put(PATH, service("b", type="NodePort"))
            await until(
                lambda: (
                    (store.get("payments", "b") or {})["spec"] == {"type": "NodePort"}
                )
            )
            await server.remove(PATH, "a")
            await until(lambda: self.names(store) == ["b"])

        assert server.lists[PATH] == 1

    async def test_goes_on_where_a_watch_ended(
        self, server: FakeLists, store: PackedStore, watch: Watch
    ) -> None:
        """An ended watch is no reason to list again, and nothing is lost between."""
        async with running(watch):
            await until(lambda: watch.age_s() == 0)
            for name in ("a", "b", "c"):
                await server.end_watches()
                await server.put(PATH, service(name))
            await until(lambda: self.names(store) == ["a", "b", "c"])

        assert server.lists[PATH] == 1

    async def test_lists_again_where_history_is_gone(
        self, server: FakeLists, store: PackedStore, watch: Watch
    ) -> None:
        """What was deleted meanwhile is forgotten, too."""
        await server.put(PATH, service("a"))
        async with running(watch):
            await until(lambda: self.names(store) == ["a"])
            server.down = True
            await server.end_watches()
            await until(lambda: watch.age_s() > 1)
            await server.remove(PATH, "a")
            await server.put(PATH, service("b"))
            server.compact()
            server.down = False
            await until(lambda: self.names(store) == ["b"])

        assert server.lists[PATH] == 2

    async def test_an_error_event_of_compacted_history_lists_again(
        self, server: FakeLists, watch: Watch
    ) -> None:
        """The server may also say so inside of a watch."""
        async with running(watch):
            await until(lambda: watch.age_s() == 0)
            await server.say(PATH, "ERROR", {"code": 410, "message": "too old"})
            await until(lambda: server.lists[PATH] == 2)

    async def test_lists_again_after_a_restore_of_older_data(
        self, server: FakeLists, store: PackedStore, watch: Watch
    ) -> None:
        """The server then knows no version that we have seen, and says no more."""
        for name in ("a", "b", "c"):
            await server.put(PATH, service(name))
        async with running(watch):
            await until(lambda: len(self.names(store)) == 3)
            server.restore(1)
            await server.end_watches()
            await until(lambda: self.names(store) == [])

    @pytest.mark.parametrize(
        ("event", "tree"),
        [
            pytest.param("ERROR", {"code": 500, "message": "boom"}, id="an error"),
            pytest.param("WISH", {"metadata": {}}, id="no event"),
            pytest.param("ADDED", ["no", "object"], id="no object"),
            pytest.param("ADDED", None, id="nothing"),
        ],
    )
    async def test_garbage_ends_a_watch_and_not_the_watching(
        self,
        server: FakeLists,
        store: PackedStore,
        watch: Watch,
        event: str,
        tree: object,
    ) -> None:
        """Seen to catch: an AttributeError that ended the task."""
        async with running(watch):
            await until(lambda: watch.age_s() == 0)
            await server.say(PATH, event, tree)
            server.compact()
            await until(lambda: server.lists[PATH] == 2)
            await server.put(PATH, service("a"))
            await until(lambda: self.names(store) == ["a"])

    async def test_a_dead_server_is_asked_again_ever_more_slowly(
        self, server: FakeLists, clock: Clock, watch: Watch
    ) -> None:
        """Waits grow up to a bound."""
        server.down = True
        async with running(watch):
            await until(lambda: len(clock.slept) > 20)

        assert max(clock.slept[:2]) < 1
        assert 2.5 <= max(clock.slept) <= 5
        assert watch.age_s() == float("inf")
        assert watch.stale

    async def test_a_server_that_ends_watches_at_once_is_no_reason_to_spin(
        self, server: FakeLists, clock: Clock, watch: Watch
    ) -> None:
        """Seen to catch: a loop without a pause."""
        server.hasty = True
        async with running(watch):
            await until(lambda: len(clock.slept) > 10)

        assert max(clock.slept) >= 2.5

    async def test_a_server_without_etcd_shows_as_age(
        self, server: FakeLists, clock: Clock, watch: Watch
    ) -> None:
        """Its watches open, tell their bookmarks and end as if nothing had happened.

        Seen to fail where each of these counted as a word.
        """
        async with running(watch):
            await until(lambda: watch.age_s() == 0)
            server.cut_off = True
            while clock.now < 1061:
                await server.end_watches()
                clock.now += 10
                await asyncio.sleep(0)
            assert watch.stale

            server.cut_off = False
            await until(lambda: not watch.stale)
        assert server.lists[PATH] == 1

    async def test_all_that_fails_together_is_told_once(
        self,
        server: FakeLists,
        clock: Clock,
        pace: Pace,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """When it begins and when it is over; and what is not of the server, by kind."""
        caplog.set_level("INFO")
        many = [
            Watch(server, kind=f"K{n}", path=f"/{n}", store=PackedStore(), pace=pace)
            for n in range(5)
        ]

        def told() -> list[str]:
            return [record.getMessage() for record in caplog.records]

        async with running(*many):
            await until(lambda: not any(one.stale for one in many))
            server.down = True
            await server.end_watches()
            await until(lambda: len(clock.slept) > 40)
            assert told() == ["api_server_away"]
            server.down = False
            await until(lambda: len(told()) > 1)
            assert told() == ["api_server_away", "api_server_back"]
            await server.say("/3", "ERROR", {"code": 403, "message": "no right"})
            await until(lambda: len(told()) > 2)

            assert told()[2:] == ["watch_failed"]
            assert vars(caplog.records[2])["kind"] == "K3"
            assert set(server.lists.values()) == {1}
            await until(lambda: server.lists["/3"] == 2)
            for _ in range(9):
                await asyncio.sleep(0)  # its next watch is open
            await server.end_watches()
            await until(lambda: told()[3:] == ["watch_back"])

    async def test_silence_shows_as_age(
        self, server: FakeLists, clock: Clock, watch: Watch
    ) -> None:
        """A connection cut without a sound is not peace."""
        async with running(watch):
            await until(lambda: watch.age_s() == 0)
            server.silent = True
            clock.now += 61
            await server.bookmark(PATH)
            await until(lambda: True)
            assert watch.age_s() == 61
            assert watch.stale

            server.silent = False
            await server.bookmark(PATH)
            await until(lambda: not watch.stale)


class TestPackedStore:
    """Small, and the same when it comes out."""

    def test_gives_back_what_was_put_but_for_field_managers(self) -> None:
        """Long and short annotations return to their place."""
        tree = service("a")
        metadata = tree["metadata"]
        metadata["annotations"] = {"countersign.dev/bundles": "b" * 4096, "short": "s"}
        store = PackedStore()

        store.put({**tree, "metadata": {**metadata, "managedFields": [{}]}})

        assert store.get("payments", "a") == tree
        assert store.get("payments", "b") is None
        assert store.get("ledger", "a") is None

    def test_what_is_done_to_an_answer_stays_there(self) -> None:
        """Each look returns a new tree."""
        store = PackedStore()
        store.put(service("a", type="ClusterIP"))

        (store.get("payments", "a") or {}).clear()

        assert store.get("payments", "a") == service("a", type="ClusterIP")

    def test_evidence_is_kept_once_for_all_that_carry_it(self) -> None:
        """The Deployment controller copies it to every ReplicaSet."""
        store = PackedStore()
        for name in ("rs-1", "rs-2"):
            tree = service(name)
            tree["metadata"] |= {"annotations": {"e": "".join(["x"] * 5000)}}
            store.put(tree)

        trees: list[dict[str, Any]] = list(store.all("payments"))
        first, second = (tree["metadata"]["annotations"]["e"] for tree in trees)
        assert first is second

    def test_forgets_what_is_dropped(self) -> None:
        """And an emptied namespace leaves nothing behind."""
        store = PackedStore()
        store.put(service("a"))
        store.drop(service("a"))
        store.drop(service("never"))

        assert store.get("payments", "a") is None
        assert list(store.all("payments")) == []


class TestWatchedBooks:
    """Policies, rosters, trust roots and revocations of a cluster."""

    @pytest.fixture(name="books")
    def _books(self, server: FakeLists, pace: Pace) -> WatchedBooks:
        return WatchedBooks(server, pace, protected=("payments",))

    async def test_knows_nothing_before_the_first_full_list(
        self, server: FakeLists, books: WatchedBooks
    ) -> None:
        """Three lists of four are not enough."""
        *all_but_one, last = books.watches
        with pytest.raises(Unavailable, match="no first list of ProtectionPolicy"):
            books.snapshot()
        async with running(*all_but_one):
            await until(lambda: len(server.lists) == 3)
            with pytest.raises(Unavailable, match="no first list of Revocation yet"):
                books.snapshot()
            with pytest.raises(Unavailable):
                books.roots()
            async with running(last):
                await until(lambda: not books.trouble())

                assert books.snapshot().protected == ("payments",)

    async def test_serves_what_the_server_has(
        self, server: FakeLists, books: WatchedBooks
    ) -> None:
        """A change of one kind is seen in the resolved policies at once."""
        await server.put(POLICIES, stored.policy())
        await server.put(ROSTERS, stored.roster())
        async with running(*books.watches):
            await until(lambda: not books.trouble())
            (invalid,) = books.snapshot().invalid
            assert "no TrustRoot 'public-good'" in invalid.problems[0]

            await server.put(TRUST_ROOTS, stored.sigstore_root())
            await until(lambda: not books.snapshot().invalid)
            assert [policy.name for policy in books.snapshot().policies] == ["payments"]
            assert [root.name for root in books.roots()] == ["public-good"]

            await server.remove(ROSTERS, "platform")
            await until(lambda: not books.snapshot().policies)

    async def test_reads_objects_once_for_many_requests(
        self, server: FakeLists, books: WatchedBooks
    ) -> None:
        """The hot path parses nothing."""
        await server.put(POLICIES, stored.policy())
        async with running(*books.watches):
            await until(lambda: not books.trouble())

            assert books.snapshot() is books.snapshot()

    async def test_says_that_a_policy_is_broken_before_anyone_asks(
        self,
        server: FakeLists,
        books: WatchedBooks,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is read as soon as somebody looks whether this replica is ready."""
        await server.put(POLICIES, stored.policy(signOf={}))
        async with running(*books.watches):
            await until(lambda: not books.trouble())

            # once, whatever else changes
            await server.put(ROSTERS, stored.roster())
            await until(lambda: bool(books.snapshot().invalid))

        (record,) = [r for r in caplog.records if r.getMessage() == "resource_invalid"]
        assert vars(record)["problems"] == ["spec.signOf: unknown field"]

    @pytest.mark.parametrize("cut", [POLICIES, ROSTERS, TRUST_ROOTS, REVOCATIONS])
    async def test_denies_when_one_watch_has_been_silent_for_too_long(
        self, server: FakeLists, clock: Clock, books: WatchedBooks, cut: str
    ) -> None:
        """Nobody knows then whether something was revoked."""
        async with running(*books.watches):
            await until(lambda: not books.trouble())
            clock.now += 61
            for path in {POLICIES, ROSTERS, TRUST_ROOTS, REVOCATIONS} - {cut}:
                await server.bookmark(path)
            await until(lambda: len(books.trouble()) == 1)

            with pytest.raises(Stale, match="for 61 s, limit 60 s"):
                books.snapshot()
            await server.bookmark(cut)
            await until(lambda: not books.trouble())
            books.snapshot()

    async def test_governs_by_what_the_server_has(
        self, server: FakeLists, books: WatchedBooks
    ) -> None:
        """Two changes at once: the second waits until the first is known here.

        Seen to fail without the comparison: the older roster was returned.
        """
        await server.put(ROSTERS, stored.roster())
        async with running(*books.watches):
            await until(lambda: not books.trouble())
            before = await books.regime("platform")
            server.silent = True
            changed: Any = stored.roster()
            changed["spec"]["persons"][0]["name"] = "Somebody Else"
            await server.put(ROSTERS, changed)
            asked = asyncio.create_task(books.regime("platform"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await asyncio.shield(asked)
            server.silent = False
            await server.end_watches()
            after = await asked

        assert before.roster is not None
        assert after.roster is not None
        assert {p.name for p in after.roster} - {p.name for p in before.roster} == {
            "Somebody Else"
        }

    async def test_nobody_governs_where_no_root_is(
        self, server: FakeLists, books: WatchedBooks
    ) -> None:
        """Which is not the same as one that cannot be read."""
        broken: Any = stored.roster()
        broken["spec"]["persons"] = []
        await server.put(ROSTERS, broken)
        async with running(*books.watches):
            await until(lambda: not books.trouble())
            there = await books.regime("platform")
            none = await books.regime("other")

        assert there.roster is None
        assert there.problems
        assert none.roster is None
        assert not none.problems
