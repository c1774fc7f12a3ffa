"""``countersign serve``: from settings to a listening webhook, and back down.

Order matters. First the listener, which is not ready and denies; then the watches; at
the end the other way round: not ready, still answering, then no new connection, then
the last answer.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from countersign.assemble.serve import Gate, gate
from countersign.config import Settings
from countersign.faces.webhook.app import Health, make_app
from countersign.faces.webhook.load import Load
from countersign.faces.webhook.tls import ServingCertificate
from countersign.faces.webhook.validate import Validate

logger = logging.getLogger(__name__)

_KEEP_ALIVE_S = 180.0  # the API server lets go of idle connections after 90: first
_LOOK_S = 0.25  # between looks whether this replica is ready, for the log
_REFRESH_S = 10.0  # between looks at the certificate; the kubelet takes a minute itself
_STOP_S = 10.0  # for answers in flight when the listener closes
_BACKLOG = 512  # connections that wait to be accepted
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that listens.

    Attributes:
        port: The port, also where the system chose it.
        health: What ``/readyz`` says.
        certificate: What it shows.
    """

    port: int
    health: Health
    certificate: ServingCertificate


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return.

    Raises:
        Misconfigured: no usable certificate, or no way to the API server.
        OSError: the address cannot be bound.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with webhook(settings) as running:
        await stop.wait()
        logger.info("stopping", extra={"drain_s": settings.limits.drain_s})
        running.health.draining = True
        # endpoints are updated after the signal, not before: answer until then
        await asyncio.sleep(settings.limits.drain_s)
    logger.info("stopped")


@asynccontextmanager
async def webhook(settings: Settings) -> AsyncIterator[Webhook]:
    """Listen and watch; at the end of the context let the last answers go out.

    Raises:
        Misconfigured, OSError: as :func:`serve`.
    """
    listen = settings.listen
    certificate = ServingCertificate(
        listen.certificate_file, listen.key_file, listen.client_ca_file
    )
    async with gate(settings) as assembled:
        health = Health(assembled.trouble)
        runner = web.AppRunner(
            _application(settings, assembled, health),
            handle_signals=False,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE_S,
            shutdown_timeout=_STOP_S,
            auto_decompress=False,
        )
        await runner.setup()
        try:
            site = web.TCPSite(
                runner,
                listen.host,
                listen.port,
                ssl_context=certificate.context,
                backlog=_BACKLOG,
            )
            await site.start()
            port = int(runner.addresses[0][1])
            logger.info("listening", extra={"port": port})
            async with _background(certificate, assembled, health):
                yield Webhook(port, health, certificate)
        finally:
            await runner.cleanup()


def _application(
    settings: Settings, assembled: Gate, health: Health
) -> web.Application:
    limits = settings.limits
    validate = Validate(
        assembled.review,
        cluster=settings.cluster_name,
        load=Load(in_flight=limits.in_flight, body_bytes=limits.body_budget_mib * _MIB),
        deadline_s=limits.deadline_s,
        monotonic=asyncio.get_running_loop().time,
        certified=settings.listen.client_ca_file is not None,
    )
    return make_app(validate, health)


@asynccontextmanager
async def _background(
    certificate: ServingCertificate, assembled: Gate, health: Health
) -> AsyncIterator[None]:
    """Run what must run beside the listener; a fault there ends the process."""
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(_refresh(certificate)),
            tasks.create_task(_announce(health)),
            *(tasks.create_task(work()) for work in assembled.work),
        ]
        yield
        for task in running:
            task.cancel()


async def _refresh(certificate: ServingCertificate) -> None:
    while True:
        await asyncio.sleep(_REFRESH_S)
        certificate.refresh()


async def _announce(health: Health) -> None:
    """Log when this replica becomes ready, and when it no longer is."""
    told: tuple[str, ...] | None = None
    while True:
        lines = health.lines()
        if (told is None or bool(lines) != bool(told)) and not health.draining:
            if lines:
                logger.warning("not_ready", extra={"trouble": list(lines)})
            else:
                logger.info("ready")
            told = lines
        await asyncio.sleep(_LOOK_S)
