"""``countersign status``: what there is to say of an installation."""

import asyncio
import json
from pathlib import Path

import click

from countersign.faces.cli import options
from countersign.faces.cli.cluster import given
from countersign.faces.cli.recorder import recorder as recorder_options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.report.status import attention, status_json, status_text

OWN_NAMESPACE = "countersign"


@click.command("status", cls=Command)
@click.option(
    "--system-namespace",
    default=OWN_NAMESPACE,
    show_default=True,
    help="Namespace that countersign runs in.",
)
@options.kubeconfig
@recorder_options
@click.option(
    "--strict", is_flag=True, help="Exit with 11 if something needs attention."
)
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    system_namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    recorder: str | None,
    recorder_ca: Path | None,
    strict: bool,
    output: str,
) -> int:
    """Say how an installation is, and what needs attention.

    Policies (valid? enforced? really asked about?) and the side doors that they leave
    open, rosters, trust roots and when they end, the recorder and its spools, and
    break-glass that nobody has reviewed yet, each with the command that closes it. What
    the user may not see is named, and the rest is shown.

    \b
    Example:
      countersign status
      countersign status --strict -o json
    """  # noqa: D301 - click's mark for "do not wrap"
    where = given(kubeconfig, context, session.environ)
    if where is None:
        raise click.UsageError(
            "expected a cluster, saw no kubeconfig: give --kubeconfig"
        )
    # the Kubernetes client costs a second, which --help need not pay
    from countersign.faces.cli.installation import Look  # noqa: PLC0415

    look = Look(session, where, recorder, recorder_ca, system_namespace)
    survey = asyncio.run(look.survey())
    if output == "json":
        click.echo(json.dumps(status_json(survey), indent=2))
    else:
        for line in status_text(survey):
            click.echo(line)
    return Exit.WARNED if strict and attention(survey) else Exit.DONE
