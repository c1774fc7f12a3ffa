"""``inspect IMAGE``: what lies beside images, with its lineage."""

import asyncio
import json
from collections.abc import Sequence

import click
from rich.console import Console

from countersign.faces.cli.images import Tagged, open_registries, read_image
from countersign.faces.cli.lineage import lineage_json, lineage_tree, show
from countersign.faces.cli.options import RegistryOptions
from countersign.faces.cli.progress import working
from countersign.faces.cli.rulebook import Rulebook
from countersign.faces.cli.session import Exit, Session
from countersign.ports import Pinned
from countersign.usecases.lineage import Lineage, trace


def inspect_images(
    session: Session,
    names: Sequence[str],
    rulebook: Rulebook,
    how: RegistryOptions,
    output: str,
) -> int:
    """Ask the registries of images what lies beside them, and show it.

    Must not be called while an event loop runs.

    Raises:
        click.UsageError: a name that is no image's.
        Misconfigured: the user's credentials cannot be used.
        Unavailable: a registry did not answer, or has no such image.
    """

    async def traced() -> list[tuple[Lineage, str]]:
        images = [read_image(name) for name in names]
        async with open_registries(session, how) as store:
            found = []
            for image in images:
                tag = image.tag if isinstance(image, Tagged) else ""
                if isinstance(image, Tagged):
                    digest = await store.resolve(image.repository, tag)
                    image = Pinned(image.repository, digest)  # noqa: PLW2901 - the same
                lying = await store.about(image)
                found.append((await trace(image, lying, rulebook.prover), tag))
            return found

    with working(session, "asking registries"):
        found = asyncio.run(traced())
    if output == "json":
        click.echo(json.dumps([lineage_json(*each) for each in found], indent=2))
        return Exit.DONE
    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    for each in found:
        show(console, lineage_tree(*each))
    return Exit.DONE
