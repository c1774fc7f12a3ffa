"""The cluster as whoever signs reaches it: what is live, and the BundleSets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import click

from countersign.core.types.artifacts import Tree
from countersign.faces.cli import words
from countersign.faces.cli.cluster import REQUEST_S, Where
from countersign.faces.cli.session import Session
from countersign.faces.cli.text import one_line
from countersign.ports import ClusterState, EvidenceStore

_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """One connection, with the signer's own rights."""

    state: ClusterState
    store: EvidenceStore


def require_cluster(where: Where | None, why: str) -> Where:
    """Return which cluster is meant.

    Raises:
        click.UsageError: none is.
    """
    if where is None:
        raise click.UsageError(
            f"expected a kubeconfig {why}, saw none: give --kubeconfig"
        )
    return where


@asynccontextmanager
async def reach(where: Where) -> AsyncIterator[Signers]:
    """Connect to the cluster.

    Raises:
        Misconfigured: the kubeconfig is not usable.
    """
    # the Kubernetes client costs a second, which signing files need not pay
    from countersign.adapters.cluster.client import connect  # noqa: PLC0415
    from countersign.adapters.cluster.deliver import LiveEvidence  # noqa: PLC0415
    from countersign.adapters.cluster.state import LiveCluster  # noqa: PLC0415

    async with connect(
        kubeconfig=where.kubeconfig, context=where.context, request_s=REQUEST_S
    ) as server:
        yield Signers(state=LiveCluster(server), store=LiveEvidence(server))


async def create(where: Where, sets: tuple[Tree, ...]) -> None:
    """Create BundleSets, and say so.

    Raises:
        Rejected: the API server refused one, in its own words.
        Unavailable: it did not answer.
    """
    async with reach(where) as signers:
        for tree in sets:
            metadata = tree["metadata"]
            about = metadata if isinstance(metadata, dict) else {}
            name = f"{about.get('namespace')}/BundleSet/{about.get('name')}"
            new = await signers.store.create(tree)
            done = "created" if new else "was there"
            click.echo(f"{one_line(name, 600)} {done}", err=True)


def warn_of_clock(session: Session, store: EvidenceStore) -> None:
    """Tell a signer whose clock is off: times that a key signs are only his own."""
    there, here = store.heard_at(), session.now()
    if there is not None and abs(there - here) > _SKEW:
        click.echo(
            f"attention: your clock shows {words.exactly(here)}, the API server's "
            f"{words.exactly(there)}: a signature whose time nobody else confirms may "
            "be refused; set the clock, or sign with a time-stamping authority",
            err=True,
        )
