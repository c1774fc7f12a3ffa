"""``countersign inspect``: what bundles say, and what of it is proven."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from countersign.faces.cli import options
from countersign.faces.cli.files import is_input, read_inputs
from countersign.faces.cli.session import Command, Exit, NoInput, Session


@click.command("inspect", cls=Command)
@click.argument("names", metavar="FILE|IMAGE...", nargs=-1)
@options.policies
@options.trusted_root
@options.registries
@options.output
@click.pass_obj
def command(
    session: Session,
    *,
    names: Sequence[str],
    policies: Path | None,
    trusted_root: Path | None,
    registry: options.RegistryOptions,
    output: str,
) -> int:
    """Tell what bundles say, and what of it is proven.

    FILE is a bundle, or manifests that carry bundles in their annotations. What a
    bundle says is its signer's word: who that is, is proven only under trust roots that
    you give (--policies or --trusted-root), and each line says which of the two it is.

    IMAGE is REF@sha256:… or REF:TAG, which no file is called. Its registry is asked
    what lies beside it, and shown is what stands on what: the image, the commits that
    it is said to be made of, how those were made, and who approved which of them.

    \b
    Example:
      countersign inspect signed.yaml --policies policies/
      countersign inspect ghcr.io/acme/web:1.4 --policies policies/
    """  # noqa: D301 - click's mark for "do not wrap"
    # pydantic and cryptography, which --help does not need
    from countersign.faces.cli.inspected import (  # noqa: PLC0415
        bundles,
        inspect_each,
        inspected_json,
        inspected_text,
    )
    from countersign.faces.cli.rulebook import open_rulebook  # noqa: PLC0415

    if not names:
        raise click.UsageError(
            "expected a bundle, manifests or an image, saw none: give FILE or IMAGE"
        )
    if images := [name for name in names if _is_image(name)]:
        if len(images) < len(names):
            raise click.UsageError("expected files or images, saw both: ask twice")
        from countersign.faces.cli.inspect_images import (  # noqa: PLC0415
            inspect_images,
        )

        with open_rulebook(policies, trusted_root, session) as rulebook:
            return inspect_images(session, images, rulebook, registry, output)
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


def _is_image(name: str) -> bool:
    """Tell whether an image is meant: no file is called so, and it has tag or digest.

    A word alone is a file that is not there: nobody is asked over the network for a typo.
    """
    return not is_input(name) and ("@" in name or ":" in name.rpartition("/")[2])
