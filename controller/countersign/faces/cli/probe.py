"""``countersign probe``: send what must be denied, and see that it is."""

import asyncio
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

import click

from countersign.binding.registration import denied_by_us
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.faces.cli import options
from countersign.faces.cli.cluster import REQUEST_S, Where, given
from countersign.faces.cli.session import Command, Exit, Session

NAME = "countersign-probe"  # of the ConfigMap that is never made


class Seen(Enum):
    """What became of a change that must be denied; as it is told."""

    DENIED = "denied, as it has to be"
    ADMITTED = "ADMITTED: nobody is asked here, or the policy says audit or warn"
    UNANSWERED = "not admitted, but nobody answers"
    REFUSED = "could not be asked"
    ABSENT = "no such namespace"


@click.command("probe", cls=Command)
@click.option(
    "--namespace",
    "-n",
    "patterns",
    multiple=True,
    required=True,
    help="A protected namespace, or a glob with *; may be given more than once.",
)
@options.kubeconfig
@click.pass_obj
def command(
    session: Session,
    *,
    patterns: tuple[str, ...],
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Send what must be denied, and see that it is.

    A ConfigMap that nobody signed, as a dry run: nothing is stored even where the gate
    is open. Needs `create` and `patch` on that one ConfigMap, and `list` on namespaces
    for globs; in a Pod it asks as its service account.

    Exits with 0 if all were denied by countersign, with 11 if one was admitted, with 1
    if it could not tell.

    \b
    Example:
      countersign probe -n payments
    """  # noqa: D301 - click's mark for "do not wrap"
    where = given(kubeconfig, context, session.environ) or Where(None, None)
    found = asyncio.run(_probe(where, patterns))
    for namespace, (seen, said) in sorted(found.items()):
        told = f": {said}" if said and seen is not Seen.DENIED else ""
        click.echo(f"{namespace}: {seen.value}{told}")
    kinds = {seen for seen, _ in found.values()}
    if Seen.ADMITTED in kinds:
        return Exit.WARNED
    return Exit.DONE if kinds - {Seen.ABSENT} == {Seen.DENIED} else Exit.UNDECIDED


async def _probe(
    where: Where, patterns: tuple[str, ...]
) -> dict[str, tuple[Seen, str]]:
    """Return what became of it in each namespace, and what the server said."""
    # a second of imports, which --help need not pay
    from countersign.adapters.cluster.client import (  # noqa: PLC0415
        ApiServer,
        connect,
    )
    from countersign.adapters.cluster.source import NotThere  # noqa: PLC0415

    async def one(server: ApiServer, namespace: str) -> tuple[Seen, str]:
        tree: Tree = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": namespace},
        }
        path = f"/api/v1/namespaces/{namespace}/configmaps/{NAME}"
        try:
            await server.apply(path, tree, manager=NAME, dry_run=True)
        except Rejected as error:
            said = str(error)
            ours = denied_by_us(said)
            return (Seen.DENIED if ours else Seen.REFUSED), said
        except NotThere:
            return Seen.ABSENT, ""
        except Unavailable as error:
            return Seen.UNANSWERED, str(error)
        return Seen.ADMITTED, ""

    async with connect(
        kubeconfig=where.kubeconfig, context=where.context, request_s=REQUEST_S
    ) as server:
        named = {pattern for pattern in patterns if "*" not in pattern}
        globs = set(patterns) - named
        if globs:
            trees, _ = await server.list("/api/v1/namespaces")
            names = {str(tree["metadata"]["name"]) for tree in trees}  # type: ignore[index, call-overload]  # every object has them
            named |= {n for n in names if any(fnmatchcase(n, g) for g in globs)}
        return {namespace: await one(server, namespace) for namespace in named}
