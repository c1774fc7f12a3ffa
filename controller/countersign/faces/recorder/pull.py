"""The loops that take decisions from the replicas: one for each, so none holds up another.

Replicas come and go: names are looked up again and again. What fails is logged, counted
and tried again, after a while that grows.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from countersign.core.errors import CountersignError
from countersign.core.types.artifacts import Json
from countersign.ports import Clock, Intake, Spool
from countersign.telemetry import PULLS, RECORDED, SPOOL_AGE, SPOOLS_LOST
from countersign.usecases.record_spools import Pulled, SpoolRecorder
from countersign.wire.shapes import render_time

logger = logging.getLogger(__name__)

_LOOK_S = 5.0  # between two look-ups of the replicas' names
_LONGEST_S = 30.0  # between two attempts at a replica that fails


class Replicas(Protocol):
    """Finds the replicas."""

    async def look(self) -> tuple[Mapping[str, Spool], tuple[str, ...]]:
        """Return a spool for each address, and what went wrong."""
        ...


class Store(Intake, Protocol):
    """The audit store, which also knows what is not in it."""

    async def lost(self) -> Mapping[str, int]:
        """Return how many decisions each spool could not keep; Unavailable."""
        ...


@dataclass(slots=True)
class Replica:
    """What is known of one.

    Attributes:
        task: Its loop.
        since: When it was found.
        pulled: The last that came of it, or None.
        at: When.
        trouble: Why the last attempt failed; ``""``: it did not.
    """

    task: asyncio.Task[None] = field(repr=False)
    since: datetime
    pulled: Pulled | None = None
    at: datetime | None = None
    trouble: str = ""


class Puller:
    """Takes decisions for as long as `run` runs.

    Args:
        replicas: Where from.
        store: Where to.
        clock: The present, for what is told.
        poll_s: Between two looks at a spool that had nothing more, in seconds.
        sleep: Waits.
    """

    def __init__(
        self,
        replicas: Replicas,
        store: Store,
        clock: Clock,
        *,
        poll_s: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._replicas = replicas
        self._store = store
        self._clock = clock
        self._poll_s = poll_s
        self._sleep = sleep
        self._known: dict[str, Replica] = {}
        self._trouble: tuple[str, ...] = ()
        self._lost: dict[str, int] = {}

    async def run(self) -> None:
        """Look for replicas, and pull from each, for ever."""
        SPOOL_AGE.set_function(self._age_s)
        async with asyncio.TaskGroup() as tasks:
            while True:
                found, trouble = await self._replicas.look()
                if trouble != self._trouble:
                    logger.warning("replicas_trouble", extra={"trouble": [*trouble]})
                self._trouble = trouble
                for address in self._known.keys() - found.keys():
                    self._known.pop(address).task.cancel()
                for address in found.keys() - self._known.keys():
                    task = tasks.create_task(self._follow(address, found[address]))
                    self._known[address] = Replica(task, self._clock.now())
                await self._sleep(_LOOK_S)

    def status(self) -> dict[str, Json]:
        """Return what is known of each replica, for people."""
        spools: list[Json] = [
            {
                "address": address,
                "spool": seen.pulled.spool if seen.pulled else None,
                "lastPull": render_time(seen.at) if seen.at else None,
                "position": seen.pulled.position if seen.pulled else None,
                "lost": seen.pulled.lost if seen.pulled else None,
                "trouble": seen.trouble,
            }
            for address, seen in sorted(self._known.items())
        ]
        return {
            "spools": spools,
            "lost": sum(self._lost.values()),
            "trouble": [*self._trouble],
        }

    async def _follow(self, address: str, spool: Spool) -> None:
        """Pull from one replica for ever."""
        recorder, failures = SpoolRecorder(spool, self._store), 0
        while True:
            seen = self._known[address]
            try:
                pulled = await recorder.pull()
                await self._observe(address, seen, pulled)
            except CountersignError as error:
                failures += 1
                self._fail(address, seen, str(error))
            except Exception as error:  # the face's one net: nothing stops recording
                failures += 1
                logger.exception("pull_fault", extra={"address": address})
                self._fail(address, seen, f"a fault of countersign: {error!r}")
            else:
                failures = 0
                if pulled.more:
                    continue
            await self._sleep(self._wait_s(failures))

    def _wait_s(self, failures: int) -> float:
        if not failures:
            return self._poll_s
        wait = min(self._poll_s * 2.0 ** min(failures, 16), _LONGEST_S)
        return wait * (0.5 + random.random() / 2)  # noqa: S311 - not in step

    def _fail(self, address: str, seen: Replica, why: str) -> None:
        PULLS.labels("failed").inc()
        if why != seen.trouble:  # once, not every time: it is shown as long as it lasts
            logger.warning("pull_failed", extra={"address": address, "error": why})
        seen.trouble = why

    async def _observe(self, address: str, seen: Replica, pulled: Pulled) -> None:
        PULLS.labels("done").inc()
        RECORDED.inc(pulled.recorded)
        about = {"address": address, "spool": pulled.spool}
        if seen.trouble:
            logger.info("pull_recovered", extra=about)
        if pulled.missing:
            told = {**about, "missing": pulled.missing, "position": pulled.position}
            logger.warning("spool_entries_missing", extra=told)
        seen.pulled, seen.at, seen.trouble = pulled, self._clock.now(), ""
        if self._lost.get(pulled.spool) != pulled.lost:
            before = await self._store.lost() if not self._lost else self._lost
            if pulled.lost > self._lost.get(pulled.spool, 0):
                # an audit log with a gap: somebody must look
                logger.error("spool_lost", extra={**about, "lost": pulled.lost})
            self._lost = {**before, pulled.spool: pulled.lost}
            SPOOLS_LOST.set(sum(self._lost.values()))

    def _age_s(self) -> float:
        """Return the seconds since the replica that waits longest was pulled."""
        now = self._clock.now()
        ages = (now - (seen.at or seen.since) for seen in self._known.values())
        return max((age.total_seconds() for age in ages), default=0.0)
