"""BundleSets that are read once: of files, and of a cluster as its user may list them.

For those who judge without watching. What lies in a file counts as if it were applied
with the rest of it.
"""

from collections.abc import Iterable

from countersign.adapters.cluster.source import NotThere, Source
from countersign.adapters.set_index import SetIndex
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.ports import Detached
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP, VERSION

OWN_NAMESPACE = "countersign"
"""Where sets about cluster-scoped objects lie."""


class ReadSets:
    """BundleSource over what was read so far.

    Args:
        trees: Objects of files; those that are no BundleSets are passed over, as are
            sets that the server would refuse.
        namespace: Of those that name none.
        server: Where `refresh` lists more; None: there are only the files.
    """

    def __init__(
        self,
        trees: Iterable[Tree] = (),
        *,
        namespace: str = "",
        server: Source | None = None,
    ) -> None:
        self._server = server
        self._index = SetIndex(OWN_NAMESPACE)
        self.add(trees, namespace)

    def add(self, trees: Iterable[Tree], namespace: str) -> bool:
        """Keep the sets among `trees`; tell whether one is new."""
        new = [
            self._index.put(_placed(tree, namespace))
            for tree in trees
            if tree.get("kind") == BUNDLE_SET.name
        ]
        return any(new)

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        """Return the sets that name `ref`; see :class:`~countersign.ports.BundleSource`."""
        return self._index.about(ref)

    async def refresh(self, namespace: str) -> bool:
        """List the sets of a namespace; see the port."""
        if self._server is None:
            return False
        place = namespace or OWN_NAMESPACE
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{place}/{BUNDLE_SET.plural}"
        try:
            found, _ = await self._server.list(path)
        except NotThere:
            return False  # no such kind, so no such set
        except Unavailable as error:
            raise Unavailable(
                f"could not list {BUNDLE_SET.plural}.{GROUP} in {place}: {error}"
            ) from error
        return self.add(found, place)


def _placed(tree: Tree, namespace: str) -> Tree:
    metadata = tree.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("namespace"):
        return tree
    return {**tree, "metadata": {**metadata, "namespace": namespace}}
