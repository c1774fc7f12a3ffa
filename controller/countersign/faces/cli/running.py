"""``countersign audit running``: who signed what runs now, and on what evidence."""

import asyncio
import json
from pathlib import Path

import click

from countersign.faces.cli import options
from countersign.faces.cli.cluster import given, namespace_in
from countersign.faces.cli.recorder import recorder as recorder_options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.report.running import running_json, running_text


@click.command("running", cls=Command)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Namespace; else that of the kubeconfig's context. Repeatable.",
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Every protected one.")
@click.option(
    "--cluster",
    envvar="COUNTERSIGN_CLUSTER",
    help="Its name, to which sign-offs are bound; else as the recorder knows it.",
)
@options.ask_registries
@options.registries
@options.policies
@options.kubeconfig
@recorder_options
@click.option(
    "--strict", is_flag=True, help="Exit with 11 where nobody stands for one."
)
@options.output
@click.pass_obj
def running(
    session: Session,
    *,
    namespaces: tuple[str, ...],
    all_namespaces: bool,
    cluster: str | None,
    ask_registries: bool,
    registry: options.RegistryOptions,
    policies: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    recorder: str | None,
    recorder_ca: Path | None,
    strict: bool,
    output: str,
) -> int:
    """Say who signed what runs now, on what evidence, and since when.

    Every live object that a policy protects, workloads first. Evidence is what objects
    carry and what lies beside them, with --registries beside their images, too; it is
    proven here and must bind to the present state, as admission binds it. Where nothing
    does, it says: nobody. What controllers made of an object stands under it. The
    recorder, if it is there, knows since when.

    \b
    Example:
      countersign audit running
      countersign audit running -n payments --cluster prod-eu
      countersign audit running -A -o json
    """  # noqa: D301 - click's mark for "do not wrap"
    if namespaces and all_namespaces:
        raise click.UsageError("expected -n NAMESPACE or -A, saw both")
    where = given(kubeconfig, context, session.environ)
    if where is None:
        raise click.UsageError(
            "expected a cluster, saw no kubeconfig: give --kubeconfig"
        )
    if not all_namespaces:
        namespaces = namespaces or (namespace_in(where),)
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.engine import Sources  # noqa: PLC0415
    from countersign.faces.cli.standing import History, look  # noqa: PLC0415

    asked = registry if ask_registries else None
    found = Sources(policies=policies, where=where, registry=asked)
    past = History(session, recorder, recorder_ca, where)
    seen = asyncio.run(look(session, found, namespaces, past, cluster))
    for one in seen:
        for text in one.unseen:
            click.echo(f"not seen: {text}", err=True)
    objects = [each for one in seen for each in one.running]
    if output == "json":
        click.echo(json.dumps(running_json(objects), indent=2))
    else:
        for line in running_text(objects):
            click.echo(line)
    nobodys = sum(each.nobody for each in objects)
    place = "" if all_namespaces else f" in {', '.join(namespaces)}"
    click.echo(f"{len(objects)} objects{place}, nobody stands for {nobodys}", err=True)
    partly = any(one.unseen for one in seen)
    return Exit.WARNED if strict and (nobodys or partly) else Exit.DONE
