"""The policies, rosters, trust roots and revocations of a cluster, watched."""

from collections.abc import Iterable

from countersign.adapters.books import LOADED, Books, bind_books, observe
from countersign.adapters.cluster.packed import key_of
from countersign.adapters.cluster.watch import Pace, Source, Watch
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.trust import TrustRoot
from countersign.ports import PolicySnapshot
from countersign.wire.resources.kinds import GROUP, VERSION, Kind


class _Trees:
    """The objects of one kind; `edition` counts the changes."""

    def __init__(self) -> None:
        self.edition = 0
        self._trees: dict[tuple[str, str], Tree] = {}

    def replace(self, trees: Iterable[Tree]) -> None:
        """Keep exactly `trees`."""
        self._trees = {key_of(tree): tree for tree in trees}
        self.edition += 1

    def put(self, tree: Tree) -> None:
        """Keep `tree` in place of the object of its name."""
        self._trees[key_of(tree)] = tree
        self.edition += 1

    def drop(self, tree: Tree) -> None:
        """Forget the object of the name of `tree`."""
        self._trees.pop(key_of(tree), None)
        self.edition += 1

    def all(self) -> Iterable[Tree]:
        """Return what is kept."""
        return self._trees.values()


class WatchedBooks:
    """PolicyBook and TrustBook over watches: never older than a named limit."""

    def __init__(
        self, server: Source, pace: Pace, *, protected: tuple[str, ...]
    ) -> None:
        self._protected = protected
        self._stale_s = pace.stale_s
        self._trees = {kind: _Trees() for kind in LOADED}
        self.watches = tuple(
            Watch(
                server,
                kind=kind.name,
                path=f"/apis/{GROUP}/{VERSION}/{kind.plural}",
                store=trees,
                pace=pace,
            )
            for kind, trees in self._trees.items()
        )
        self._bound: tuple[tuple[int, ...], Books] | None = None

    def snapshot(self) -> PolicySnapshot:
        """Return the present policies; see :class:`~countersign.ports.PolicyBook`."""
        return self._books().policies

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return the present trust roots; see :class:`~countersign.ports.TrustBook`."""
        return self._books().roots

    def trouble(self) -> tuple[str, ...]:
        """Return why nothing can be judged now; empty: it can."""
        told = []
        for watch in self.watches:
            age_s = watch.age_s()
            if age_s == float("inf"):
                told.append(f"no first list of {watch.kind} yet")
            elif watch.stale:
                told.append(
                    f"no word about {watch.kind} for {age_s:.0f} s, "
                    f"limit {self._stale_s:g} s"
                )
        return tuple(told)

    def _books(self) -> Books:
        if trouble := self.trouble():
            raise Unavailable("; ".join(trouble))
        edition = tuple(trees.edition for trees in self._trees.values())
        if self._bound is None or self._bound[0] != edition:
            books = bind_books(self._stored, self._protected)
            observe(books)
            self._bound = edition, books
        return self._bound[1]

    def _stored(self, kind: Kind) -> Iterable[Tree]:
        return self._trees[kind].all()
