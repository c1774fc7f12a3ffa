"""An API server's lists and watches in memory: it keeps history, compacts it, and fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from countersign.adapters.cluster.source import Away, Gone, NotThere
from countersign.adapters.cluster.watch import Watch
from countersign.core.errors import Unavailable

Tree = dict[str, Any]
_Events = list[tuple[int, str, Tree]]
_Page = tuple[list[Tree], str]


class Clock:
    """A monotonic clock that goes on when told, or when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, and others run."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class FakeLists:
    """Behaves as the list and watch endpoints of one API server.

    Attributes:
        down: Nothing answers.
        hasty: Watches end as soon as they begin.
        silent: Connections stand, but nothing comes through them any more.
        cut_off: etcd is away: watches are served from what is remembered.
        lists: How often each path was listed.
        asked: Paths of the objects that were asked for.
        gone: Names of objects that are listed still, and gone when asked for.
    """

    def __init__(self, clock: Clock) -> None:
        self.down = False
        self.hasty = False
        self.silent = False
        self.cut_off = False
        self.lists: dict[str, int] = {}
        self.asked: list[str] = []
        self.gone: set[str] = set()
        self._clock = clock
        self._version = 1
        self._oldest = 1
        self._objects: dict[str, dict[str, Tree]] = {}
        self._events: list[tuple[int, str, str, Tree]] = []
        self._news = asyncio.Condition()
        self._ends = 0

    async def put(self, path: str, tree: Tree) -> None:
        """Create or change an object."""
        known = self._objects.setdefault(path, {})
        name = tree["metadata"]["name"]
        await self._tell(path, "MODIFIED" if name in known else "ADDED", tree)
        known[name] = tree

    async def remove(self, path: str, name: str) -> None:
        """Delete an object."""
        await self._tell(path, "DELETED", self._objects[path].pop(name))

    async def bookmark(self, path: str) -> None:
        """Say that nothing happened."""
        await self._tell(path, "BOOKMARK", {"metadata": {}})

    async def say(self, path: str, event: str, tree: Any) -> None:
        """Send any event, even one that is none."""
        await self._tell(path, event, tree)

    def compact(self) -> None:
        """Forget history: who asks for older versions must list again."""
        self._oldest = self._version

    def restore(self, version: int) -> None:
        """Go back to an older state of the store, without any object or history."""
        self._version = self._oldest = version
        self._objects.clear()
        self._events.clear()

    async def end_watches(self) -> None:
        """End every open watch, as a server does at its timeout."""
        async with self._news:
            self._ends += 1
            self._news.notify_all()

    async def _tell(self, path: str, event: str, tree: Any) -> None:
        self._version += 1
        if isinstance(tree, dict) and "metadata" in tree:
            tree["metadata"]["resourceVersion"] = str(self._version)
        async with self._news:
            self._events.append(
                (self._version, path, event, json.loads(json.dumps(tree)))
            )
            self._news.notify_all()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Answer a GET of one object."""
        del query
        self.asked.append(path)
        folder, _, name = path.rpartition("/")
        head, _, tail = folder.partition("/namespaces/")
        if tail and folder not in self._objects:  # put where all namespaces are listed
            folder = f"{head}/{tail.partition('/')[2]}"
        if self.down:
            raise Away("connection refused")
        if name in self.gone or name not in self._objects.get(folder, {}):
            raise NotThere(f"404 at {path}")
        return self._objects[folder][name]

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Answer a LIST."""
        if self.down:
            raise Away("connection refused")
        self.lists[path] = self.lists.get(path, 0) + 1
        return list(self._objects.get(path, {}).values()), str(self._version)

    async def pages(
        self, path: str, size: int, *, names_only: bool = False
    ) -> AsyncIterator[_Page]:
        """Answer a LIST in pages; of one namespace too, and metadata alone."""
        if self.down or self.cut_off:
            raise Away("connection refused")
        if size > 1:
            self.lists[path] = self.lists.get(path, 0) + 1
        head, _, tail = path.partition("/namespaces/")
        place, _, plural = tail.partition("/")
        known = self._objects.get(f"{head}/{plural}" if tail else path, {}).values()
        found = [t for t in known if not tail or t["metadata"]["namespace"] == place]
        version = str(self._version)
        if names_only:
            found = [{"metadata": tree["metadata"]} for tree in found]
        for start in range(0, max(1, len(found)), size):
            yield found[start : start + size], version
            await asyncio.sleep(0)  # others run between pages

    @asynccontextmanager
    async def watch(
        self, path: str, version: str, seconds: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Answer a WATCH; it ends when `end_watches` says so."""
        del seconds  # the test decides
        if self.down:
            raise Away("connection refused")
        if int(version) < self._oldest:
            raise Gone("too old resource version")
        if int(version) > self._version:
            raise Unavailable("too large resource version")
        yield _none() if self.hasty else self._lines(path, int(version))

    async def _lines(self, path: str, version: int) -> AsyncIterator[bytes]:
        ends, news = self._ends, self._news
        while True:
            async with news:
                while self._ends == ends and not self._after(path, version):
                    await news.wait()
                found = self._after(path, version)
            if self._ends > ends:
                self._clock.now += 1  # a watch that ends has lasted
                return
            for at, event, tree in found:
                version = at
                yield json.dumps({"type": event, "object": tree}).encode() + b"\n"

    def _after(self, path: str, version: int) -> _Events:
        return [
            (at, event, tree)
            for at, where, event, tree in self._events
            if where == path and at > version and not self.silent
        ]


async def _none() -> AsyncIterator[bytes]:
    lines: tuple[bytes, ...] = ()
    for line in lines:
        yield line


async def until(holds: Callable[[], bool]) -> None:
    """Let other tasks run until `holds`; give up after many turns."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")


@asynccontextmanager
async def running(*watches: Watch) -> AsyncIterator[None]:
    """Run `watches` in the background."""
    tasks = [asyncio.create_task(watch.run()) for watch in watches]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
