"""An option for each setting of a process: flag > variable > file > default."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from countersign.config import OperateSettings, Settings, load, paths, variable
from countersign.core.errors import Unavailable
from countersign.faces.cli import options
from countersign.faces.cli.session import Session

S = TypeVar("S", Settings, OperateSettings)

config = click.option("--config", type=options.FILE, help="YAML file with settings.")


def read(
    model: type[S], session: Session, file: Path | None, given: Mapping[str, str | None]
) -> S:
    """Return the settings of a process.

    Args:
        model: Of which process.
        session: Its environment is read.
        file: Of the command line.
        given: Values of the options that :func:`for_each` made.

    Raises:
        click.UsageError: something is missing, unknown or does not fit.
        Unavailable: `file` cannot be read.
    """
    try:
        return load(
            model,
            flags={path: given[_parameter(path)] for path in paths(model)},
            environment=session.environ,
            file=file,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise Unavailable(f"could not read {file}: {error.strerror}") from error


def for_each(model: type[BaseModel]) -> Iterator[click.Option]:
    """Yield an option for each setting; the settings themselves check the values."""
    for path in paths(model):
        flag = f"--{_parameter(path).replace('_', '-')}"
        about = f"{_field(model, path).description} [{variable(path)}]"
        yield click.Option([flag], metavar="VALUE", help=about)


def _parameter(path: str) -> str:
    return path.replace(".", "_")


def _field(group: type[BaseModel], path: str) -> FieldInfo:
    *outer, last = path.split(".")
    for name in outer:
        inner = group.model_fields[name].annotation
        assert isinstance(inner, type)  # noqa: S101 - for mypy; `paths` walked here
        group = inner
    return group.model_fields[last]
