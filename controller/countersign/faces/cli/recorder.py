"""The recorder that a command reads decisions from."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from countersign.faces.cli import options
from countersign.faces.cli.cluster import Where
from countersign.faces.cli.session import Session
from countersign.ports import Recorder

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--recorder",
        envvar="COUNTERSIGN_RECORDER",
        help="URL of the recorder; else a port-forward to it in the cluster.",
    ),
    click.option(
        "--recorder-ca",
        type=options.FILE,
        envvar="COUNTERSIGN_RECORDER_CA",
        help="Certificate authority of the recorder (PEM).",
    ),
)


def recorder(function: F) -> F:
    """Add the options that say where decisions are recorded."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@asynccontextmanager
async def open_records(
    session: Session, url: str | None, ca: Path | None, where: Where | None
) -> AsyncIterator[Recorder]:
    """Reach the recorder, as the user of the kubeconfig.

    Args:
        session: Of the command.
        url: Its address; None: by a port-forward to its Service in the cluster.
        ca: Its certificate authority; None: of the cluster's ConfigMap, or of the
            system where there is a URL.
        where: Whose credentials are used; None: no kubeconfig is at hand.

    Raises:
        Misconfigured: neither a URL nor a kubeconfig, or one that is not usable.
        Unavailable: it cannot be reached.
    """
    del session
    # the client costs a second, which other commands need not pay
    from countersign.adapters.recorder.client import open_recorder  # noqa: PLC0415

    async with open_recorder(
        url=url,
        ca=ca,
        kubeconfig=where.kubeconfig if where else None,
        context=where.context if where else None,
    ) as records:
        yield records
