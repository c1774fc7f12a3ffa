"""The port EvidenceStore, in memory: a cluster's BundleSets, as one user sees them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from countersign.core.errors import Rejected
from countersign.core.types.artifacts import Tree
from countersign.ports import Detached, Right
from countersign.wire.resources.objects import bundle_set


@dataclass
class Sets:
    """BundleSets by namespace and name.

    Attributes:
        denied: Verbs that the user may not use.
        clock: What the server's shows, if it says so.
    """

    trees: dict[tuple[str, str], Tree] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    clock: datetime | None = None

    def heard_at(self) -> datetime | None:
        """Return what the server's clock shows."""
        return self.clock

    async def lacking(self, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Return the rights whose verbs are denied."""
        return tuple(right for right in rights if right.verb in self.denied)

    async def sets(self, namespace: str) -> tuple[Detached, ...]:
        """Return the sets of a namespace by name."""
        found = sorted(self.trees.items())
        return tuple(read(tree) for (place, _), tree in found if place == namespace)

    async def create(self, tree: Tree) -> bool:
        """Keep a set."""
        if "create" in self.denied:
            raise Rejected("you may not")
        key = key_of(tree)
        new = key not in self.trees
        self.trees[key] = tree
        return new


def read(tree: Tree) -> Detached:
    """Read a BundleSet, as the gate does."""
    bundles, intents = bundle_set(tree)
    return Detached(name=key_of(tree)[1], bundles=bundles, intents=intents)


def key_of(tree: Tree) -> tuple[str, str]:
    """Return namespace and name."""
    metadata = tree["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["namespace"]), str(metadata["name"])
