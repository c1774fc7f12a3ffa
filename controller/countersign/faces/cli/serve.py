"""``countersign serve``: run the admission webhook."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from countersign.config import Settings, load, paths, variable
from countersign.core.errors import Unavailable
from countersign.faces.cli import options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.telemetry import start_logging


@click.command("serve", cls=Command)
@click.option("--config", type=options.FILE, help="YAML file with settings.")
@click.pass_obj
def command(session: Session, /, *, config: Path | None, **given: str | None) -> int:
    """Run the admission webhook.

    Stops on SIGTERM or SIGINT, once the last answer is out. Each setting is taken from
    its option, else its COUNTERSIGN_* variable, else the file, else its default.
    """
    try:
        settings = load(
            flags={path: given[_parameter(path)] for path in paths(Settings)},
            environment=session.environ,
            file=config,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise Unavailable(f"could not read {config}: {error.strerror}") from error
    # aiohttp and a Kubernetes client: neither --help nor a slip in a setting needs them
    from countersign.faces.webhook.server import serve  # noqa: PLC0415

    start_logging(as_json=settings.log.format == "json", level=settings.log.level)
    try:
        asyncio.run(serve(settings))
    except OSError as error:
        address = f"{settings.listen.host}:{settings.listen.port}"
        raise Unavailable(f"could not listen on {address}: {error}") from error
    return Exit.DONE


def _parameter(path: str) -> str:
    return path.replace(".", "_")


def _field(path: str) -> FieldInfo:
    group: type[BaseModel] = Settings
    *outer, last = path.split(".")
    for name in outer:
        inner = group.model_fields[name].annotation
        assert isinstance(inner, type)  # noqa: S101 - for mypy; `paths` walked here
        group = inner
    return group.model_fields[last]


def _options() -> Iterator[click.Option]:
    """Yield an option for each setting; the settings themselves check the values."""
    for path in paths(Settings):
        flag = f"--{_parameter(path).replace('_', '-')}"
        about = f"{_field(path).description} [{variable(path)}]"
        yield click.Option([flag], metavar="VALUE", help=about)


command.params.extend(_options())
