"""The custom kinds of a cluster: its CustomResourceDefinitions, watched and compiled."""

from collections.abc import Iterable
from typing import Final

from countersign.adapters.cluster.source import Source
from countersign.adapters.cluster.stores import key_of
from countersign.adapters.cluster.watch import Pace, Watch
from countersign.binding.custom.definition import CustomKind, compile_definition
from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.core.errors import Stale, Unavailable
from countersign.core.types.artifacts import Tree

PATH: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_KIND = "CustomResourceDefinition"


class WatchedDefinitions:
    """Definitions over a watch: each one is compiled once, when it comes."""

    def __init__(self, server: Source, pace: Pace) -> None:
        self._store = _Compiled()
        self._stale_s = pace.stale_s
        self.watch = Watch(server, kind=_KIND, path=PATH, store=self._store, pace=pace)

    def kinds(self) -> Kinds:
        """Return the present kinds; see :class:`~countersign.ports.Definitions`."""
        age = self.watch.age_s()
        if age == float("inf"):
            raise Unavailable(f"no first list of {_KIND} yet")
        if self.watch.stale:
            raise Stale(
                f"no word about {_KIND} for {age:.0f} s, limit {self._stale_s:g} s"
            )
        return self._store.kinds()

    def trouble(self) -> tuple[str, ...]:
        """Return why custom resources cannot be judged at all; empty: they can."""
        if self.watch.age_s() == float("inf"):
            return (f"no first list of {_KIND} yet",)
        return ()


class _Compiled:
    """Compiled definitions by name; of their text nothing is kept."""

    def __init__(self) -> None:
        self._compiled: dict[str, tuple[CustomKind, ...]] = {}
        self._kinds: Kinds | None = BUILT_IN

    def replace(self, trees: Iterable[Tree]) -> None:
        """Keep exactly `trees`."""
        self._compiled = {key_of(tree)[1]: compile_definition(tree) for tree in trees}
        self._kinds = None

    def put(self, tree: Tree) -> None:
        """Keep `tree` in place of the definition of its name."""
        self._compiled[key_of(tree)[1]] = compile_definition(tree)
        self._kinds = None

    def drop(self, tree: Tree) -> None:
        """Forget the definition of the name of `tree`."""
        self._compiled.pop(key_of(tree)[1], None)
        self._kinds = None

    def kinds(self) -> Kinds:
        """Return all that is kept; the same value until something changes."""
        if self._kinds is None:
            self._kinds = Kinds(k for found in self._compiled.values() for k in found)
        return self._kinds


async def read_kinds(server: Source) -> Kinds:
    """Return the present kinds, read once; no custom ones where the user may not look.

    Not knowing them can only deny.
    """
    try:
        trees, _ = await server.list(PATH)
    except Unavailable:
        return BUILT_IN
    return Kinds(kind for tree in trees for kind in compile_definition(tree))
