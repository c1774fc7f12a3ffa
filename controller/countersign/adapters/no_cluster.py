"""No cluster at all: for those who judge files alone."""

from countersign.core.types.artifacts import ObjectRef, Tree


class NoCluster:
    """ClusterState of an empty cluster.

    What a server adds on account of its other objects (a default class, the limits of a
    namespace) is in no file either, so an empty cluster is the one that files fit.
    """

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return None: there is no object."""
        del version, ref, live
        return None

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return nothing: there are no objects."""
        del version, kind
        return ()
