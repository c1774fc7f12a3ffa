"""``countersign explain``: why, for every policy and all that it asks."""

import asyncio
import json
from pathlib import Path

import click

from countersign.faces.cli import options
from countersign.faces.cli.cluster import given
from countersign.faces.cli.decisions import Reach, fetch
from countersign.faces.cli.inputs import Inputs, inputs
from countersign.faces.cli.recorder import recorder as recorder_options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.faces.cli.text import one_line
from countersign.faces.cli.verify import exit_of
from countersign.report.audit import decision_text
from countersign.report.records import outcome
from countersign.report.requirements import explained_json, explained_text


@click.command("explain", cls=Command)
@click.argument("decision", required=False)
@inputs
@options.policies
@options.cluster
@options.kubeconfig
@options.ask_registries
@options.registries
@recorder_options
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    decision: str | None,
    inputs: Inputs,
    policies: Path | None,
    cluster: str | None,
    kubeconfig: Path | None,
    context: str | None,
    ask_registries: bool,
    registry: options.RegistryOptions,
    recorder: str | None,
    recorder_ca: Path | None,
    output: str,
) -> int:
    """Say why, for every policy and all that it asks.

    Of manifests (-f): what each policy asks, who met it and by which bundle, or what is
    missing, who could supply it, and the next command. Rules and live objects are found
    as `verify` finds them, and registries are asked with --registries. Of a DECISION, as a denial names it: what the recorder kept.

    \b
    Example:
      countersign explain -f release.yaml --cluster prod-eu
      countersign explain 01J9Z6V3E8K2M4N7P0QRSTVWXY
    """  # noqa: D301 - click's mark for "do not wrap"
    if inputs.given == bool(decision):
        raise click.UsageError("expected -f or a DECISION, and not both")
    if decision:
        where = given(kubeconfig, context, session.environ)
        reach = Reach(url=recorder, ca=recorder_ca, where=where)
        kept = fetch(session, decision, reach)
        if output == "json":
            from countersign.wire.decision import render_recorded  # noqa: PLC0415

            click.echo(json.dumps(render_recorded(kept, whole=True), indent=2))
        else:
            click.echo("\n".join(decision_text(kept)))
        return Exit.DONE
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.engine import (  # noqa: PLC0415
        Manifests,
        explained_by,
        sources,
    )
    from countersign.faces.cli.manifests import read_manifests  # noqa: PLC0415

    asked = registry if ask_registries else None
    found = sources(session, policies, kubeconfig, context, asked)
    if not cluster:
        raise click.UsageError(
            "expected a cluster to judge for, saw none: give --cluster NAME"
        )
    what = Manifests(read_manifests(inputs), inputs.namespace)
    each = asyncio.run(explained_by(session, found, cluster, what))
    if output == "json":
        told = [
            {
                "object": str(request.ref),
                "outcome": outcome(verdict),
                "policies": explained_json(cases, cluster),
            }
            for request, verdict, cases in each
        ]
        click.echo(json.dumps(told, indent=2))
    else:
        for request, verdict, cases in each:
            outside = ": no policy applies" if verdict.outside else ""
            word = "allowed" if verdict.allowed else "denied"
            click.echo(f"{one_line(str(request.ref), 600)}: {word}{outside}")
            for line in explained_text(cases, cluster):
                click.echo(line)
    return exit_of((verdict for _, verdict, _ in each), strict=False)
