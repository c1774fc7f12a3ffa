"""The objects that ``-f`` names, and those that a command gives back."""

from collections.abc import Sequence
from pathlib import Path

import click

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.faces.cli.files import read_inputs, write_result
from countersign.faces.cli.session import NoInput
from countersign.usecases.prepare import BUDGET, name_of, weight
from countersign.wire.manifests import parse_manifests
from countersign.wire.yaml_text import render_yaml


def read_manifests(names: Sequence[str]) -> tuple[Tree, ...]:
    """Return all objects in all files, in order.

    Raises:
        NoInput: there is no file, or no object in any.
        Malformed: a file holds something else; the message names it.
        Unavailable: a file cannot be read.
    """
    objects: list[Tree] = []
    for name, raw in read_inputs(names):
        try:
            objects += parse_manifests(raw)
        except Malformed as error:
            raise Malformed(f"{name}: {error}") from error
    if not objects:
        raise NoInput(f"expected objects, saw none in {', '.join(names)}")
    return tuple(objects)


def write_manifests(out: Path | None, objects: Sequence[Tree]) -> None:
    """Write objects to be applied as they are; tell which carry a lot.

    Raises:
        Unavailable: the file cannot be written.
    """
    write_result(out, render_yaml(objects).encode())
    for tree in objects:
        if (size := weight(tree)) > BUDGET:
            click.echo(
                f"{name_of(tree)} carries {size // 1024} KiB of evidence, more than "
                f"{BUDGET // 1024}: should kubectl refuse it, apply with --server-side",
                err=True,
            )
