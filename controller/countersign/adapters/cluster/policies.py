"""The policies, rosters, trust roots and revocations of a cluster, watched."""

from collections.abc import Iterable

from countersign.adapters.books import LOADED, Books, bind_books, observe
from countersign.adapters.cluster.source import Source
from countersign.adapters.cluster.stores import TreeStore
from countersign.adapters.cluster.watch import Pace, Watch
from countersign.core.errors import Stale, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.trust import TrustRoot
from countersign.ports import PolicySnapshot
from countersign.wire.resources.kinds import GROUP, VERSION, Kind


class WatchedBooks:
    """PolicyBook and TrustBook over watches: never older than a named limit."""

    def __init__(
        self, server: Source, pace: Pace, *, protected: tuple[str, ...]
    ) -> None:
        self._protected = protected
        self._stale_s = pace.stale_s
        self._trees = {kind: TreeStore() for kind in LOADED}
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
        """Return why nothing can be judged now; empty: it can.

        What changed is read here too, so that a broken policy is logged when it comes
        and not when it first matters.
        """
        told = self._unlisted() or self._silent()
        if not told:
            self._bind()
        return told

    def _unlisted(self) -> tuple[str, ...]:
        never = [watch.kind for watch in self.watches if watch.age_s() == float("inf")]
        return tuple(f"no first list of {kind} yet" for kind in never)

    def _silent(self) -> tuple[str, ...]:
        return tuple(
            f"no word about {watch.kind} for {watch.age_s():.0f} s, "
            f"limit {self._stale_s:g} s"
            for watch in self.watches
            if watch.stale
        )

    def _books(self) -> Books:
        if never := self._unlisted():
            raise Unavailable("; ".join(never))
        if silent := self._silent():
            raise Stale("; ".join(silent))
        return self._bind()

    def _bind(self) -> Books:
        edition = tuple(trees.edition for trees in self._trees.values())
        if self._bound is None or self._bound[0] != edition:
            books = bind_books(self._stored, self._protected)
            observe(books)
            self._bound = edition, books
        return self._bound[1]

    def _stored(self, kind: Kind) -> Iterable[Tree]:
        return self._trees[kind].all()
