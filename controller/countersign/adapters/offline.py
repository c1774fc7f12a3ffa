"""No cluster: for judging files where there is none, or none is to be asked."""

from countersign.core.types.artifacts import ObjectRef, Tree


class NoCluster:
    """ClusterState in which nothing lives.

    Not knowing an owner can only deny, so a verdict given with this admits nothing that
    the cluster's own would not.
    """

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return None."""
        del version, ref, live
        return None

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return nothing."""
        del version, kind
        return ()
