"""``countersign serve``: from settings to a listening webhook, and back down.

Order matters. First the listener, which is not ready and denies; then the watches; at
the end the other way round: not ready, still answering, then no new connection, then
the last answer; and what was kept of them is handed over to the recorder.
"""

import asyncio
import logging
import secrets
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import web

from countersign.adapters.clock import SystemClock
from countersign.adapters.spool.journal import SpoolJournal
from countersign.assemble.serve import Gate, gate
from countersign.assemble.spool import spool
from countersign.binding.masking import SALT_BYTES
from countersign.config import Settings
from countersign.faces.webhook.app import Health, make_app
from countersign.faces.webhook.connections import HANDSHAKE_S, Door
from countersign.faces.webhook.load import Load
from countersign.faces.webhook.recording import Recording
from countersign.faces.webhook.spool import make_spool_app
from countersign.faces.webhook.tls import ServingCertificate
from countersign.faces.webhook.validate import Validate
from countersign.telemetry import SPOOL_CERTIFICATE_EXPIRY

logger = logging.getLogger(__name__)

_KEEP_ALIVE_S = 180.0  # the API server lets go of idle connections after 90: first
_LOOK_S = 0.25  # between looks whether this replica is ready, for the log
_REFRESH_S = 1.0  # between looks at the certificate; one that ends is let go 5 s before
_STOP_S = 25.0  # for answers in flight: the longest that a request may take, and more
_CUT_S = 2.0  # for what is still open when the listener closes
_BACKLOG = 512  # connections that wait to be accepted
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that listens.

    Attributes:
        port: The port, also where the system chose it.
        health: What ``/readyz`` says.
        certificate: What it shows.
        load: What is in flight.
    """

    port: int
    health: Health
    certificate: ServingCertificate
    load: Load


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
        await _quiet(running.load)
    logger.info("stopped", extra={"unanswered": running.load.here})


async def _quiet(load: Load) -> None:
    """Wait until nobody waits for an answer and nobody comes, `_STOP_S` at most.

    What was connected before it was known that this replica stops may still be shaking
    hands: who closes the listener on the stroke hangs up on those.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOP_S):
            came = -1
            while load.here or load.came != came:
                came = load.came
                await asyncio.sleep(_LOOK_S)


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
    async with (
        spool(settings.spool) as journal,
        _spool_served(settings, journal),  # to the end: the last decisions, too
        gate(settings) as assembled,
        _recording(settings, journal) as recording,
    ):
        health = Health(assembled.trouble)
        limits = settings.limits
        load = Load(
            in_flight=limits.in_flight, body_bytes=limits.body_budget_mib * _MIB
        )
        app = _application(settings, assembled, health, recording, load)
        async with (
            _listening(app, listen.host, listen.port, certificate) as port,
            _background(certificate, assembled, health),
        ):
            logger.info("listening", extra={"port": port})
            yield Webhook(port, health, certificate, load)


@asynccontextmanager
async def _listening(
    app: web.Application, host: str, port: int, certificate: ServingCertificate
) -> AsyncIterator[int]:
    """Serve `app`; yield the port, also where the system chose it."""
    runner = web.AppRunner(
        app,
        handle_signals=False,
        access_log=None,
        keepalive_timeout=_KEEP_ALIVE_S,
        shutdown_timeout=_CUT_S,
        auto_decompress=False,
    )
    loop = asyncio.get_running_loop()
    door = Door(lambda: _protocol(runner), loop.time)
    app.middlewares.insert(0, door.middleware())
    await runner.setup()
    try:
        server = await loop.create_server(
            door,
            host,
            port,
            ssl=certificate.context,
            backlog=_BACKLOG,
            ssl_handshake_timeout=HANDSHAKE_S,
        )
        try:
            async with _kept(door.watch()):
                yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _protocol(runner: web.AppRunner) -> asyncio.Protocol:
    """Return what speaks HTTP on one connection."""
    if runner.server is None:
        raise RuntimeError("expected a runner that was set up")
    return runner.server()


@asynccontextmanager
async def _spool_served(
    settings: Settings, journal: SpoolJournal | None
) -> AsyncIterator[None]:
    """Serve the spool to the recorder, where there is one."""
    if journal is None:
        yield
        return
    told, listen = settings.spool, settings.listen
    certificate = ServingCertificate(
        told.certificate_file or listen.certificate_file,
        told.key_file or listen.key_file,
        told.client_ca_file,
        required=True,
        expiry=SPOOL_CERTIFICATE_EXPIRY,
    )
    app = make_spool_app(journal)
    async with (
        _listening(app, told.host, told.port, certificate) as port,
        _kept(_refresh(certificate)),
    ):
        logger.info("spool_listening", extra={"spool_port": port})
        yield
        if told.handover_s:
            left = await journal.hand_over(told.handover_s)
            if left:
                # they go with this replica, if its folder does
                logger.error("spool_not_handed_over", extra={"decisions": left})


@asynccontextmanager
async def _recording(
    settings: Settings, journal: SpoolJournal | None
) -> AsyncIterator[Recording | None]:
    if journal is None:
        yield None
        return
    recording = Recording(
        journal,
        SystemClock(),
        cluster=settings.cluster_name,
        salt=secrets.token_bytes(SALT_BYTES),
    )
    try:
        yield recording
    finally:
        await recording.close()


def _application(
    settings: Settings,
    assembled: Gate,
    health: Health,
    recording: Recording | None,
    load: Load,
) -> web.Application:
    validate = Validate(
        assembled.judge,
        cluster=settings.cluster_name,
        load=load,
        deadline_s=settings.limits.deadline_s,
        monotonic=asyncio.get_running_loop().time,
        certified=settings.listen.client_ca_file is not None,
        recording=recording,
    )
    return make_app(validate, health)


@asynccontextmanager
async def _background(
    certificate: ServingCertificate, assembled: Gate, health: Health
) -> AsyncIterator[None]:
    """Run what must run beside the listener; a fault there ends the process."""
    work = (_refresh(certificate), _announce(health), *(w() for w in assembled.work))
    async with _kept(*work):
        yield


@asynccontextmanager
async def _kept(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run `work` while the context lasts."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in work]
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
