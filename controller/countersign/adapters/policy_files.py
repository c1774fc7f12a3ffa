"""The policies of a folder, for those who judge without a cluster."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from countersign.adapters.books import LOADED, Books, bind_books, observe
from countersign.adapters.cluster.stores import key_of
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.trust import TrustRoot
from countersign.ports import PolicySnapshot
from countersign.wire.manifests import parse_manifests
from countersign.wire.resources.kinds import GROUP, KINDS
from countersign.wire.resources.read import name_of

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


class PolicyFiles:
    """PolicyBook and TrustBook over a folder, read once.

    Files that hold other objects are passed over, so that the folder may be the one
    that a cluster is set up from. What cannot be read as YAML is not: it may be the
    policy that matters.

    Args:
        folder: Read with its subfolders.
        protected: Names that must have a policy.

    Raises:
        Malformed: a file is no YAML or JSON, an object of ours is of no known kind or
            stands twice, or there is none at all.
        Unavailable: the folder cannot be read.
    """

    def __init__(self, folder: Path, *, protected: tuple[str, ...] = ()) -> None:
        found: dict[str, dict[tuple[str, str], Tree]] = {kind: {} for kind in KINDS}
        for tree in _objects(folder):
            kind = str(tree.get("kind"))
            if kind not in found:
                raise Malformed(
                    f"{folder}: expected one of {', '.join(KINDS)}, saw {kind!r}"
                )
            key = key_of(tree) if KINDS[kind].namespaced else ("", name_of(tree))
            if key in found[kind]:
                raise Malformed(
                    f"{folder}: expected each object once, saw twice: {kind}/{key[1]}"
                )
            found[kind][key] = tree
        if not any(found[kind.name] for kind in LOADED):
            raise Malformed(f"{folder}: expected policies of {GROUP}, saw none")
        self.books: Books = bind_books(
            lambda kind: found[kind.name].values(), protected
        )
        observe(self.books)

    def snapshot(self) -> PolicySnapshot:
        """Return the policies; see :class:`~countersign.ports.PolicyBook`."""
        return self.books.policies

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return the trust roots; see :class:`~countersign.ports.TrustBook`."""
        return self.books.roots


def _objects(folder: Path) -> Iterable[Tree]:
    """Return the objects of our group below `folder`, in the order of file names."""
    try:
        files = sorted(f for f in folder.rglob("*") if f.suffix in _SUFFIXES)
        if not folder.is_dir():
            raise Unavailable(f"{folder}: expected a folder")
        read = [_parsed(file) for file in files if file.is_file()]
    except OSError as error:
        raise Unavailable(f"{folder}: {error}") from error
    return (
        tree
        for tree in chain.from_iterable(read)
        if str(tree.get("apiVersion")).startswith(f"{GROUP}/")
    )


def _parsed(file: Path) -> tuple[Tree, ...]:
    try:
        return parse_manifests(file.read_bytes())
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error
