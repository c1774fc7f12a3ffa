"""``countersign inspect``: what bundles say, and what of it is proven."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from countersign.faces.cli import options
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.session import Command, Exit, NoInput, Session


@click.command("inspect", cls=Command)
@click.argument("names", metavar="FILE...", nargs=-1)
@options.policies
@options.trusted_root
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    names: Sequence[str],
    policies: Path | None,
    trusted_root: Path | None,
    output: str,
) -> int:
    """Tell what bundles say, and what of it is proven.

    FILE is a bundle, or manifests that carry bundles in their annotations. What a
    bundle says is its signer's word: who that is, is proven only under trust roots that
    you give (--policies or --trusted-root), and each line says which of the two it is.
    """
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.inspected import (  # noqa: PLC0415
        bundles,
        inspect_each,
        inspected_json,
        inspected_text,
    )
    from countersign.faces.cli.rulebook import open_rulebook  # noqa: PLC0415

    if not names:
        raise click.UsageError("expected a bundle or manifests, saw none: give FILE")
    raws = [found for name, raw in read_inputs(names) for found in bundles(name, raw)]
    if not raws:
        raise NoInput(f"expected bundles, saw none in {', '.join(names)}")
    with open_rulebook(policies, trusted_root, session) as rulebook:
        found = asyncio.run(inspect_each(raws, rulebook))
    if output == "json":
        click.echo(
            json.dumps([inspected_json(where, one) for where, one in found], indent=2)
        )
    else:
        for where, one in found:
            click.echo("\n".join(inspected_text(where, one)))
    return Exit.DONE
