"""The loop that verifies again what runs, and keeps the reports true."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from countersign.adapters.cluster.definitions import read_kinds
from countersign.adapters.cluster.paced import Paced
from countersign.adapters.cluster.ranges import read_ranges
from countersign.adapters.cluster.reports import Reports
from countersign.binding.facts import ClusterFacts
from countersign.core.errors import Rejected
from countersign.core.types.artifacts import Tree
from countersign.core.types.scan import Fault, Scanned
from countersign.faces.operator.keeper import Keeper
from countersign.faces.operator.loops import News
from countersign.faces.operator.telling import Teller
from countersign.ports import Clock
from countersign.report.scanned import render_report, told_before
from countersign.telemetry import SCANNED, SCANNED_AT
from countersign.usecases.rescan import Rescanner

logger = logging.getLogger(__name__)

_FIRST_S = 0.2  # between looks whether there is anything to judge by
_LOOK_S = 5.0  # between looks whether there is a reason for a scan
_REST_S = 60.0  # after a scan, before evidence alone is a reason for the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How scans are done.

    Attributes:
        trouble: Why evidence beside objects is not known yet; empty: it is.
        own_namespace: Where reports lie.
        every_s: Between two scans that nothing asked for, in seconds.
        most: Results of one report.
    """

    trouble: Callable[[], tuple[str, ...]]
    own_namespace: str
    every_s: float
    most: int


class Scanner:
    """Verifies again what runs: by the clock, and when what it is judged by changes.

    Args:
        rescanner: Looks.
        source: What it reads the cluster by.
        reports: Where results are written.
        teller: Who is told of what is new.
        keeper: Knows the policies.
        clock: The present.
        told: How.
    """

    def __init__(
        self,
        rescanner: Rescanner,
        *,
        source: Paced,
        reports: Reports,
        teller: Teller,
        keeper: Keeper,
        clock: Clock,
        told: Told,
    ) -> None:
        self._rescanner = rescanner
        self._source = source
        self._reports = reports
        self._teller = teller
        self._keeper = keeper
        self._clock = clock
        self._told = told
        self._known: dict[str, frozenset[tuple[str, Fault]]] = {}

    async def run(self, news: News) -> None:
        """Scan for ever.

        Raises:
            Unavailable: something could not be read; what was written stays.
        """
        await news.read.wait()
        while self._told.trouble():  # noqa: ASYNC110 - a watch's age is no event
            await asyncio.sleep(_FIRST_S)
        loop = asyncio.get_running_loop()
        while True:
            rules, count, begun = self._rules(), news.count, loop.time()
            await self.once()
            while self._rules() == rules:
                await asyncio.sleep(min(_LOOK_S, self._told.every_s))
                past = loop.time() - begun
                if past > self._told.every_s or (past > _REST_S and news.count > count):
                    break

    async def once(self) -> None:
        """Scan everything once.

        Raises:
            Unavailable: as `run`.
        """
        api = await self._reports.served()
        live = await self._reports.all(api) if api else {}
        settings = ClusterFacts(
            service_cidrs=await read_ranges(self._source),
            kinds=await read_kinds(self._source),
        )
        spaces = await self._rescanner.namespaces()
        tally: Counter[str] = Counter()
        for space in spaces:
            known = told_before(live.get(space)) | self._known.get(space, frozenset())
            scanned = await self._rescanner.look(space, settings, known)
            new = [o for o in scanned.found if (o.uid, o.fault) not in known]
            await self._teller.found(new)
            if api:
                await self._write(scanned, api, live.get(space))
            self._known[space] = frozenset((o.uid, o.fault) for o in scanned.found)
            tally.update({"pass": scanned.passed})
            tally.update(one.fault.value for one in scanned.found)
        if api:
            gone = [tree for name, tree in live.items() if name not in spaces]
            await self._reports.drop(gone, api)
        for result in ("pass", *Fault):
            SCANNED.labels(str(result)).set(tally[str(result)])
        SCANNED_AT.set(self._clock.now().timestamp())
        logger.info(
            "scanned",
            extra={"namespaces": len(spaces), "reports": bool(api), **tally},
        )

    async def _write(
        self, scanned: Scanned, api: tuple[str, str], live: Tree | None
    ) -> None:
        report = render_report(
            scanned,
            api=api,
            own_namespace=self._told.own_namespace,
            most=self._told.most,
            at=self._clock.now(),
            live=live,
        )
        if report is None:
            return
        try:
            await self._reports.apply(report, api)
        except Rejected as error:
            logger.warning("report_refused", extra={"error": str(error)})

    def _rules(self) -> object:
        return self._keeper.snapshot(), self._keeper.roots()
