"""The parts that judge for people who look: by a folder or a cluster's own rules."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from countersign.adapters.books import Books
from countersign.adapters.cluster.definitions import read_kinds
from countersign.adapters.cluster.ranges import read_ranges
from countersign.adapters.cluster.rules import read_rules
from countersign.adapters.cluster.state import LiveCluster
from countersign.adapters.no_cluster import NoCluster
from countersign.adapters.read_sets import ReadSets
from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import Tree
from countersign.ports import (
    Clock,
    ClusterState,
    PolicyBook,
    Prover,
    RememberedEvidence,
    TrustBook,
)
from countersign.usecases.review import Reviewer


class Rules(PolicyBook, TrustBook, Protocol):
    """What is asked, and whom to trust.

    Attributes:
        books: The same, with what could not be read.
    """

    @property
    def books(self) -> Books:
        """Everything in force at this moment."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An engine, and what it was made of.

    Attributes:
        reviewer: Judges requests.
        rules: By these.
        prover: Verifies bundles.
        sets: Evidence beside objects, as far as it was listed.
        state: The cluster; an empty one where there is none.
        settings: Of the cluster, without live answers.
        images: Evidence beside images; None: no registry is asked.
    """

    reviewer: Reviewer
    rules: Rules
    prover: Prover
    sets: ReadSets
    state: ClusterState
    settings: ClusterFacts
    images: RememberedEvidence | None = None


@contextmanager
def bench(
    rules: Rules,
    *,
    cluster: str,
    clock: Clock,
    sets: ReadSets | None = None,
    state: ClusterState | None = None,
    settings: ClusterFacts | None = None,
    images: RememberedEvidence | None = None,
) -> Iterator[Bench]:
    """Put together what judges as the webhook of `cluster` would.

    Args:
        rules: What is asked, and whom to trust.
        cluster: Name of the cluster that is judged for.
        clock: The present.
        sets: Evidence beside objects; None: there is none.
        state: Its live objects; None: there are none.
        settings: Its address ranges and the like; None: not known.
        images: Evidence beside images; None: no registry is asked.
    """
    # sigstore costs half a second, which the help of a command need not pay
    from countersign.adapters.proof.prover import BundleProver  # noqa: PLC0415

    prover = BundleProver(rules, clock)
    seen, known = state or NoCluster(), settings or ClusterFacts()
    beside = sets or ReadSets()
    try:
        reviewer = Reviewer(
            policies=rules,
            prover=prover,
            sets=beside,
            state=seen,
            clock=clock,
            cluster=cluster,
            settings=known,
            images=images,
        )
        yield Bench(
            reviewer=reviewer,
            rules=rules,
            prover=prover,
            sets=beside,
            state=seen,
            settings=known,
            images=images,
        )
    finally:
        prover.close()


@asynccontextmanager
async def look_at_cluster(
    *,
    kubeconfig: Path | None,
    context: str | None,
    request_s: float,
    rules: Rules | None,
    cluster: str,
    clock: Clock,
    manifests: Iterable[Tree] = (),
    images: RememberedEvidence | None = None,
) -> AsyncIterator[Bench]:
    """Put together what judges against the live objects of a cluster, read as needed.

    Args:
        kubeconfig: None: as kubectl finds it.
        context: Of the kubeconfig; None: its current one.
        request_s: Time for one request, in seconds.
        rules: None: the cluster's own.
        cluster: Its name.
        clock: The present.
        manifests: Definitions among them count as applied.
        images: Evidence beside images; None: no registry is asked.

    Raises:
        Misconfigured: the kubeconfig is not usable.
        Unavailable: the rules cannot be read.
    """
    # a second of imports, which those who look at files need not pay
    from countersign.adapters.cluster.client import connect  # noqa: PLC0415

    async with connect(
        kubeconfig=kubeconfig, context=context, request_s=request_s
    ) as server:
        with bench(
            rules or await read_rules(server),
            cluster=cluster,
            clock=clock,
            sets=ReadSets(server=server),
            state=LiveCluster(server),
            settings=ClusterFacts(
                service_cidrs=await read_ranges(server),
                kinds=(await read_kinds(server)).adding(manifests),
            ),
            images=images,
        ) as made:
            yield made
