"""What the API server has of one kind, kept up to date: list, then watch.

Each watch request is short, so that a healthy one is never silent for long: the age of
the last word from the server is then a measure of how stale we may be. A connection
that is cut without a sound shows as age, not as peace.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from typing import Protocol

import orjson

from countersign.adapters.cluster.client import ApiServer, Gone
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree
from countersign.telemetry import WATCH_AGE, WATCH_FAILURES

logger = logging.getLogger(__name__)

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0  # seconds between attempts; the spread is random

Seconds = Callable[[], float]


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
        server: ApiServer,
        *,
        kind: str,
        path: str,
        store: Store,
        watch_s: float,
        monotonic: Seconds,
    ) -> None:
        self.kind = kind
        self.path = path
        self._server = server
        self._store = store
        self._watch_s = watch_s
        self._monotonic = monotonic
        self._heard: float | None = None
        WATCH_AGE.labels(kind).set_function(self.age_s)

    def age_s(self) -> float:
        """Return the seconds since the server last spoke; infinite before that."""
        if self._heard is None:
            return float("inf")
        return self._monotonic() - self._heard

    async def run(self) -> None:
        """List and watch for ever; failures are logged, counted and tried again."""
        version, wait = "", _FIRST_WAIT
        while True:
            try:
                version = await self._once(version)
                wait = _FIRST_WAIT
            except Gone:
                version = ""
            except Unavailable as error:
                WATCH_FAILURES.labels(self.kind).inc()
                logger.warning(
                    "watch_failed", extra={"kind": self.kind, "error": str(error)}
                )
                # half fixed, half random: replicas must not come back in step
                await asyncio.sleep(wait * (0.5 + random.random() / 2))  # noqa: S311
                wait = min(wait * 2, _LONGEST_WAIT)

    async def _once(self, version: str) -> str:
        """List where there is no version yet, else watch once; return the version."""
        if not version:
            trees, version = await self._server.list(self.path)
            self._store.replace(trees)
            self._hear()
            return version
        async with self._server.watch(self.path, version, self._watch_s) as lines:
            self._hear()
            async for line in lines:
                version = self._take(line) or version
                self._hear()
        self._hear()
        return version

    def _hear(self) -> None:
        self._heard = self._monotonic()

    def _take(self, line: bytes) -> str:
        """Apply one event; return its version.

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
        return version
