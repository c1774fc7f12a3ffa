"""The policies, rosters, trust roots and revocations of a cluster, watched."""

from collections.abc import Iterable

from countersign.adapters.books import LOADED, Books, bind_books, observe
from countersign.adapters.cluster.source import NotThere, Source
from countersign.adapters.cluster.stores import TreeStore, key_of
from countersign.adapters.cluster.watch import Pace, Watch
from countersign.adapters.remembered import Memory
from countersign.core.errors import Stale, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.governance import Regime
from countersign.core.types.trust import TrustRoot
from countersign.ports import PolicySnapshot
from countersign.wire.resources.kinds import (
    GROUP,
    REVOCATION,
    ROSTER,
    VERSION,
    Kind,
)

_PAGE = 500  # names in one page of a list
_LOOK_S = 0.05  # between looks whether the watches have come up with the server


class WatchedBooks:
    """PolicyBook, TrustBook and RootBook over watches: never older than a named limit."""

    def __init__(
        self, server: Source, pace: Pace, *, protected: tuple[str, ...]
    ) -> None:
        self._server = server
        self._protected = protected
        self._pace = pace
        self._stale_s = pace.stale_s
        self._trees = {kind: TreeStore() for kind in LOADED}
        self.watches = tuple(
            Watch(
                server,
                kind=kind.name,
                path=_path(kind),
                store=trees,
                pace=pace,
            )
            for kind, trees in self._trees.items()
        )
        self._memory = Memory()
        self._bound: tuple[tuple[int, ...], Books] | None = None

    def snapshot(self) -> PolicySnapshot:
        """Return the present policies; see :class:`~countersign.ports.PolicyBook`."""
        return self._books().policies

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return the present trust roots; see :class:`~countersign.ports.TrustBook`."""
        return self._books().roots

    async def regime(self, root: str) -> Regime:
        """Return who governs; see :class:`~countersign.ports.RootBook`.

        Two changes at once: the second is judged by what the first one left, so a list
        is asked for, and the watches are waited for until they have shown all of it.
        """
        while not await self._is_current():
            await self._pace.sleep(_LOOK_S)
        books = self._books()
        unread = {p.name for p in books.problems if p.kind == REVOCATION.name}
        about = (
            p.problems
            for p in books.problems
            if (p.kind, p.name) == (ROSTER.name, root)
        )
        return Regime(
            roster=books.rosters.get(root),
            problems=next(about, ()),
            revocations=books.policies.revocations,
            unread=frozenset(unread),
        )

    async def _is_current(self) -> bool:
        """Tell whether what is known is what the server has, version by version."""
        for kind, trees in self._trees.items():
            there: set[tuple[str, str]] = set()
            try:
                async for found, _ in self._server.pages(
                    _path(kind), _PAGE, names_only=True
                ):
                    there.update(map(_version, found))
            except NotThere as error:
                raise Unavailable(f"the server has no {kind.plural}") from error
            if there != {_version(tree) for tree in trees.all()}:
                return False
        return True

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
            books = bind_books(self._stored, self._protected, self._memory)
            observe(books, self._bound[1] if self._bound else None)
            self._bound = edition, books
        return self._bound[1]

    def _stored(self, kind: Kind) -> Iterable[Tree]:
        return self._trees[kind].all()


def _path(kind: Kind) -> str:
    return f"/apis/{GROUP}/{VERSION}/{kind.plural}"


def _version(tree: Tree) -> tuple[str, str]:
    """Return which object this is, as it was at which moment."""
    metadata = tree.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    return key_of(tree)[1], str(version)
