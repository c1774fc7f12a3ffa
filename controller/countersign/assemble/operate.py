"""The parts of ``countersign operate``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from countersign.adapters.audit.store import SqliteArchive, archive
from countersign.adapters.clock import SystemClock
from countersign.adapters.cluster.client import connect
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


@asynccontextmanager
async def recorder(settings: OperateSettings) -> AsyncIterator[Recorder]:
    """Put together what records, and open the audit store.

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
        archive(settings.records.database) as store,
    ):
        yield Recorder(store, found, Reviews(api), SystemClock())
