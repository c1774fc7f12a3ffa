"""BundleSets, read and created with the rights of whoever signs."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from countersign.adapters.cluster.source import NotThere, Source
from countersign.adapters.cluster.state import Api
from countersign.adapters.cluster.stores import key_of
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.ports import Detached, Right
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP, VERSION
from countersign.wire.resources.objects import bundle_set
from countersign.wire.resources.read import Invalid

_SETS = Api(GROUP, VERSION, BUNDLE_SET.name, BUNDLE_SET.plural)
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Server(Source, Protocol):
    """Reads from one API server, and creates there.

    Attributes:
        date: Header ``Date`` of its last answer, or ``""``.
    """

    date: str

    async def create(self, path: str, tree: Tree) -> Tree:
        """Create an object in the list at `path`.

        Raises:
            Rejected, NotThere, Unavailable: it was not.
        """
        ...


class LiveEvidence:
    """EvidenceStore of one API server; see the port for the methods."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def heard_at(self) -> datetime | None:
        """Return what the server's clock showed at its last answer."""
        with suppress(ValueError):
            said = parsedate_to_datetime(self._server.date)
            return said if said.tzinfo else said.replace(tzinfo=UTC)
        return None

    async def lacking(self, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Ask the server about each right."""
        return tuple([right for right in rights if not await self._may(right)])

    async def sets(self, namespace: str) -> tuple[Detached, ...]:
        """List the sets of a namespace; see the port."""
        try:
            found, _ = await self._server.list(_SETS.path(namespace))
        except NotThere as error:
            raise Unavailable(
                f"expected the cluster to serve {BUNDLE_SET.plural}.{GROUP}, saw that "
                "it does not: countersign is not installed there"
            ) from error
        read = (_read(tree) for tree in sorted(found, key=key_of))
        return tuple(one for one in read if one is not None)

    async def create(self, tree: Tree) -> bool:
        """Create a set; see the port."""
        namespace, name = key_of(tree)
        try:
            await self._server.create(_SETS.path(namespace), tree)
        except Rejected:
            if await self._is_there(namespace, name):
                return False
            raise
        return True

    async def _may(self, right: Right) -> bool:
        asked: Tree = {
            "verb": right.verb,
            "group": right.group,
            "resource": right.resource,
        }
        if right.namespace:
            asked["namespace"] = right.namespace
        review = await self._server.create(
            _REVIEWS,
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": asked},
            },
        )
        status = review.get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    async def _is_there(self, namespace: str, name: str) -> bool:
        """Tell whether there is such a set; its name says what is in it."""
        try:
            await self._server.get(_SETS.path(namespace, name))
        except Unavailable:
            return False
        return True


def _read(tree: Tree) -> Detached | None:
    try:
        bundles, intents = bundle_set(tree)
    except Invalid:
        return None
    return Detached(name=key_of(tree)[1], bundles=bundles, intents=intents)
