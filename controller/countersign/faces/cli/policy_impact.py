"""``countersign policy impact``: what policies would deny, of what runs and was asked."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click

from countersign.faces.cli import options, params
from countersign.faces.cli.cluster import given
from countersign.faces.cli.progress import working
from countersign.faces.cli.recorder import recorder as recorder_options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.report.impact import impact_json, impact_text


@click.command("impact", cls=Command)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    help="Policies that are not applied yet, with rosters and trust roots if these are "
    "new, too: they stand in for the cluster's of the same name. Repeatable.",
)
@options.policies
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Namespace; else every one that the policies protect. Repeatable.",
)
@click.option("--live", is_flag=True, help="Look at what runs, and at nothing else.")
@click.option(
    "--recorded", is_flag=True, help="Look at recorded requests, and at nothing else."
)
@click.option(
    "--decisions",
    multiple=True,
    help="Recorded requests in files, as audit log --whole -o json writes them, instead "
    "of the recorder's. Repeatable.",
)
@click.option(
    "--since", type=params.Until(), help="Not before this time, or so long ago."
)
@click.option(
    "--cluster",
    envvar="COUNTERSIGN_CLUSTER",
    help="Its name, to which sign-offs are bound; else as the recorder knows it.",
)
@options.ask_registries
@options.registries
@options.kubeconfig
@recorder_options
@click.option(
    "--strict", is_flag=True, help="Exit with 11 if anything would be denied."
)
@options.output
@click.pass_obj
def impact(
    session: Session,
    *,
    files: Sequence[str],
    policies: Path | None,
    namespaces: tuple[str, ...],
    live: bool,
    recorded: bool,
    decisions: Sequence[str],
    since: datetime | timedelta | None,
    cluster: str | None,
    ask_registries: bool,
    registry: options.RegistryOptions,
    kubeconfig: Path | None,
    context: str | None,
    recorder: str | None,
    recorder_ca: Path | None,
    strict: bool,
    output: str,
) -> int:
    """Say what policies would deny if they denied, whatever they say now.

    \b
    What runs: the objects that nobody stands for. They run on, and so do their Pods;
      but no controller may make another one of them, and every change is denied.
    What was asked: the recorded requests that the policies find fault with, by whom,
      how often, and what helps. By policies of files (-f, --policies) they are judged
      again, as if the object were created now; else they are told as they were judged.

    Nothing is recorded of namespaces that no policy protects: apply a policy with
    "enforcement: audit" first, and ask again after a few days.

    \b
    Example:
      countersign policy impact
      countersign policy impact -f policies/payments.yaml --cluster prod-eu
      countersign policy impact --recorded --since 7d -o json
    """  # noqa: D301 - click's mark for "do not wrap"
    where = given(kubeconfig, context, session.environ)
    if files and policies and _typed("policies"):
        raise click.UsageError(
            "expected -f, which stands in for some of the cluster's policies, or "
            "--policies, which for all; saw both"
        )
    if where is None and (live or files or policies is None or not decisions):
        raise click.UsageError(
            "expected a cluster, saw no kubeconfig: give --kubeconfig, or --policies "
            "DIR and --decisions FILE to look at nothing live"
        )
    if live and (recorded or decisions):
        raise click.UsageError("expected --live or recorded requests, saw both")
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.impact import Order, look  # noqa: PLC0415

    order = Order(
        where=where,
        files=tuple(files),
        policies=None if files else policies,
        namespaces=namespaces,
        live=live or not (recorded or where is None),
        recorded=recorded or not live,
        required=recorded,
        decisions=tuple(decisions),
        since=session.now() - since if isinstance(since, timedelta) else since,
        cluster=cluster or "",
        registry=registry if ask_registries else None,
        recorder=recorder,
        recorder_ca=recorder_ca,
    )
    with working(session, "looking"):
        found = asyncio.run(look(session, order))
    if output == "json":
        click.echo(json.dumps(impact_json(found), indent=2))
    else:
        click.echo("\n".join(impact_text(found)))
    return Exit.WARNED if strict and found.denies else Exit.DONE


def _typed(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE
