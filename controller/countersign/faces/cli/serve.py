"""``countersign serve``: run the admission webhook."""

import asyncio
from pathlib import Path

import click

from countersign.config import Settings
from countersign.core.errors import Unavailable
from countersign.faces.cli import settings
from countersign.faces.cli.session import Command, Exit, Session
from countersign.telemetry import start_logging


@click.command("serve", cls=Command)
@settings.config
@click.pass_obj
def command(session: Session, /, *, config: Path | None, **given: str | None) -> int:
    """Run the admission webhook.

    Stops on SIGTERM or SIGINT, once the last answer is out. Each setting is taken from
    its option, else its COUNTERSIGN_* variable, else the file, else its default.
    """
    told = settings.read(Settings, session, config, given)
    # aiohttp and a Kubernetes client: neither --help nor a slip in a setting needs them
    from countersign.faces.webhook.server import serve  # noqa: PLC0415

    start_logging(as_json=told.log.format == "json", level=told.log.level)
    try:
        asyncio.run(serve(told))
    except OSError as error:
        address = f"{told.listen.host}:{told.listen.port}"
        raise Unavailable(f"could not listen on {address}: {error}") from error
    return Exit.DONE


command.params.extend(settings.for_each(Settings))
