"""``countersign trust``: take over what a Sigstore publishes, by the admins' signatures."""

import json
from pathlib import Path

import click

from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.faces.cli import options
from countersign.faces.cli.cluster import REQUEST_S, given
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.session import Command, Exit, NoInput, Session

_LOOK_S = 60.0  # seconds for all files: a person waits


@click.group("trust")
def command() -> None:
    """Take over newer trust, as its Sigstore publishes it."""


@command.command("refresh", cls=Command)
@click.argument("name", required=False)
@click.option(
    "-f",
    "--filename",
    "file",
    help="File with the TrustRoot, or -; else the cluster's own, by NAME.",
)
@options.kubeconfig
@click.option(
    "--mirror-ca",
    type=options.FILE,
    envvar="COUNTERSIGN_MIRROR_CA",
    help="Authority of the mirror (PEM), besides those that this machine trusts.",
)
@options.out
@options.output
@click.pass_obj
def refresh(
    session: Session,
    *,
    name: str | None,
    file: str | None,
    kubeconfig: Path | None,
    context: str | None,
    mirror_ca: Path | None,
    out: Path | None,
    output: str,
) -> int:
    """Propose the trust that the mirror of TrustRoot NAME publishes.

    Fetches it from spec.tuf.mirror, verifies it by TUF from spec.tuf.root on, says what
    would change, and writes the TrustRoot as it would be. Nothing is applied: admins
    sign the file, as any change of trust. Where there is nothing new, nothing is
    written.

    \b
    Example:
      countersign trust refresh public-good --out public-good.yaml
      countersign sign-off -f public-good.yaml --out signed.yaml
      kubectl apply -f signed.yaml
    """  # noqa: D301 - click's mark for "do not wrap"
    options.require_out(output, out)
    tree = (
        _of_file(file, name)
        if file is not None
        else _of_cluster(session, name, kubeconfig, context)
    )
    # aiohttp, tuf and cryptography, which --help need not pay
    from countersign.adapters.published.proposing import propose, reach  # noqa: PLC0415
    from countersign.report.published import (  # noqa: PLC0415
        changes_json,
        changes_text,
    )
    from countersign.wire.yaml_text import render_yaml  # noqa: PLC0415

    how = reach(ca_file=mirror_ca, loopback=True, look_s=_LOOK_S)
    who = str(_metadata(tree).get("name"))
    try:
        seen = propose(tree, how)
    except (Malformed, Rejected, Unavailable) as error:
        raise type(error)(
            f"TrustRoot {who}: {error}; nothing was written, and what is in force stays"
        ) from error
    text = render_yaml([seen.tree])
    if output == "json":
        told = {
            "trustRoot": who,
            "differs": seen.differs,
            "changes": changes_json(seen.changes),
            "root": {"before": seen.before, "after": seen.found.root_version},
            "metadataEnd": seen.found.ends.isoformat(),
        }
        click.echo(json.dumps(told, indent=2))
    else:
        rotated = f"root {seen.before} -> {seen.found.root_version}"
        what = "other trust is published" if seen.differs else "the same trust"
        click.echo(f"TrustRoot {who}: {what}; {rotated}", err=out is None)
        for line in changes_text(seen.changes) if seen.differs else ():
            click.echo(f"  {line}", err=out is None)
    if not seen.differs and seen.before == seen.found.root_version:
        click.echo("nothing to take over: nothing was written", err=True)
        return Exit.DONE
    if out is None:
        click.echo(text, nl=False)
        return Exit.DONE
    _write(out, text)
    click.echo(
        f"written: {out}\nnext: two admins, one after the other: countersign sign-off "
        f"-f {out} --out signed.yaml; then kubectl apply -f signed.yaml",
        err=True,
    )
    return Exit.DONE


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text)
    except OSError as error:
        raise Unavailable(f"could not write {out}: {error}") from error


def _of_file(file: str, name: str | None) -> Tree:
    # pydantic, as above
    from countersign.wire.manifests import parse_manifests  # noqa: PLC0415

    trees = [tree for _, raw in read_inputs([file]) for tree in parse_manifests(raw)]
    found = [
        tree
        for tree in trees
        if tree.get("kind") == "TrustRoot"
        and "tuf" in (spec if isinstance(spec := tree.get("spec"), dict) else {})
        and name in (None, _metadata(tree).get("name"))
    ]
    if len(found) != 1:
        raise NoInput(
            f"expected one TrustRoot{f' {name}' if name else ''} with spec.tuf in "
            f"{file}, saw {len(found)}"
        )
    return found[0]


def _of_cluster(
    session: Session, name: str | None, kubeconfig: Path | None, context: str | None
) -> Tree:
    where = given(kubeconfig, context, session.environ)
    if name is None or where is None:
        raise click.UsageError(
            "expected -f FILE, or the NAME of a TrustRoot in a cluster (--kubeconfig)"
        )
    # the Kubernetes client costs a second, as above
    import asyncio  # noqa: PLC0415

    from countersign.adapters.cluster.client import connect  # noqa: PLC0415
    from countersign.adapters.cluster.rules import read_kind  # noqa: PLC0415
    from countersign.wire.resources.kinds import TRUST_ROOT  # noqa: PLC0415

    async def listed() -> tuple[Tree, ...]:
        async with connect(
            kubeconfig=where.kubeconfig, context=where.context, request_s=REQUEST_S
        ) as server:
            return await read_kind(server, TRUST_ROOT)

    for tree in asyncio.run(listed()):
        if _metadata(tree).get("name") == name:
            return tree
    raise NoInput(f"expected TrustRoot {name} in the cluster, saw none")


def _metadata(tree: Tree) -> Tree:
    metadata = tree.get("metadata")
    return metadata if isinstance(metadata, dict) else {}
