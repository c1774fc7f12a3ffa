"""``countersign audit``: decisions, one in full, and who signed what runs now."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import click

from countersign.core.types.decision import Outcome, Recorded
from countersign.faces.cli import options, params
from countersign.faces.cli.cluster import given, namespace_in
from countersign.faces.cli.decisions import Reach, ask, fetch
from countersign.faces.cli.recorder import recorder as recorder_options
from countersign.faces.cli.running import running
from countersign.faces.cli.session import Command, Exit, Session
from countersign.ports import MAX_FOUND, Query, Records
from countersign.report.audit import decision_text, log_text


@click.group("audit")
def command() -> None:
    """Look at decisions, and at who signed what runs now.

    \b
    Example:
      countersign audit log -n payments --outcome denied --since 24h
      countersign audit show 01J9Z6V3E8K2M4N7P0QRSTVWXY
      countersign audit running -n payments
    """  # noqa: D301 - click's mark for "do not wrap"


command.add_command(running)


@command.command("log", cls=Command)
@click.option(
    "-n",
    "--namespace",
    help="Namespace of the objects; else that of the kubeconfig's context.",
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Of the whole cluster.")
@click.option("--kind", default="", help="Kind of the object.")
@click.option("--name", default="", help="Name of the object.")
@click.option(
    "--outcome",
    type=click.Choice([one.value for one in Outcome]),
    help="How it ended; else however.",
)
@click.option("--person", default="", help="On whose word it rests.")
@click.option(
    "--since", type=params.Until(), help="Not before this time, or so long ago."
)
@click.option("--debts", is_flag=True, help="Break-glass that nobody has reviewed yet.")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_FOUND),
    default=100,
    show_default=True,
    help="At most so many, the newest.",
)
@click.option(
    "--whole",
    is_flag=True,
    help="With the objects and bundles, for policy impact --decisions; needs -o json.",
)
@options.kubeconfig
@recorder_options
@options.output
@click.pass_obj
def log(
    session: Session,
    *,
    namespace: str | None,
    all_namespaces: bool,
    kind: str,
    name: str,
    outcome: str | None,
    person: str,
    since: datetime | timedelta | None,
    debts: bool,
    limit: int,
    whole: bool,
    kubeconfig: Path | None,
    context: str | None,
    recorder: str | None,
    recorder_ca: Path | None,
    output: str,
) -> int:
    """List decisions, the newest first.

    A denial that is repeated is one decision with a count. Reading those of a namespace
    needs the right to list decisions.countersign.dev there.

    \b
    Example:
      countersign audit log -n payments --outcome denied --since 24h
      countersign audit log -A --debts
    """  # noqa: D301 - click's mark for "do not wrap"
    if namespace and all_namespaces:
        raise click.UsageError("expected -n NAMESPACE or -A, saw both")
    if whole and output != "json":
        raise click.UsageError("expected -o json with --whole, saw none")
    where = given(kubeconfig, context, session.environ)
    if not (namespace or all_namespaces):
        if where is None:
            raise click.UsageError(
                "expected a namespace, saw neither one nor a kubeconfig: give -n or -A"
            )
        namespace = namespace_in(where)
    query = Query(
        namespace=namespace,
        kind=kind,
        name=name,
        outcome=Outcome(outcome) if outcome else None,
        person=person,
        since=session.now() - since if isinstance(since, timedelta) else since,
        debts=debts,
        limit=limit,
    )
    reach = Reach(url=recorder, ca=recorder_ca, where=where)
    found = ask(session, reach, lambda records: _listed(records, query, whole=whole))
    if output == "json":
        from countersign.wire.decision import render_recorded  # noqa: PLC0415 - pydantic

        told = [render_recorded(one, whole=whole) for one in found]
        click.echo(json.dumps(told, indent=2))
    elif found:
        click.echo("\n".join(log_text(found)))
    else:
        place = f" in namespace {namespace}" if namespace else ""
        click.echo(f"no decisions found{place}", err=True)
    return Exit.DONE


async def _listed(
    records: Records, query: Query, *, whole: bool
) -> tuple[Recorded, ...]:
    found = await records.find(query)
    if not whole:
        return found
    full = [await records.get(one.decision.id) for one in found]
    return tuple(one for one in full if one is not None)


@command.command("show", cls=Command)
@click.argument("decision")
@options.policies
@options.trusted_root
@options.kubeconfig
@recorder_options
@options.output
@click.pass_obj
def show(
    session: Session,
    *,
    decision: str,
    policies: Path | None,
    trusted_root: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    recorder: str | None,
    recorder_ca: Path | None,
    output: str,
) -> int:
    """Show one decision in full, with the statements of its bundles.

    What the bundles say is proven under the trust roots of --policies, else of the
    cluster, else under --trusted-root; each says whether it is.

    \b
    Example:
      countersign audit show 01J9Z6V3E8K2M4N7P0QRSTVWXY
    """  # noqa: D301 - click's mark for "do not wrap"
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.inspected import (  # noqa: PLC0415
        inspected_json,
        inspected_text,
        readable,
    )
    from countersign.faces.cli.rulebook import open_rulebook  # noqa: PLC0415
    from countersign.wire.decision import render_recorded  # noqa: PLC0415

    where = given(kubeconfig, context, session.environ)
    kept = fetch(session, decision, Reach(url=recorder, ca=recorder_ca, where=where))
    with open_rulebook(policies, trusted_root, session, where) as rulebook:
        statements = asyncio.run(readable(kept.decision.bundles, rulebook))
    label = f"decision {decision}"
    if output == "json":
        told = {
            **render_recorded(kept, whole=True),
            "statements": [inspected_json(label, one) for one in statements],
        }
        click.echo(json.dumps(told, indent=2))
        return Exit.DONE
    click.echo("\n".join(decision_text(kept)))
    for one in statements:
        click.echo("\n".join(inspected_text(label, one)))
    return Exit.DONE
