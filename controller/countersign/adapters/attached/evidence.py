"""Evidence beside images: from memory, or asked for once however many want it.

A look that was begun is finished, also when whoever asked has no more time: so the retry
finds it. Nobody waits for more than one look, and those who wait for registries leave
room for those who do not.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from countersign.adapters.attached.lane import Flow, Lane
from countersign.adapters.attached.memory import FRESH_S, Memory
from countersign.core.errors import CountersignError, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import (
    Attached,
    ImageEvidence,
    Pinned,
    RememberedEvidence,
    Throttled,
)
from countersign.telemetry import (
    CACHE_REQUESTS,
    IMAGE_CACHE_BYTES,
    REGISTRY_LOOKS,
    REGISTRY_SECONDS,
)

logger = logging.getLogger(__name__)

MAX_FLIGHTS = 256  # looks begun or waiting for their turn
_MAX_HOSTS = 32  # that metrics tell apart; a policy may name them by a pattern

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What asking registries may cost.

    Attributes:
        cache_bytes: Of what is remembered.
        at_once: Looks at a time, of one registry.
        rate: Looks a second, of one registry.
        waiting: Who may wait for registries at a time; more are refused at once. Of
            that, and of `MAX_FLIGHTS`, one registry leaves a tenth to others.
        monotonic: The clock, in seconds.
        sleep: Waits.
    """

    cache_bytes: int = 64 << 20
    at_once: int = 8
    rate: float = 20.0
    waiting: int = 56
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class KeptEvidence:
    """RememberedEvidence in front of registries. Belongs to one event loop.

    Args:
        registries: Ask without memory.
        bounds: What that may cost.
    """

    def __init__(self, registries: ImageEvidence, bounds: Bounds) -> None:
        self._registries = registries
        self._bounds = bounds
        self._flow = Flow(
            at_once=bounds.at_once,
            rate=bounds.rate,
            monotonic=bounds.monotonic,
            sleep=bounds.sleep,
        )
        self._memory = Memory(bounds.cache_bytes, bounds.monotonic)
        self._lanes: dict[str, Lane] = {}
        self._flights: dict[Hashable, asyncio.Task[Any]] = {}
        self._waiting: Counter[str] = Counter()  # by registry
        self._flying: Counter[str] = Counter()
        self._hosts: set[str] = set()

    @property
    def size(self) -> int:
        """Bytes of what is remembered, estimated."""
        return self._memory.size

    def known(self, image: Pinned, *, within_s: float | None = None) -> Attached | None:
        """Return what is remembered of an answer; see the port."""
        found = self._memory.answer(image, within_s=within_s)
        CACHE_REQUESTS.labels("images", "hit" if found else "miss").inc()
        return found

    def known_blob(self, digest: Digest) -> bytes | None:
        """Return a blob that is remembered; see the port."""
        return self._memory.blob(digest)

    async def about(self, image: Pinned) -> Attached:
        """Return what a registry holds about an image now; see the port.

        Raises:
            Unavailable: as the registry's client says, or too much is asked already.
        """
        if fresh := self._memory.answer(image, within_s=FRESH_S):
            return fresh
        return await self._once(image, image, lambda: self._look(image))

    async def blob(self, image: Pinned, digest: Digest, *, limit: int) -> bytes | None:
        """Return what lies in the image's repository under a digest; see the port."""
        if known := self._memory.blob(digest):
            return known
        if self._memory.lacks(image.repository, digest):
            return None
        key = (image.repository, digest, limit)
        return await self._once(image, key, lambda: self._fetch(image, digest, limit))

    def spare(self) -> RememberedEvidence:
        """Return the same for those who have time: the others come first."""
        return _Spare(self)

    def lane(self, image: Pinned) -> Lane:
        """Return the way to the registry of an image."""
        host = image.registry
        if host not in self._lanes:
            self._lanes[host] = Lane(host, self._flow)
        return self._lanes[host]

    async def close(self) -> None:
        """End what is under way."""
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _once(
        self,
        image: Pinned,
        key: Hashable,
        work: Callable[[], Coroutine[Any, Any, _Found]],
    ) -> _Found:
        """Return the result of `work`, together with all who want the same."""
        host, most = image.registry, self._bounds.waiting
        if _is_full(self._waiting, host, most):
            raise Unavailable(
                f"expected fewer than {most} requests that wait for registries"
            )
        flight: asyncio.Task[_Found] | None = self._flights.get(key)
        if flight is None:
            if _is_full(self._flying, host, MAX_FLIGHTS):
                said = f"expected fewer than {MAX_FLIGHTS} looks at registries at once"
                raise Unavailable(said)
            flight = self._flights[key] = asyncio.create_task(work())
            self._flying[host] += 1
            flight.add_done_callback(lambda done: self._land(host, key, done))
        self._waiting[host] += 1
        try:
            return await asyncio.shield(flight)
        finally:
            self._waiting -= Counter((host,))

    def _land(self, host: str, key: Hashable, done: asyncio.Task[Any]) -> None:
        del self._flights[key]
        self._flying -= Counter((host,))
        with suppress(CountersignError, asyncio.CancelledError):
            done.result()  # who asked may be gone; only a bug is told to nobody else

    async def _look(self, image: Pinned) -> Attached:
        async with self.lane(image).turn():
            found = await self._observed(image, self._registries.about(image))
        self._memory.keep(image, found)
        IMAGE_CACHE_BYTES.set(self._memory.size)
        return found

    async def _fetch(self, image: Pinned, digest: Digest, limit: int) -> bytes | None:
        async with self.lane(image).turn():
            found = await self._observed(
                image, self._registries.blob(image, digest, limit=limit)
            )
        self._memory.keep_blob(image.repository, digest, found)
        IMAGE_CACHE_BYTES.set(self._memory.size)
        return found

    async def _observed(self, image: Pinned, look: Awaitable[_Found]) -> _Found:
        host, began = self._label(image.registry), self._bounds.monotonic()
        outcome = "failed"
        try:
            found = await look
            outcome = _outcome(found)
        except Unavailable as error:
            outcome = "throttled" if isinstance(error, Throttled) else "unavailable"
            extra = {"registry": host, "problem": str(error)[:512]}
            logger.warning("registry_unavailable", extra=extra)
            raise
        finally:
            REGISTRY_LOOKS.labels(host, outcome).inc()
            REGISTRY_SECONDS.observe(self._bounds.monotonic() - began)
        return found

    def _label(self, host: str) -> str:
        if len(self._hosts) < _MAX_HOSTS:
            self._hosts.add(host)
        return host if host in self._hosts else "other"


class _Spare:
    """The evidence for those who have time."""

    def __init__(self, kept: KeptEvidence) -> None:
        self._kept = kept

    def known(self, image: Pinned, *, within_s: float | None = None) -> Attached | None:
        return self._kept.known(image, within_s=within_s)

    def known_blob(self, digest: Digest) -> bytes | None:
        return self._kept.known_blob(digest)

    async def about(self, image: Pinned) -> Attached:
        async with self._kept.lane(image).spare():
            return await self._kept.about(image)

    async def blob(self, image: Pinned, digest: Digest, *, limit: int) -> bytes | None:
        async with self._kept.lane(image).spare():
            return await self._kept.blob(image, digest, limit=limit)


def _is_full(taken: Counter[str], host: str, most: int) -> bool:
    """Tell whether there is no room: at all, or none that one registry may take.

    Else one that hangs, or whose images somebody invents, would shut all others out.
    """
    return taken.total() >= most or taken[host] >= max(1, most - most // 10)


def _outcome(found: object) -> str:
    """Name what came of a look, as `countersign_registry_looks_total` counts it."""
    if isinstance(found, Attached):
        some = "found" if found.bundles else "nothing"
        return some if found.complete else "incomplete"
    return "nothing" if found is None else "found"
