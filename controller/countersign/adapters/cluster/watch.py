"""What the API server has of one kind, kept up to date: list, then watch.

Each watch request is short, and before each the server is asked for one name, which it
may answer only after it has asked etcd: the age of its last word is then a measure of how
stale we may be. A connection that is cut without a sound shows as age, not as peace. So
does an API server that is cut off from etcd: out of its own cache it opens, bookmarks and
ends watches as if nothing had happened, while another one stores a revocation.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from countersign.adapters.cluster.lapses import Lapses
from countersign.adapters.cluster.source import Away, Gone, Source
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree
from countersign.telemetry import WATCH_AGE, WATCH_FAILURES

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0  # seconds between attempts; the spread is random
_RELIST_AFTER = 3  # refusals in a row: of what we last saw, it seems
_TOO_SHORT = 0.5  # seconds of a watch without events: client-go doubts it below 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How closely the server is followed.

    Attributes:
        watch_s: How long one watch request lasts, in seconds.
        stale_s: After so long without a word nothing is known any more.
        monotonic: The clock for both, in seconds.
        sleep: Waits.
        lapses: Is told of what fails; one for all that follow one server.
    """

    watch_s: float
    stale_s: float
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    lapses: Lapses = field(default_factory=Lapses)


class Store(Protocol):
    """Where the objects of one kind are kept."""

    def replace(self, trees: Iterable[Tree]) -> None:
        """Keep exactly `trees`."""
        ...

    def put(self, tree: Tree) -> None:
        """Keep `tree` in place of the object of its namespace and name."""
        ...

    def drop(self, tree: Tree) -> None:
        """Forget the object of the namespace and name of `tree`."""
        ...


class Watch:
    """Keeps a store up to date with one list of the API server.

    Attributes:
        kind: For people and metrics.
        path: Of the list.
    """

    def __init__(
        self,
        server: Source,
        *,
        kind: str,
        path: str,
        store: Store,
        pace: Pace,
    ) -> None:
        self.kind = kind
        self.path = path
        self._server = server
        self._store = store
        self._pace = pace
        self._heard: float | None = None
        self._version = ""
        WATCH_AGE.labels(kind).set_function(self.age_s)

    def age_s(self) -> float:
        """Return the seconds since the server last spoke; infinite before that."""
        if self._heard is None:
            return float("inf")
        return self._pace.monotonic() - self._heard

    @property
    def stale(self) -> bool:
        """Whether the server has been silent for too long, or from the start."""
        return self.age_s() > self._pace.stale_s

    async def run(self) -> None:
        """List and watch for ever; failures are told, counted and tried again."""
        wait, refusals, lapses = _FIRST_WAIT, 0, self._pace.lapses
        while True:
            try:
                if not self._version:
                    await self._list()
                else:
                    await self._confirm()
                if not refusals:
                    lapses.back(self.kind)
                await self._watch()
                wait, refusals = _FIRST_WAIT, 0
                lapses.back(self.kind)
            except Unavailable as error:
                # one that is away is no reason to list everything when it comes back
                refusals += not isinstance(error, Away | Gone)
                if isinstance(error, Gone) or refusals >= _RELIST_AFTER:
                    self._version = ""
                WATCH_FAILURES.labels(self.kind).inc()
                lapses.fail(self.kind, error)
                # half fixed, half random: replicas must not come back in step
                await self._pace.sleep(wait * (0.5 + random.random() / 2))  # noqa: S311
                wait = min(wait * 2, _LONGEST_WAIT)

    async def _list(self) -> None:
        asked = self._pace.monotonic()
        trees, self._version = await self._server.list(self.path)
        self._store.replace(trees)
        self._hear(asked)

    async def _confirm(self) -> None:
        """Have the server say that it still speaks for etcd.

        Raises:
            Gone: etcd knows less than we saw: an older state of it was restored.
            Unavailable: the server cannot say.
        """
        asked = self._pace.monotonic()
        async for _, version in self._server.pages(self.path, 1, names_only=True):
            if _number(version) < _number(self._version):
                raise Gone(f"etcd is at {version}, before {self._version}: restored")
            self._hear(asked)
            break

    async def _watch(self) -> None:
        """Follow the server from the last version on, until it ends the watch."""
        begun, silent = self._pace.monotonic(), True
        opened = self._server.watch(self.path, self._version, self._pace.watch_s)
        async with opened as lines:
            async for line in lines:
                before = self._version
                self._take(line)
                if self._version != before:
                    self._hear(self._pace.monotonic())
                silent = False
        if silent and self._pace.monotonic() - begun < _TOO_SHORT:
            raise Unavailable("the watch ended as soon as it began")

    def _hear(self, at: float) -> None:
        self._heard = at

    def _take(self, line: bytes) -> None:
        """Apply one event, and go on from its version.

        Raises:
            Gone: the server asks for a new list.
            Unavailable: no event, or another error of the server.
        """
        try:
            event = orjson.loads(line)
            sort, tree = event["type"], event["object"]
            version = str((tree.get("metadata") or {}).get("resourceVersion", ""))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise Unavailable(f"expected an event of a watch: {error}") from error
        match sort:
            case "ADDED" | "MODIFIED":
                self._store.put(tree)
            case "DELETED":
                self._store.drop(tree)
            case "BOOKMARK":
                pass
            case _:
                failure = Gone if tree.get("code") == 410 else Unavailable  # noqa: PLR2004
                raise failure(f"the API server ended the watch: {tree.get('message')}")
        self._version = version or self._version


def _number(version: str) -> int:
    """Return a version to compare: of one kind they grow (KEP-5504)."""
    return int(version) if version.isdecimal() else 0
