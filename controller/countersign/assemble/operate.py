"""The parts of ``countersign operate``."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from socket import gethostname

from countersign.adapters.audit.database import check
from countersign.adapters.audit.store import SqliteArchive, archive
from countersign.adapters.clock import SystemClock
from countersign.adapters.cluster.client import connect
from countersign.adapters.cluster.lease import Claim, Lease
from countersign.adapters.recorder.reviews import Reviews
from countersign.adapters.recorder.spools import Access, Replicas, replicas
from countersign.config import OperateSettings
from countersign.ports import Clock


@dataclass(frozen=True, slots=True)
class Recorder:
    """What takes decisions, keeps them and shows them.

    Attributes:
        archive: Where they are kept.
        replicas: Whose spools they are taken from.
        reviews: Who may see them.
        clock: The present.
    """

    archive: SqliteArchive
    replicas: Replicas
    reviews: Reviews
    clock: Clock


Chosen = Callable[[], Awaitable[bool]]
"""Returns when this process is the one that records; False: it never will be."""


@asynccontextmanager
async def recorder(
    settings: OperateSettings, chosen: Chosen
) -> AsyncIterator[Recorder | None]:
    """Put together what records, and open the audit store when we are to.

    Args:
        settings: How, and where.
        chosen: Asked after all else is in order, and before the store is opened.

    Yields:
        What records; None: this process is not to.

    Raises:
        Misconfigured: no usable credentials for the API server, no usable certificate
            for the spools, or no usable audit store.
    """
    told, cluster = settings.spools, settings.cluster
    access = Access(
        server_name=told.server_name,
        ca_file=told.ca_file,
        certificate_file=told.certificate_file,
        key_file=told.key_file,
        request_s=told.request_s,
    )
    async with (
        connect(
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            request_s=cluster.request_s,
        ) as api,
        replicas(told.sources, access) as found,
    ):
        check(settings.records.database)
        if not await chosen():
            yield None
            return
        async with archive(settings.records.database) as store:
            yield Recorder(store, found, Reviews(api), SystemClock())


@asynccontextmanager
async def seat(settings: OperateSettings) -> AsyncIterator[Lease | None]:
    """Return the Lease by which one of several is chosen; None: there are no others.

    Raises:
        Misconfigured: no usable credentials for the API server.
    """
    told, cluster = settings.lease, settings.cluster
    if not told.name:
        yield None
        return
    claim = Claim(
        namespace=settings.own_namespace,
        name=told.name,
        identity=told.identity or f"{gethostname()}_{token_hex(4)}",
        lasts_s=told.lasts_s,
    )
    async with connect(
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        request_s=cluster.request_s,
    ) as api:
        yield Lease(api, claim, SystemClock())
