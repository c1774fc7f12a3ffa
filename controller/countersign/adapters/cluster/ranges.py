"""Which addresses the API server may allocate to Services."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from countersign.adapters.cluster.source import Source
from countersign.adapters.cluster.stores import TreeStore
from countersign.adapters.cluster.watch import Pace, Watch
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Json, Tree

PATH = "/apis/networking.k8s.io/v1/servicecidrs"  # served since Kubernetes 1.33

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]


class ServiceRanges:
    """The ServiceCIDR objects of a cluster, watched.

    Nobody who may write in a namespace may write these. A range that is no longer
    heard of stays believed: addresses outlive it anyway.
    """

    def __init__(self, server: Source, pace: Pace) -> None:
        self._trees = TreeStore()
        self._read: tuple[int, Networks] = (0, ())
        self.watch = Watch(
            server, kind="ServiceCIDR", path=PATH, store=self._trees, pace=pace
        )

    def trouble(self) -> tuple[str, ...]:
        """Return why the ranges are not known; empty: they are."""
        if self._trees.edition:
            return ()
        return ("no first list of ServiceCIDR yet",)

    def networks(self) -> Networks:
        """Return the present ranges, sorted."""
        if self._read[0] != self._trees.edition:
            found = {cidr for tree in self._trees.all() for cidr in _cidrs(tree)}
            self._read = self._trees.edition, tuple(sorted(found, key=str))
        return self._read[1]


async def read_ranges(server: Source) -> Networks:
    """Return the present ranges, read once; none where the user may not see them.

    Not knowing them can only deny: an address that was allocated looks like one that
    nobody signed.
    """
    try:
        trees, _ = await server.list(PATH)
    except Unavailable:
        return ()
    return tuple(sorted({c for tree in trees for c in _cidrs(tree)}, key=str))


def _cidrs(tree: Tree) -> Networks:
    spec = tree.get("spec")
    said: Json = spec.get("cidrs") if isinstance(spec, dict) else None
    texts = said if isinstance(said, list) else []
    return tuple(ip_network(text) for text in texts if isinstance(text, str))
