"""Reports of what runs, in our own namespace, of whichever kind the cluster has.

There they need no way through the gate: nothing is written into a protected namespace.
"""

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from countersign.adapters.cluster.source import NotThere, segment
from countersign.adapters.cluster.written import Applier
from countersign.core.types.artifacts import Tree
from countersign.wire.resources.read import name_of
from countersign.wire.resources.status import MANAGER

APIS = (
    ("openreports.io/v1alpha1", "Report", "reports"),
    ("wgpolicyk8s.io/v1alpha2", "PolicyReport", "policyreports"),
)
"""Version, kind and plural, the preferred one first."""

_OURS = ("app.kubernetes.io/managed-by", "countersign")
_PAGE = 50  # reports of one page


class Server(Applier, Protocol):
    """The API server, as far as reports need it; `ApiServer` is one."""

    def pages(
        self, path: str, size: int, *, names_only: bool = False
    ) -> AsyncIterator[tuple[list[Tree], str]]:
        """Yield objects page by page; raise as `get`."""
        ...

    async def delete(self, path: str, uid: str) -> None:
        """Delete an object of that uid; raise as `apply`."""
        ...


class Reports:
    """The reports that we keep.

    Args:
        server: The API server.
        own_namespace: Where they lie.
    """

    def __init__(self, server: Server, own_namespace: str) -> None:
        self._server = server
        self._own = own_namespace

    async def served(self) -> tuple[str, str] | None:
        """Return API version and kind of the reports that the cluster serves, if any.

        Raises:
            Unavailable: the API server did not answer.
        """
        for version, kind, plural in APIS:
            try:
                said = await self._server.get(f"/apis/{version}")
            except NotThere:
                continue
            resources = said.get("resources")
            for one in resources if isinstance(resources, list) else ():
                if isinstance(one, dict) and one.get("name") == plural:
                    return version, kind
        return None

    async def all(self, api: tuple[str, str]) -> dict[str, Tree]:
        """Return our reports by name.

        Raises:
            Unavailable: the API server did not answer.
        """
        found: dict[str, Tree] = {}
        async for trees, _ in self._server.pages(self._path(api), _PAGE):
            found |= {name_of(tree): tree for tree in trees if _is_ours(tree)}
        return found

    async def apply(self, report: Tree, api: tuple[str, str]) -> None:
        """Write a report.

        Raises:
            Rejected: the API server refuses it.
            Unavailable: it did not answer.
        """
        path = f"{self._path(api)}/{segment(name_of(report))}"
        await self._server.apply(path, report, manager=MANAGER)

    async def drop(self, reports: Collection[Tree], api: tuple[str, str]) -> None:
        """Take reports away.

        Raises:
            Rejected, Unavailable: as `apply`.
        """
        for tree in reports:
            about = tree.get("metadata")
            uid = str(about.get("uid")) if isinstance(about, dict) else ""
            try:
                await self._server.delete(
                    f"{self._path(api)}/{segment(name_of(tree))}", uid
                )
            except NotThere:
                continue

    def _path(self, api: tuple[str, str]) -> str:
        version, kind = api
        plural = next(p for v, k, p in APIS if (v, k) == (version, kind))
        return f"/apis/{version}/namespaces/{segment(self._own)}/{plural}"


def _is_ours(tree: Tree) -> bool:
    about = tree.get("metadata")
    labels = about.get("labels") if isinstance(about, dict) else None
    key, value = _OURS
    return isinstance(labels, dict) and labels.get(key) == value
