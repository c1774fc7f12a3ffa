"""Reads in the background: few at a time, remembered for one look, and bounded.

What verifies again must never be what keeps the API server from admitting.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

from countersign.adapters.cluster.source import Source
from countersign.adapters.cluster.state import LiveCluster
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import ObjectRef, Tree

_PAGE = 250  # objects of one page
_MOST = 10_000  # objects of one kind and namespace


class Paced:
    """Reads of an API server, so many a second.

    Args:
        server: The API server.
        rate: Requests a second, at most.
    """

    def __init__(self, server: Source, rate: float) -> None:
        self._server = server
        self._apart_s = 1 / rate
        self._next = 0.0

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`; see `Source`."""
        await self._turn()
        return await self._server.get(path, query)

    async def pages(
        self, path: str, size: int, *, names_only: bool = False
    ) -> AsyncIterator[tuple[list[Tree], str]]:
        """Yield the objects at `path` page by page; see `Source`."""
        await self._turn()
        async for page in self._server.pages(path, size, names_only=names_only):
            yield page
            await self._turn()

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Return all objects at `path`; see `Source`.

        Raises:
            Unavailable: there are more than `_MOST`, too.
        """
        found: list[Tree] = []
        version = ""
        async for page, at in self.pages(path, _PAGE):
            found += page
            version = at
            if len(found) > _MOST:
                raise Unavailable(f"more than {_MOST} objects at {path}")
        return found, version

    def watch(
        self, path: str, version: str, seconds: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch; see `Source`. Nothing here does."""
        return self._server.watch(path, version, seconds)

    async def _turn(self) -> None:
        now = asyncio.get_running_loop().time()
        wait, self._next = self._next - now, max(self._next, now) + self._apart_s
        if wait > 0:
            await asyncio.sleep(wait)


class Remembering:
    """ClusterState of one look: nothing is asked twice.

    Args:
        state: Answers.
    """

    def __init__(self, state: LiveCluster) -> None:
        self._state = state
        self._lists: dict[tuple[str, str, str, str], dict[str, Tree]] = {}
        self._objects: dict[tuple[str, ObjectRef], Tree | None] = {}

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return an object, or None; see :class:`~countersign.ports.ClusterState`."""
        listed = self._lists.get((ref.group, version, ref.kind, ref.namespace))
        if listed is not None:
            return listed.get(ref.name)
        key = version, ref
        if key not in self._objects:
            self._objects[key] = await self._state.get(version, ref, live=live)
        return self._objects[key]

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return all of a kind and namespace; see the port."""
        key = kind.group, version, kind.kind, kind.namespace
        if key not in self._lists:
            found = await self._state.list(version, kind)
            self._lists[key] = {_name(tree): tree for tree in found}
        return tuple(self._lists[key].values())


def _name(tree: Tree) -> str:
    about = tree.get("metadata")
    return str(about.get("name")) if isinstance(about, dict) else ""
