"""The recorder's process: the service first, then the loops that take decisions."""

import asyncio
import logging

from aiohttp import web

from countersign.assemble.operate import Recorder
from countersign.config import OperateSettings
from countersign.core.errors import Unavailable
from countersign.faces.recorder.access import Access
from countersign.faces.recorder.app import Service, make_app
from countersign.faces.recorder.pull import Puller
from countersign.faces.recorder.tls import Doorway

logger = logging.getLogger(__name__)

_KEEP_ALIVE_S = 30.0
_STOP_S = 5.0  # for answers in flight when the listener closes
_REFRESH_S = 10.0  # between looks at certificate and authority
_RETRY_S = 1.0  # the same, while the authority was never read
_MAX_HEADER = 20 << 10  # bytes: a token of an identity provider with many groups
_MAX_LINE = 4 << 10  # bytes of a path with its query


async def record(
    settings: OperateSettings, recorder: Recorder, stop: asyncio.Event
) -> None:
    """Take, keep and show decisions until `stop` is set.

    Raises:
        Misconfigured: no usable certificate.
        OSError: the address cannot be bound.
    """
    told = settings.records
    doorway = Doorway(told.certificate_file, told.key_file)
    puller = Puller(
        recorder.replicas,
        recorder.archive,
        recorder.clock,
        poll_s=settings.spools.poll_s,
    )
    trouble = _Trouble()
    service = Service(
        recorder.archive,
        Access(recorder.reviews, doorway, recorder.clock),
        status=puller.status,
        trouble=trouble.lines,
    )
    runner = web.AppRunner(
        make_app(service),
        handle_signals=False,
        access_log=None,
        keepalive_timeout=_KEEP_ALIVE_S,
        shutdown_timeout=_STOP_S,
        auto_decompress=False,
        max_field_size=_MAX_HEADER,
        max_line_size=_MAX_LINE,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, told.host, told.port, ssl_context=doorway.listening)
        await site.start()
        logger.info("recorder_listening", extra={"port": int(runner.addresses[0][1])})
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(puller.run()),
                tasks.create_task(_refresh(doorway, recorder, trouble)),
            ]
            await stop.wait()
            for task in running:
                task.cancel()
    finally:
        await runner.cleanup()


class _Trouble:
    """Why people cannot be let in."""

    def __init__(self) -> None:
        self.why = "the authority of client certificates was not read yet"

    def lines(self) -> tuple[str, ...]:
        return (self.why,) if self.why else ()


async def _refresh(doorway: Doorway, recorder: Recorder, trouble: _Trouble) -> None:
    """Follow certificate and authority; the last good ones hold meanwhile."""
    read = False
    while True:
        doorway.refresh()
        try:
            doorway.trust(await recorder.reviews.authority())
        except (Unavailable, ValueError) as error:
            logger.warning("authority_not_read", extra={"error": str(error)})
        else:
            if not read:
                logger.info("recorder_ready")
            read, trouble.why = True, ""
        await asyncio.sleep(_REFRESH_S if read else _RETRY_S)
