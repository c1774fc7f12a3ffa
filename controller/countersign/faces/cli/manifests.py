"""The objects that ``-f`` names, and those that a command gives back."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from countersign.binding.kinds import Kinds
from countersign.binding.tables import kind_key
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.faces.cli.files import STDIN, read_inputs, write_result
from countersign.faces.cli.inputs import Inputs
from countersign.faces.cli.plans import is_about_plans, read_plans
from countersign.faces.cli.rendering import render_folders, rendered
from countersign.faces.cli.session import NoInput
from countersign.report.gate import Place
from countersign.usecases.prepare import name_of
from countersign.wire.manifests import parse_placed
from countersign.wire.yaml_text import render_yaml

_MAX_ANNOTATIONS = 256 << 10  # bytes (apimachinery, TotalAnnotationSizeLimitB)


NOWHERE = Place("stdin")
"""Of what came through a pipe, or from beside an image: readers of reports want a file."""


def read_manifests(inputs: Inputs) -> tuple[Tree, ...]:
    """Return all objects in all files, in order.

    Raises:
        NoInput, Malformed, Unavailable: as `read_placed`.
    """
    return tuple(tree for tree, _ in read_placed(inputs))


def read_placed(inputs: Inputs) -> tuple[tuple[Tree, Place], ...]:
    """Return all objects in all files, in order, and where each is written.

    Raises:
        NoInput: there is no file, or no object in any.
        Malformed: a file holds something else; the message names it. Or what renders
            objects failed, or gave others each time.
        Unavailable: a file cannot be read, or a program not run.
    """
    found: list[tuple[Tree, Place]] = []
    for name, raw in _raws(inputs):
        made = name in (STDIN, inputs.render)
        file = NOWHERE.file if made else in_repository(Path(name))
        try:
            found += [(tree, Place(file, line)) for line, tree in parse_placed(raw)]
        except Malformed as error:
            raise Malformed(f"{name}: {error}") from error
    for tree, name in read_plans(inputs):
        here = name != STDIN
        found.append((tree, Place(in_repository(Path(name))) if here else NOWHERE))
    if not found:
        names = (*inputs.filenames, *inputs.kustomizations, inputs.render)
        raise NoInput(f"expected objects, saw none in {', '.join(filter(None, names))}")
    return tuple(found)


def _raws(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
    """Yield what is to be read, each with what it is called."""
    if inputs.filenames:
        yield from read_inputs(inputs.filenames, recursive=inputs.recursive)
    yield from render_folders(inputs.kustomizations)
    if inputs.render:
        yield inputs.render, rendered(inputs.render)


def in_repository(file: Path) -> str:
    """Return the path of `file` below the work tree that it is in, with slashes.

    Outside of any it is relative to the present folder.
    """
    whole = file.absolute()
    top = next((d for d in whole.parents if (d / ".git").exists()), Path.cwd())
    return Path(os.path.relpath(whole, top)).as_posix()


def warn_of_places(manifests: Iterable[Tree], namespace: str, kinds: Kinds) -> None:
    """Tell of which kinds it is only assumed that their objects live in a namespace."""
    assumed = {
        kind_key(tree)
        for tree in manifests
        if namespace and kinds.is_namespaced(tree) is None and not _place(tree)
    }
    for kind in sorted(assumed):
        click.echo(
            f"{kind} is not known here: its objects are taken to live in {namespace}; "
            "write metadata.namespace, or give the definition along",
            err=True,
        )


def _place(tree: Tree) -> object:
    metadata = tree.get("metadata")
    return metadata.get("namespace") if isinstance(metadata, dict) else None


def write_manifests(out: Path | None, objects: Sequence[Tree]) -> None:
    """Write objects to be applied as they are; tell which need another way for that.

    Raises:
        Unavailable: the file cannot be written.
    """
    write_result(out, render_yaml(objects).encode())
    for tree in filter(_is_large, objects):
        click.echo(
            f"{name_of(tree)} is larger than kubectl remembers: apply with "
            "--server-side",
            err=True,
        )


def write_to_apply(out: Path | None, objects: Sequence[Tree]) -> None:
    """Write objects, and tell a person what is done with them.

    Raises:
        Unavailable: the file cannot be written.
    """
    write_manifests(out, objects)
    if out and is_about_plans(objects):
        click.echo(f"written to {out}; next: the gate, with -f {out}", err=True)
    elif out:
        way = " --server-side" if any(map(_is_large, objects)) else ""
        click.echo(f"written to {out}; next: kubectl apply{way} -f {out}", err=True)


def _is_large(tree: Tree) -> bool:
    """Tell whether the server would refuse what ``kubectl apply`` makes of an object.

    It keeps all of it in an annotation, ``last-applied-configuration``.
    """
    metadata = tree.get("metadata")
    about = metadata.get("annotations") if isinstance(metadata, dict) else None
    known = about if isinstance(about, dict) else {}
    held = sum(len(key) + len(str(value)) for key, value in known.items())
    return held + len(json.dumps(tree)) > _MAX_ANNOTATIONS
