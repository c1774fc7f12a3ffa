"""Objects of ours from files, without a cluster."""

from collections.abc import Iterable, Sequence

from countersign.adapters.books import LOADED, Books, bind_books
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree
from countersign.faces.cli.files import read_inputs
from countersign.faces.cli.session import NoInput
from countersign.wire.manifests import parse_manifests
from countersign.wire.resources.kinds import GROUP, KINDS
from countersign.wire.resources.read import name_of


def read_objects(files: Sequence[str]) -> tuple[Tree, ...]:
    """Return the policies, rosters, trust roots and revocations in `files`.

    Other objects are passed over, so that a folder may be the one that a cluster is set
    up from.

    Raises:
        NoInput: there is none of ours.
        Malformed: a file is no YAML or JSON; one of ours is of no kind that is known,
            or stands there twice.
        Unavailable: a file cannot be read.
    """
    found: dict[tuple[str, str], Tree] = {}
    for file, content in read_inputs(files, recursive=True):
        for tree in _parsed(file, content):
            kind = str(tree.get("kind"))
            if kind not in KINDS:
                raise Malformed(
                    f"{file}: expected one of {', '.join(KINDS)}, saw {kind[:80]!r}"
                )
            if kind not in {one.name for one in LOADED}:
                continue
            key = (kind, name_of(tree))
            if key in found:
                raise Malformed(f"{file}: expected {kind}/{key[1]} once, saw it twice")
            found[key] = tree
    if not found:
        raise NoInput(f"expected objects of {GROUP}, saw none in {', '.join(files)}")
    return tuple(found.values())


def books_of(trees: Iterable[Tree]) -> Books:
    """Read them together, as if they were all there is."""
    given = tuple(trees)
    return bind_books(lambda k: [t for t in given if t.get("kind") == k.name], ())


def _parsed(file: str, content: bytes) -> list[Tree]:
    try:
        trees = parse_manifests(content)
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error
    return [t for t in trees if str(t.get("apiVersion")).startswith(f"{GROUP}/")]
