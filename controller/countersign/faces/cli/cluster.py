"""The live cluster that a kubeconfig names, as far as looking at it goes."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from countersign.binding.kinds import BUILT_IN, Kinds, is_custom
from countersign.core.types.artifacts import Tree
from countersign.ports import ClusterState

REQUEST_S = 15.0  # seconds for one answer: a person waits


@dataclass(frozen=True, slots=True)
class Where:
    """Which cluster; both None: the current context of the usual kubeconfig."""

    kubeconfig: Path | None
    context: str | None


def given(
    kubeconfig: Path | None, context: str | None, environ: Mapping[str, str]
) -> Where | None:
    """Return which cluster is meant, as kubectl finds it; None: no kubeconfig is there.

    Args:
        kubeconfig: Of the command line.
        context: Of the command line.
        environ: ``KUBECONFIG`` and ``HOME`` are read.
    """
    usual = Path(environ.get("HOME", "/nonexistent")) / ".kube" / "config"
    named = environ.get("KUBECONFIG", "")
    if not (kubeconfig or context or named or usual.is_file()):
        return None
    # The client looks at KUBECONFIG when it is imported: too early for whoever embeds us.
    # A list of files is left to it, since it knows how to merge them.
    single = Path(named) if named and os.pathsep not in named else None
    return Where(kubeconfig or single, context)


def namespace_in(where: Where) -> str:
    """Return the namespace that is meant where none is named, as kubectl finds it.

    Raises:
        Misconfigured: the kubeconfig is not usable.
    """
    # the Kubernetes client costs a second, as below
    from countersign.adapters.cluster.kubeconfig import namespace_of  # noqa: PLC0415

    return namespace_of(where.kubeconfig, where.context)


async def kinds_at(where: Where | None, manifests: Sequence[Tree]) -> Kinds:
    """Return the kinds that are known to a cluster, and by definitions among manifests.

    The cluster is asked only where some manifest is of a custom kind. Who may not list
    definitions there knows the built-in kinds alone.

    Raises:
        Misconfigured: the kubeconfig is not usable.
    """
    kinds = BUILT_IN
    if where is not None and any(is_custom(tree) for tree in manifests):
        # a second of imports, as below
        from countersign.adapters.cluster.client import connect  # noqa: PLC0415
        from countersign.adapters.cluster.definitions import (  # noqa: PLC0415
            read_kinds,
        )

        async with connect(
            kubeconfig=where.kubeconfig, context=where.context, request_s=REQUEST_S
        ) as server:
            kinds = await read_kinds(server)
    return kinds.adding(manifests)


@asynccontextmanager
async def look_at(where: Where | None) -> AsyncIterator[ClusterState | None]:
    """Open the cluster for reading; None gives None.

    Raises:
        Misconfigured: the kubeconfig is not usable.
        Unavailable: inside: the API server did not answer.
    """
    if where is None:
        yield None
        return
    # the Kubernetes client costs a second, which those who give no kubeconfig need not pay
    from countersign.adapters.cluster.client import connect  # noqa: PLC0415
    from countersign.adapters.cluster.state import LiveCluster  # noqa: PLC0415

    async with connect(
        kubeconfig=where.kubeconfig, context=where.context, request_s=REQUEST_S
    ) as server:
        yield LiveCluster(server)
