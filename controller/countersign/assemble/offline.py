"""The parts that judge by the policies of a folder, and nothing live."""

from collections.abc import Iterator
from contextlib import contextmanager

from countersign.adapters.no_cluster import NoCluster
from countersign.adapters.policy_files import PolicyFiles
from countersign.adapters.proof.prover import BundleProver
from countersign.adapters.read_sets import ReadSets
from countersign.binding.facts import ClusterFacts
from countersign.ports import BundleSource, Clock, RememberedEvidence
from countersign.usecases.review import Reviewer


@contextmanager
def offline(
    book: PolicyFiles,
    *,
    cluster: str,
    clock: Clock,
    sets: BundleSource | None = None,
    images: RememberedEvidence | None = None,
) -> Iterator[Reviewer]:
    """Put together what judges requests by the policies of a folder, and nothing live.

    Args:
        book: The folder, read.
        cluster: Name of the cluster that is judged for.
        clock: The present.
        sets: Evidence beside the objects; None: there is none.
        images: Evidence beside the images; None: no registry is asked.
    """
    prover = BundleProver(book, clock)
    try:
        yield Reviewer(
            policies=book,
            prover=prover,
            sets=sets or ReadSets(),
            state=NoCluster(),
            clock=clock,
            cluster=cluster,
            settings=ClusterFacts(),
            images=images,
        )
    finally:
        prover.close()
