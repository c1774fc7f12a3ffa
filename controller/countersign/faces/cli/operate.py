"""``countersign operate``: run the operator and the recorder, in one process."""

import asyncio
import signal
from pathlib import Path

import click

from countersign.config import OperateSettings
from countersign.core.errors import Unavailable
from countersign.faces.cli import settings
from countersign.faces.cli.session import Command, Exit, Session
from countersign.telemetry import start_logging


@click.command("operate", cls=Command)
@settings.config
@click.pass_obj
def command(session: Session, /, *, config: Path | None, **given: str | None) -> int:
    """Run the operator and the recorder.

    Stops on SIGTERM or SIGINT. Each setting is taken from its option, else its
    COUNTERSIGN_* variable, else the file, else its default.
    """
    told = settings.read(OperateSettings, session, config, given)
    start_logging(as_json=told.log.format == "json", level=told.log.level)
    try:
        asyncio.run(_operate(told))
    except (ExceptionGroup, OSError) as error:
        first = _first(error)
        if isinstance(first, OSError):
            address = f"{told.records.host}:{told.records.port}"
            raise Unavailable(f"could not listen on {address}: {first}") from error
        raise first from error
    return Exit.DONE


async def _operate(told: OperateSettings) -> None:
    """Run what `operate` is made of until it is told to stop; a fault ends all."""
    # SQLAlchemy, aiohttp, kopf and a Kubernetes client, which --help does not need
    from countersign.assemble.operate import recorder, seat  # noqa: PLC0415
    from countersign.faces.operator.election import Election  # noqa: PLC0415
    from countersign.faces.operator.run import run  # noqa: PLC0415
    from countersign.faces.recorder.server import record  # noqa: PLC0415
    from countersign.faces.recorder.standby import standing_by  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with seat(told) as one:
        election, records = Election(one, told.lease.lasts_s), told.records

        async def chosen() -> bool:
            files = records.certificate_file, records.key_file
            if one is None:
                return await election.win(stop)
            async with standing_by(records.host, records.port, files, election.waiting):
                return await election.win(stop)

        try:
            async with recorder(told, chosen) as parts:
                if parts is None:
                    return
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(election.hold(stop))
                    tasks.create_task(record(told, parts, stop))
                    tasks.create_task(run(told, parts.archive, stop, election))
        finally:
            await election.leave()


def _first(error: Exception) -> Exception:
    """Return what ended the process, out of the groups it comes in."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


command.params.extend(settings.for_each(OperateSettings))
