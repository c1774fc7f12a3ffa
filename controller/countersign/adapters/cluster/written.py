"""What those need of an API server who write a little; `ApiServer` is all of it."""

from collections.abc import Mapping
from typing import Protocol

from countersign.core.types.artifacts import Tree


class Getter(Protocol):
    """Reads one object."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`; raise NotThere or Unavailable."""
        ...


class Creator(Getter, Protocol):
    """Creates objects, too."""

    async def create(self, path: str, tree: Tree) -> Tree:
        """Create an object; raise as `get`, or Rejected."""
        ...


class Applier(Getter, Protocol):
    """Applies objects, too."""

    async def apply(self, path: str, tree: Tree, *, manager: str) -> Tree:
        """Apply `tree` server-side; raise as `get`, or Rejected."""
        ...
