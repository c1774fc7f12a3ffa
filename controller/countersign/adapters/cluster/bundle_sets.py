"""The BundleSets of a cluster: watched, and listed live before a denial.

The same ``kubectl apply`` may bring the evidence and the object that it is about, so the
object must not lose a race against our watch.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from countersign.adapters.cluster.shared_looks import SharedLooks
from countersign.adapters.cluster.source import NotThere, Source, segment
from countersign.adapters.cluster.stores import key_of
from countersign.adapters.cluster.watch import Pace, Watch
from countersign.adapters.set_index import SetIndex, made_at
from countersign.core.errors import Stale, Unavailable
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.ports import Detached
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP, VERSION
from countersign.wire.resources.objects import bundle_set
from countersign.wire.resources.read import name_of

_BASE: Final = f"/apis/{GROUP}/{VERSION}"
_PAGE = 16  # sets of one page: each may have 1.5 MiB
_NAMES = 500  # names of one page
_MAX_PAGES = 10  # of a live look at one namespace
_MAX_FETCHED = 64  # sets that one live look fetches, the newest first
_AT_ONCE = 8  # requests of one live look
_RECENT_S = 30.0  # seconds; no request is judged for longer

_Key = tuple[str, str]


class WatchedBundleSets:
    """BundleSource over a watch.

    Args:
        server: The API server.
        pace: Of the watch.
        own_namespace: Where sets about cluster-scoped objects lie.
        index: Where they are kept.
        notice: Is told of the intents of each set that comes after the first list.
    """

    def __init__(
        self,
        server: Source,
        pace: Pace,
        *,
        own_namespace: str,
        index: SetIndex | None = None,
        notice: Callable[[tuple[bytes, ...]], None] | None = None,
    ) -> None:
        self._server = server
        self._pace = pace
        self._own = own_namespace
        self._index = index or SetIndex(own_namespace)
        self._grown: dict[str, float] = {}
        self._looks = 0
        self._told: list[tuple[bool, _Key]] = []
        self._notice = notice
        self._shared = SharedLooks(self._look)
        self.watch = _SetWatch(server, self, pace)

    def trouble(self) -> tuple[str, ...]:
        """Return why evidence beside objects is not known; empty: it is."""
        kind, age_s = self.watch.kind, self.watch.age_s()
        if age_s == float("inf"):
            return (f"no first list of {kind} yet",)
        if self.watch.stale:
            limit_s = self._pace.stale_s
            return (f"no word about {kind} for {age_s:.0f} s, limit {limit_s:g} s",)
        return ()

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        """Return the sets that name `ref`; see the port."""
        if told := self.trouble():
            never = self.watch.age_s() == float("inf")
            raise (Unavailable if never else Stale)(told[0])
        return self._index.about(ref)

    async def refresh(self, namespace: str) -> bool:
        """Make what is known of a namespace what lies there now; see the port.

        What came by the watch a moment ago counts as new: whoever asks may have looked
        before that. All who ask at once share one look.

        Limits:
            `_MAX_PAGES` of names, `_MAX_FETCHED` sets.
        """
        where = namespace or self._own
        try:
            segment(where)
        except ValueError:
            return False  # no namespace can have that name
        await self._shared.at(where)
        since = self._grown.get(where)
        return since is not None and self._pace.monotonic() - since < _RECENT_S

    async def _look(self, where: str) -> None:
        path = f"{_BASE}/namespaces/{segment(where)}/{BUNDLE_SET.plural}"
        with self._looking() as told:
            names, whole = await self._names(path)
            wanted = self._index.unknown(where, names)[:_MAX_FETCHED]
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                for tree in await self._fetched(path, some):
                    if (False, key_of(tree)) not in told:  # deleted meanwhile
                        self._put(tree)
            if whole:
                came = {name for put, (place, name) in told if put and place == where}
                self._index.keep(where, {*names, *came})

    async def _names(self, path: str) -> tuple[tuple[str, ...], bool]:
        """Return the names of the sets at `path`, the newest first; are they all?"""
        found: list[Tree] = []
        pages, whole = 0, True
        async for trees, _ in self._server.pages(path, _NAMES, names_only=True):
            found += trees
            pages += 1
            if pages == _MAX_PAGES and len(trees) == _NAMES:
                whole = False
                break
        found.sort(key=_made, reverse=True)
        return tuple(name_of(tree) for tree in found), whole

    async def _fetched(self, path: str, names: Iterable[str]) -> list[Tree]:
        answers = await asyncio.gather(
            *(self._server.get(f"{path}/{segment(name)}") for name in names),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, NotThere):
                raise answer
        return [answer for answer in answers if isinstance(answer, dict)]

    @contextmanager
    def _looking(self) -> Iterator[list[tuple[bool, _Key]]]:
        """Note what the watch tells during a live look: it is newer than that."""
        if not self._looks:
            self._told = []
        self._looks += 1
        try:
            yield self._told
        finally:
            self._looks -= 1

    # The store of the watch

    def replace(self, trees: Iterable[Tree]) -> None:
        """Keep exactly `trees`."""
        listed = set()
        for tree in trees:
            self.put(tree)
            listed.add(key_of(tree))
        self.keep(listed)

    def keep(self, listed: Collection[_Key]) -> None:
        """Forget all sets but those of `listed`, by namespace and name."""
        for place in self._index.places():
            names = {name for where, name in listed if where == place}
            self._index.keep(place, names)

    def put(self, tree: Tree) -> None:
        """Keep `tree`, unless it is known already."""
        self._note(put=True, tree=tree)
        self._put(tree)

    def drop(self, tree: Tree) -> None:
        """Forget the set of the namespace and name of `tree`."""
        self._note(put=False, tree=tree)
        self._index.drop(tree)

    def _put(self, tree: Tree) -> None:
        if self._index.put(tree):
            self._grown[key_of(tree)[0]] = self._pace.monotonic()
            if self._notice and self.watch.age_s() != float("inf"):
                self._notice(_intents(tree))

    def _note(self, *, put: bool, tree: Tree) -> None:
        if self._looks:
            self._told.append((put, key_of(tree)))


def _intents(tree: Tree) -> tuple[bytes, ...]:
    _, intents = bundle_set(tree)  # it was read before
    return intents


def _made(tree: Tree) -> tuple[str, str]:
    """Sort key: when the server took it, which nobody else can say, then its name."""
    return made_at(tree), name_of(tree)


class _SetWatch(Watch):
    """Lists page by page: all sets of a cluster at once may not fit into memory."""

    def __init__(self, server: Source, sets: WatchedBundleSets, pace: Pace) -> None:
        super().__init__(
            server,
            kind=BUNDLE_SET.name,
            path=f"{_BASE}/{BUNDLE_SET.plural}",
            store=sets,
            pace=pace,
        )
        self._sets = sets

    async def _list(self) -> None:
        asked, listed, version = self._pace.monotonic(), set(), ""
        async for trees, at in self._server.pages(self.path, _PAGE):
            for tree in trees:
                self._sets.put(tree)
                listed.add(key_of(tree))
            version = at
        self._sets.keep(listed)
        self._version = version
        self._hear(asked)
