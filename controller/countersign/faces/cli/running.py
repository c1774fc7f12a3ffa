"""``countersign audit running``: who signed what runs now, and on what evidence."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from countersign.core.errors import CountersignError, Malformed
from countersign.core.types.decision import Recorded
from countersign.faces.cli import options
from countersign.faces.cli.cluster import Where, given, namespace_in
from countersign.faces.cli.engine import Sources, list_sets, open_bench
from countersign.faces.cli.recorder import open_records
from countersign.faces.cli.recorder import recorder as recorder_options
from countersign.faces.cli.session import Command, Exit, Session
from countersign.ports import Query
from countersign.report.running import running_json, running_text
from countersign.usecases.running import Seen, Standing, protected

_LIMIT = 1000  # decisions of a namespace that are looked through, the newest


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
    carry and what lies beside them; it is proven here and must bind to the present
    state, as admission binds it. Where nothing does, it says: nobody. What controllers
    made of an object stands under it. The recorder, if it is there, knows since when.

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
    found = Sources(policies=policies, where=where)
    past = _History(session, recorder, recorder_ca, where)
    seen = asyncio.run(_look(session, found, namespaces, past, cluster))
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


async def _look(
    session: Session,
    found: Sources,
    namespaces: tuple[str, ...],
    past: "_History",
    cluster: str | None,
) -> list[Seen]:
    async with open_bench(session, found, cluster_name=cluster or "") as bench:
        policies = bench.rules.snapshot().policies
        places = namespaces or await protected(bench.state, policies)
        await list_sets(bench, places)
        recorded = await past.of(places)
        standing = Standing(
            bench.state,
            bench.prover,
            bench.sets,
            cluster or _called(recorded),
            bench.settings,
        )
        return [
            await standing.look(place, policies, recorded.get(place, ()))
            for place in places
        ]


def _called(recorded: Mapping[str, tuple[Recorded, ...]]) -> str:
    """Return the cluster's name, as its decisions have it.

    Raises:
        Malformed: nothing is recorded, or under several names.
    """
    names = {one.decision.cluster for each in recorded.values() for one in each}
    if len(names) != 1:
        seen = ", ".join(sorted(names)) or "none recorded"
        raise Malformed(
            f"expected the cluster's name, saw {seen}: sign-offs are bound to it, so "
            "give --cluster NAME"
        )
    return names.pop()


class _History:
    """Recorded admissions, where a recorder is there to be asked."""

    def __init__(
        self, session: Session, url: str | None, ca: Path | None, where: Where
    ) -> None:
        self._session = session
        self._url = url
        self._ca = ca
        self._where = where

    async def of(self, places: Iterable[str]) -> dict[str, tuple[Recorded, ...]]:
        """Return the decisions of each namespace; what cannot be had is said."""
        found: dict[str, tuple[Recorded, ...]] = {}
        try:
            async with open_records(
                self._session, self._url, self._ca, self._where
            ) as records:
                for place in places:
                    query = Query(namespace=place, limit=_LIMIT)
                    found[place] = await records.find(query)
        except CountersignError as error:
            click.echo(f"since when is not known: {error}", err=True)
        return found
