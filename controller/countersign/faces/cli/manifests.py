"""The objects that ``-f`` names."""

from collections.abc import Sequence

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.session import NoInput
from countersign.wire.manifests import parse_manifests


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
