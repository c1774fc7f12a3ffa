"""An API server that keeps our objects, and counts what is written to their status.

It applies as the real one does, as far as one manager of whole statuses goes: what is
sent replaces what that manager said before; what is the same is no write.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from countersign.adapters.cluster.source import NotThere
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.wire.resources.kinds import GROUP, KINDS, VERSION
from countersign.wire.resources.status import MANAGER

_BASE = f"/apis/{GROUP}/{VERSION}"
_REGISTRATION = (
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign"
)


@dataclass
class FakeServer:
    """Keeps objects by path.

    Attributes:
        kept: What is stored.
        served: Plural names whose CRD is there.
        writes: Paths of what was applied, in order.
        down: Nobody answers.
    """

    kept: dict[str, Any] = field(default_factory=dict)
    served: set[str] = field(default_factory=lambda: {k.plural for k in KINDS.values()})
    writes: list[str] = field(default_factory=list)
    down: bool = False

    def store(self, tree: Any) -> Any:
        """Store an object of ours, or the registration; return it as kept."""
        self.kept[path_of(tree)] = copy.deepcopy(tree)
        return self.kept[path_of(tree)]

    def remove(self, tree: Any) -> None:
        """Take an object out."""
        del self.kept[path_of(tree)]

    def condition(self, tree: Any, about: str = "Ready") -> Any:
        """Return a condition of an object as it is stored."""
        said = self.kept[path_of(tree)]["status"]["conditions"]
        return next(one for one in said if one["type"] == about)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Answer a GET."""
        del query
        self._answer()
        if path not in self.kept:
            raise NotThere(path)
        found: Tree = copy.deepcopy(self.kept[path])
        return found

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Answer a LIST of a cluster-scoped kind."""
        self._answer()
        if path.rpartition("/")[2] not in self.served:
            raise NotThere(path)
        under = [p for p in self.kept if p.rpartition("/")[0] == path]
        return [copy.deepcopy(self.kept[p]) for p in under], "1"

    async def apply(self, path: str, tree: Tree, *, manager: str) -> Tree:
        """Answer a server-side apply to a status."""
        self._answer()
        place, _, last = path.rpartition("/")
        assert (last, manager) == ("status", MANAGER)
        if place not in self.kept:
            raise NotThere(path)
        kept, sent = self.kept[place], copy.deepcopy(tree)
        about: Any = sent["metadata"]
        if about.get("uid") != kept["metadata"].get("uid"):
            raise Rejected("the uid in the precondition is another")
        self.writes.append(place)
        kept["status"] = sent["status"]
        return sent

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("connection refused")


def path_of(tree: Any) -> str:
    """Return where an object is kept."""
    if tree["kind"] not in KINDS:
        return _REGISTRATION
    kind, about = KINDS[tree["kind"]], tree["metadata"]
    place = f"/namespaces/{about['namespace']}" if kind.namespaced else ""
    return f"{_BASE}{place}/{kind.plural}/{about['name']}"
