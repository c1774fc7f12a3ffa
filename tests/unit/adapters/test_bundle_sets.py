"""BundleSets are found by what they name, within bounds, and before the watch has them."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.cluster.bundle_sets import WatchedBundleSets
from countersign.adapters.cluster.watch import Pace
from countersign.adapters.set_index import SetIndex
from countersign.adapters.set_shares import Rank, chosen, share
from countersign.core.errors import Stale, Unavailable
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.change import Deletion, NamespaceWindow
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.signoff import render_sign_off
from tests.support.claims import SIGN_OFF
from tests.support.watched import Clock, FakeLists, running, until

SETS = "/apis/countersign.dev/v1alpha1/bundlesets"
OWN = "countersign"
LEDGER = ObjectRef("apps", "Deployment", "payments", "ledger")
SIZE = 32_200  # bytes of a `large` set, rounded up
NODE = ObjectRef("", "Node", "", "n1")


def signed(*changes: Any, salt: str = "") -> bytes:
    """Return a bundle that nobody proves here."""
    claim = replace(SIGN_OFF, changes=changes, link=salt)
    return render_key_bundle(Envelope(render_sign_off(claim), b"x"), "nobody")


def about(ref: ObjectRef, salt: str = "", namespace: str = "payments") -> Any:
    """Return a set about an object."""
    bundle = signed(Deletion(object=ref, uid="1"), salt=salt)
    return render_bundle_set("set", [bundle], [], namespace)


def at(tree: Any, minute: int) -> Any:
    """Return a set as the server takes it at that minute."""
    made = f"2026-11-23T{minute // 60:02}:{minute % 60:02}:00Z"
    return {**tree, "metadata": {**tree["metadata"], "creationTimestamp": made}}


def large(minute: int, namespace: str = "payments") -> Any:
    """Return a set of some 30 KB about an object there, made at that minute."""
    ref = replace(LEDGER, namespace=namespace)
    return at(about(ref, f"{minute:020000}", namespace), minute)


def names(index: SetIndex | WatchedBundleSets, ref: ObjectRef = LEDGER) -> list[str]:
    """Return the names of the sets that are found for an object."""
    return [one.name for one in index.about(ref) if one.whole]


class TestIndex:
    """What is found."""

    @pytest.fixture(name="index")
    def _index(self) -> SetIndex:
        return SetIndex(OWN)

    def test_finds_what_names_an_object(self, index: SetIndex) -> None:
        """By name, sorted; other objects find nothing."""
        trees = sorted((about(LEDGER, str(n)) for n in range(3)), key=_name)
        for tree in reversed(trees):
            assert index.put(tree)
            assert not index.put(tree)

        assert names(index) == [_name(tree) for tree in trees]
        for other in (
            replace(LEDGER, name="other"),
            replace(LEDGER, kind="StatefulSet"),
            replace(LEDGER, group="extensions"),
            replace(LEDGER, namespace="orders"),
        ):
            assert names(index, other) == []

    def test_finds_by_the_prefix_of_a_name(self, index: SetIndex) -> None:
        """The server makes the name of it."""
        prefix = replace(LEDGER, name="", generate_name="ledger-")
        index.put(about(prefix))

        assert names(index, replace(LEDGER, name="ledger-x7", generate_name="ledger-"))
        assert not names(index, replace(LEDGER, name="ledger-x7"))

    def test_a_place_speaks_for_itself_alone(self, index: SetIndex) -> None:
        """Sets about cluster-scoped objects lie with us, and nowhere else."""
        index.put(about(LEDGER, namespace="orders"))
        index.put(about(NODE, namespace="payments"))
        assert not names(index)
        assert not names(index, NODE)
        index.put(about(NODE, namespace=OWN))
        assert names(index, NODE)

    def test_a_window_is_about_all_of_its_namespace(self, index: SetIndex) -> None:
        """Of its own, and of nothing else."""
        window = signed(NamespaceWindow(namespace="payments"))
        for place in ("payments", "orders", OWN):
            index.put(render_bundle_set("w", [window], [], place))

        assert len(names(index)) == 1
        assert not names(index, replace(LEDGER, namespace="orders"))
        assert not names(index, NODE)

    def test_forgets(self, index: SetIndex) -> None:
        """All of it."""
        tree = about(LEDGER)
        index.put(tree)
        index.drop(tree)

        assert not names(index)
        assert index.places() == ()
        assert index.put(tree)

    def test_ten_thousand_are_each_found(self) -> None:
        """Of many namespaces: all have room. Failed with a tenth of the room."""
        index = SetIndex(OWN)
        refs = [
            replace(LEDGER, namespace=f"n-{number % 100}", name=f"a-{number}")
            for number in range(10_000)
        ]
        for ref in refs:
            index.put(about(ref, namespace=ref.namespace))

        assert all(len(names(index, ref)) == 1 for ref in refs)

    def test_keeps_the_oldest_and_the_newest(self) -> None:
        """Whatever came first; what is not kept is named, and told apart."""
        trees = [large(n) for n in range(9)]
        for order in (trees, trees[::-1]):
            index = SetIndex(OWN, namespace_bytes=SIZE * 4)
            for tree in order:
                index.put(tree)
            unread = index.about(replace(LEDGER, name="other"))

            assert names(index) == sorted(map(_name, [*trees[:3], trees[8]]))
            assert [one.whole for one in unread] == [False]
            assert unread[0].bundles == ()
            assert index.unknown("payments", [_name(t) for t in trees]) == ()
            assert not index.put(trees[4])

    def test_fetches_what_there_is_room_for_again(self) -> None:
        """It is not there by itself: we let go of what is in it."""
        trees = [large(n) for n in range(5)]
        index = SetIndex(OWN, namespace_bytes=SIZE * 4)
        for tree in trees:
            index.put(tree)
        assert _name(trees[3]) not in names(index)
        index.drop(trees[0])

        assert index.unknown("payments", [_name(t) for t in trees[1:]]) == (
            _name(trees[3]),
        )
        assert index.put(trees[3])
        assert names(index) == sorted(map(_name, trees[1:]))
        assert all(one.whole for one in index.about(LEDGER))

    def test_what_is_made_anew_is_new(self) -> None:
        """Also when nobody told us that it was gone."""
        trees = [large(n) for n in range(6)]
        index = SetIndex(OWN, namespace_bytes=SIZE * 4)
        for tree in (*trees, at(trees[0], 9)):
            index.put(tree)
        for name in index.unknown("payments", [_name(t) for t in trees]):
            index.put(next(t for t in trees if _name(t) == name))

        assert names(index) == sorted(map(_name, [*trees[1:4], trees[0]]))

    def test_junk_displaces_neither_what_runs_nor_what_comes(self) -> None:
        """In one namespace as in all, in any order, and after a restart."""
        runs = [large(n) for n in range(3)]
        elsewhere = [large(n, "orders") for n in range(2)]
        junk = [
            large(10 + n, place) for n in range(30) for place in ("payments", "a", "b")
        ]
        fresh = [large(50), large(50, "orders")]
        trees = [*runs, *elsewhere, *junk, *fresh]
        for seed in range(5):
            index = SetIndex(OWN, namespace_bytes=SIZE * 6, all_bytes=SIZE * 15)
            for tree in random.Random(seed).sample(trees, len(trees)):  # noqa: S311
                index.put(tree)

            assert {*map(_name, [*runs, fresh[0]])} <= {*names(index)}
            there = replace(LEDGER, namespace="orders")
            assert names(index, there) == sorted(map(_name, [*elsewhere, fresh[1]]))
            assert all(one.whole for one in index.about(there))
            places = (replace(LEDGER, namespace=p) for p in index.places())
            assert sum(len(names(index, ref)) for ref in places) <= 15

    def test_passes_over_what_nobody_can_read(self, index: SetIndex) -> None:
        """A name without its digest, and a spec that is none."""
        tree = about(LEDGER)
        for spoilt in (
            {**tree, "metadata": {**tree["metadata"], "name": "set"}},
            {**tree, "spec": {}},
        ):
            assert not index.put(spoilt)

        assert not names(index)
        assert index.unknown("payments", ["set", "new"]) == ("new",)


RANKS = st.lists(
    st.builds(
        Rank, st.sampled_from(["", "1", "2", "3"]), st.text("ab"), st.integers(1, 40)
    ),
    max_size=12,
    unique_by=lambda rank: rank.name,
)
DEMANDS = st.lists(st.integers(0, 60), max_size=8)


class TestShares:
    """Who gets room."""

    @given(RANKS, st.integers(0, 200), st.randoms())
    def test_goes_by_age_alone(
        self, ranks: list[Rank], room: int, order: random.Random
    ) -> None:
        """In no more than the room, all where all fit; the newest always, if it can."""
        kept = chosen(ranks, room)
        used = sum(rank.size for rank in ranks if rank.name in kept)
        newest = max(ranks, key=lambda rank: rank.age, default=None)

        assert chosen(order.sample(ranks, len(ranks)), room) == kept
        assert used <= room
        assert len(kept) == len(ranks) or sum(rank.size for rank in ranks) > room
        assert newest is None or newest.name in kept or newest.size > room // 4

    @given(RANKS, RANKS, st.integers(0, 200))
    def test_what_is_younger_takes_no_place_of_the_oldest(
        self, ranks: list[Rank], junk: list[Rank], room: int
    ) -> None:
        """Three quarters are theirs."""
        old = [rank._replace(made="0") for rank in ranks]
        younger = [rank._replace(name=f"x{rank.name}") for rank in junk]
        left, theirs = room - room // 4, set()
        for rank in sorted(old, key=lambda rank: rank.age):
            if rank.size <= left:
                theirs.add(rank.name)
                left -= rank.size

        assert theirs <= chosen([*old, *younger], room)

    @given(DEMANDS, st.integers(0, 60), st.integers(1, 50), st.integers(0, 200))
    def test_no_namespace_takes_the_part_of_another(
        self, demands: list[int], own: int, most: int, total: int
    ) -> None:
        """An equal part is everybody's own; and what is left of others' is used."""
        room = share([*demands, own], most=most, total=total)
        used = sum(min(demand, room) for demand in (*demands, own))

        assert min(own, room) >= min(own, most, total // (len(demands) + 1))
        assert used <= total
        assert room == most or used > total - len(demands) - 1


class TestWatched:
    """What is known of a server."""

    @pytest.fixture(name="clock")
    def _clock(self) -> Clock:
        return Clock()

    @pytest.fixture(name="server")
    def _server(self, clock: Clock) -> FakeLists:
        return FakeLists(clock)

    @pytest.fixture(name="sets")
    def _sets(self, server: FakeLists, clock: Clock) -> WatchedBundleSets:
        pace = Pace(
            watch_s=20, stale_s=60, monotonic=clock.monotonic, sleep=clock.sleep
        )
        return WatchedBundleSets(server, pace, own_namespace=OWN)

    async def test_knows_nothing_before_the_first_list(
        self, server: FakeLists, sets: WatchedBundleSets, clock: Clock
    ) -> None:
        """Nor after too long a silence."""
        with pytest.raises(Unavailable):
            sets.about(LEDGER)
        assert sets.trouble()
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            assert names(sets) == []
            server.silent = True
            clock.now += 61
            with pytest.raises(Stale):
                sets.about(LEDGER)
            assert "limit 60 s" in sets.trouble()[0]

    async def test_follows_the_server(
        self, server: FakeLists, sets: WatchedBundleSets
    ) -> None:
        """Page by page at first, then event by event."""
        trees = [about(LEDGER, str(n)) for n in range(40)]
        for tree in trees:
            await server.put(SETS, tree)
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            assert len(names(sets)) == 40
            await server.remove(SETS, _name(trees[0]))
            await until(lambda: len(names(sets)) == 39)
            await server.put(SETS, trees[0])
            await until(lambda: len(names(sets)) == 40)

    async def test_lists_again_what_it_missed(
        self, server: FakeLists, sets: WatchedBundleSets
    ) -> None:
        """And forgets what went meanwhile."""
        first, second = about(LEDGER, "1"), about(LEDGER, "2")
        await server.put(SETS, first)
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            server.down = True
            await server.end_watches()
            await server.remove(SETS, _name(first))
            await server.put(SETS, second)
            server.compact()
            server.down = False
            await until(lambda: names(sets) == [_name(second)])

    async def test_a_live_look_is_ahead_of_the_watch(
        self, server: FakeLists, sets: WatchedBundleSets, clock: Clock
    ) -> None:
        """It says so once, and for as long as somebody may have looked before."""
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            server.silent = True
            tree = about(LEDGER)
            await server.put(SETS, tree)
            assert names(sets) == []
            assert not await sets.refresh("orders")
            assert await sets.refresh("payments")
            assert names(sets) == [_name(tree)]
            assert await sets.refresh("payments")
            clock.now += 31
            assert not await sets.refresh("payments")
            assert sum(one.endswith(_name(tree)) for one in server.asked) == 1

    async def test_what_the_watch_just_told_is_news(
        self, server: FakeLists, sets: WatchedBundleSets, clock: Clock
    ) -> None:
        """Whoever asks may have looked a moment before it came."""
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            clock.now += 31
            await server.put(SETS, about(LEDGER))
            await until(lambda: names(sets) != [])
            assert await sets.refresh("payments")

    async def test_a_live_look_sees_what_is_gone(
        self, server: FakeLists, sets: WatchedBundleSets
    ) -> None:
        """So that of two sets that hold the same one stays."""
        trees = [about(LEDGER, str(n)) for n in range(2)]
        for tree in trees:
            await server.put(SETS, tree)
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            server.silent = True
            await server.remove(SETS, _name(trees[0]))
            await sets.refresh("payments")
            assert names(sets) == [_name(trees[1])]

    async def test_sets_about_cluster_scoped_objects_are_ours(
        self, server: FakeLists, sets: WatchedBundleSets
    ) -> None:
        """They are looked for where we run."""
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            server.silent = True
            await server.put(SETS, about(NODE, namespace=OWN))
            assert await sets.refresh("")
            assert names(sets, NODE)

    async def test_a_server_that_does_not_answer(
        self, server: FakeLists, sets: WatchedBundleSets
    ) -> None:
        """Then nobody knows; and no namespace has a name like a path."""
        server.down = True
        with pytest.raises(Unavailable):
            await sets.refresh("payments")
        assert not await sets.refresh("../orders")

    async def test_a_set_that_goes_during_the_look(
        self, server: FakeLists, sets: WatchedBundleSets
    ) -> None:
        """It was listed, and is not there when it is fetched."""
        tree = about(LEDGER)
        async with running(sets.watch):
            await until(lambda: not sets.trouble())
            server.silent = True
            await server.put(SETS, tree)
            server.gone.add(_name(tree))
            assert not await sets.refresh("payments")
            assert names(sets) == []


def _name(tree: Any) -> str:
    return str(tree["metadata"]["name"])
