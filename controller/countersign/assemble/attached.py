"""Evidence beside images, at hand for the gate."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from countersign.adapters.attached.evidence import Bounds, KeptEvidence
from countersign.config.serve import Registries

_MIB = 1 << 20


@asynccontextmanager
async def kept_evidence(
    told: Registries, *, in_flight: int
) -> AsyncIterator[KeptEvidence]:
    """Put together what the gate asks about images; no registry is reached before that.

    Args:
        told: How registries are asked.
        in_flight: Requests judged at once: an eighth of them never waits for registries.

    Raises:
        Misconfigured: the authorities cannot be read.
    """
    # half a second of imports, which looking at files need not pay
    from countersign.adapters.registry.credentials import (  # noqa: PLC0415
        Anonymous,
        DockerConfig,
    )
    from countersign.adapters.registry.registries import (  # noqa: PLC0415
        Registries as Client,
    )
    from countersign.adapters.registry.settings import (  # noqa: PLC0415
        LOOPBACK,
        Settings,
    )

    hosts: dict[str, frozenset[str]] = {}
    for pair in told.token_hosts:
        registry, _, host = pair.partition("=")
        hosts[registry] = hosts.get(registry, frozenset()) | {host}
    config = told.docker_config
    settings = Settings(
        credentials=Anonymous() if config is None else DockerConfig(config),
        ca_file=told.ca_file,
        networks=LOOPBACK if told.allow_loopback else (),
        token_hosts=hosts,
    )
    bounds = Bounds(
        cache_bytes=told.cache_mib * _MIB,
        at_once=told.concurrency,
        rate=told.rate,
        waiting=max(1, in_flight - in_flight // 8),
    )
    async with Client(settings) as client:
        kept = KeptEvidence(client, bounds)
        try:
            yield kept
        finally:
            await kept.close()
