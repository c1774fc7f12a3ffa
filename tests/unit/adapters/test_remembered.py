"""A book that remembers is the same book as one that reads all again."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.books import bind_books
from countersign.adapters.remembered import Memory
from countersign.core.types.artifacts import Tree
from countersign.wire.resources.kinds import Kind
from tests.support import resources as stored

T = TypeVar("T")
MANY = 10_000
MANY_AT_ONCE = 10  # of what names one that changed

SPACES: tuple[dict[str, Any], ...] = (
    {"namespaces": ["a"]},
    {"namespaces": ["b"]},
    {"nonsense": []},
)
CHANGES = st.lists(
    st.one_of(
        st.tuples(
            st.just("ProtectionPolicy"),
            st.sampled_from(["p", "q"]),
            st.tuples(st.sampled_from(SPACES), st.sampled_from(["r", "s"])),
        ),
        st.tuples(
            st.just("Roster"), st.sampled_from(["r", "s"]), st.sampled_from(["x", ""])
        ),
        st.tuples(st.just("TrustRoot"), st.just("public-good"), st.booleans()),
        st.tuples(
            st.sampled_from(["ProtectionPolicy", "Roster", "TrustRoot"]),
            st.sampled_from(["p", "q", "r", "s", "public-good"]),
            st.none(),
        ),
    ),
    max_size=12,
)


def made(kind: str, name: str, about: Any) -> dict[str, Any]:
    """Return an object, perhaps one that nobody can read."""
    if kind == "ProtectionPolicy":
        return stored.policy(name, protect=about[0], roster=about[1])
    if kind == "Roster":
        return stored.roster(stored.person(about), name=name)
    return stored.sigstore_root(name) if about else stored.stored(kind, name, {"x": 1})


@given(CHANGES)
def test_remembers_nothing_that_is_no_longer_so(changes: list[Any]) -> None:
    """Whatever came, changed and went. Seen to fail without the roster among `given`."""
    trees: dict[tuple[str, str], Tree] = {}
    memory = Memory()

    def of(kind: Kind) -> Iterable[Tree]:
        return [tree for (sort, _), tree in trees.items() if sort == kind.name]

    for kind, name, about in changes:
        trees.pop((kind, name), None)
        if about is not None:
            trees[kind, name] = made(kind, name, about)

        assert bind_books(of, (), memory) == bind_books(of, ())


def test_ten_thousand_cost_one_reading_after_one_change() -> None:
    """Else each change would be an outage of seconds. Failed where nothing is kept."""
    reads: list[object] = []

    class Counting(Memory):
        def read(self, key: Any, given: tuple[object, ...], read: Callable[[], T]) -> T:
            def counted() -> T:
                reads.append(key)
                return read()

            return super().read(key, given, counted)

    names = [f"n-{number}" for number in range(MANY)]
    trees: dict[str, list[Tree]] = {
        "Roster": [made("Roster", name, "x") for name in names],
        "ProtectionPolicy": [
            made("ProtectionPolicy", name, ({"namespaces": [name]}, name))
            for name in names
        ],
    }
    memory = Counting()

    def of(kind: Kind) -> Iterable[Tree]:
        return trees.get(kind.name, ())

    bind_books(of, (), memory)
    assert len(reads) >= 2 * MANY
    reads.clear()
    trees["Roster"][7] = made("Roster", names[7], "y")
    bind_books(of, (), memory)

    assert 0 < len(reads) < MANY_AT_ONCE
