"""The parts of ``countersign serve``."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import chain

from countersign.adapters.clock import SystemClock
from countersign.adapters.cluster.bundle_sets import WatchedBundleSets
from countersign.adapters.cluster.definitions import WatchedDefinitions
from countersign.adapters.cluster.policies import WatchedBooks
from countersign.adapters.cluster.ranges import Networks, ServiceRanges
from countersign.adapters.cluster.skew import TimelyBook
from countersign.adapters.cluster.state import WatchedCluster
from countersign.adapters.cluster.watch import Pace
from countersign.adapters.proof.prover import BundleProver
from countersign.assemble.attached import kept_evidence
from countersign.binding.facts import AdmissionPlugin, ClusterFacts
from countersign.config import Cluster, Governance, Settings
from countersign.core.types.artifacts import Digest
from countersign.core.types.governance import Founding
from countersign.core.types.request import AdmissionRequest
from countersign.usecases.govern import Governor
from countersign.usecases.images_warm import Noted, Warmer
from countersign.usecases.judged import Judged
from countersign.usecases.review import Reviewer


@dataclass(frozen=True, slots=True)
class Gate:
    """What the webhook serves.

    Attributes:
        judge: Judges a request within so many seconds.
        trouble: Why nothing can be judged now; empty: it can.
        work: What must run meanwhile, each for ever.
    """

    judge: Callable[[AdmissionRequest, float], Awaitable[Judged]]
    trouble: Callable[[], tuple[str, ...]]
    work: tuple[Callable[[], Coroutine[None, None, None]], ...]


@asynccontextmanager
async def gate(settings: Settings) -> AsyncIterator[Gate]:
    """Put together what judges requests by a cluster's own policies.

    Until its `work` runs, and has listed everything once, it denies.

    Raises:
        Misconfigured: no usable credentials for the API server.
    """
    # a second of imports, which `offline` need not pay
    from countersign.adapters.cluster.client import connect  # noqa: PLC0415

    told, clock = settings.cluster, SystemClock()
    pace = Pace(watch_s=told.watch_s, stale_s=told.stale_s)
    async with (
        connect(
            kubeconfig=told.kubeconfig, context=told.context, request_s=told.request_s
        ) as api,
        kept_evidence(
            settings.registries, in_flight=settings.limits.in_flight
        ) as images,
    ):
        books = WatchedBooks(api, pace, protected=settings.protected_namespaces)
        timely = TimelyBook(books, api)
        noted = Noted()
        state = WatchedCluster(api, pace, notice=noted.owner)
        ranges, definitions = ServiceRanges(api, pace), WatchedDefinitions(api, pace)
        sets = WatchedBundleSets(
            api, pace, own_namespace=settings.own_namespace, notice=noted.intents
        )
        prover = BundleProver(books, clock)
        warmer = Warmer(
            noted,
            policies=books,
            prover=prover,
            sets=sets,
            state=state,
            cluster=settings.cluster_name,
            images=images.spare(),
        )

        founding = _founding(settings.governance)
        governor = Governor(founding, timely, sets, clock) if founding else None

        def reviewer(networks: Networks) -> Reviewer:
            return Reviewer(
                policies=timely,
                prover=prover,
                sets=sets,
                state=state,
                clock=clock,
                cluster=settings.cluster_name,
                settings=_facts(told, networks),
                definitions=definitions,
                images=images,
                governor=governor,
            )

        watches = (*books.watches, *state.watches, sets.watch, definitions.watch)
        judging: Reviewer | _Following
        troubles = [timely.trouble, books.trouble, sets.trouble, definitions.trouble]
        if told.service_cidrs:
            judging = reviewer(tuple(ip_network(cidr) for cidr in told.service_cidrs))
        else:
            judging = _Following(reviewer, ranges)
            troubles.append(ranges.trouble)
            watches = (*watches, ranges.watch)
        made = Gate(
            judge=judging.judge,
            trouble=lambda: tuple(chain.from_iterable(t() for t in troubles)),
            work=(*(watch.run for watch in watches), warmer.run),
        )
        try:
            yield made
        finally:
            prover.close()


class _Following:
    """An engine that follows the cluster's address ranges."""

    def __init__(
        self, make: Callable[[Networks], Reviewer], ranges: ServiceRanges
    ) -> None:
        self._make = make
        self._ranges = ranges
        self._known: Networks = ()
        self._reviewer = make(())

    async def judge(self, request: AdmissionRequest, patience_s: float) -> Judged:
        """Judge `request`."""
        if self._ranges.networks() != self._known:
            self._known = self._ranges.networks()
            self._reviewer = self._make(self._known)
        return await self._reviewer.judge(request, patience_s)


def _founding(told: Governance) -> Founding | None:
    """Return what governs; None: our own objects are left to RBAC."""
    if not told.root_roster:
        return None
    return Founding(
        root=told.root_roster,
        digests=frozenset(map(Digest.parse, told.founding)),
        recovery=frozenset(told.recovery_groups),
    )


def _facts(told: Cluster, networks: Networks) -> ClusterFacts:
    return ClusterFacts(
        service_cidrs=networks,
        node_ports=range(told.first_node_port, told.last_node_port + 1),
        not_ready_s=told.not_ready_s,
        unreachable_s=told.unreachable_s,
        plugins=frozenset(map(AdmissionPlugin, told.admission_plugins)),
    )
