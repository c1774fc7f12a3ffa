"""Keeps the status of our objects true, and writes only what is not so already."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from countersign.adapters.books import LOADED, Books, bind_books
from countersign.adapters.cluster.source import NotThere, segment
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.published import Looked
from countersign.core.types.trust import TrustRoot
from countersign.ports import Clock, PolicySnapshot
from countersign.usecases.coverage import NAME, registration
from countersign.usecases.status import Stock, of_bundle_set, take_stock
from countersign.wire.resources.kinds import GROUP, KINDS, TRUST_ROOT, VERSION, Kind
from countersign.wire.resources.read import name_of
from countersign.wire.resources.status import MANAGER, Status, render_status

logger = logging.getLogger(__name__)

_CONFIGURATION = (
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/" + NAME
)


class Server(Protocol):
    """The API server, as far as the keeper uses it; `ApiServer` is one."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`; raise NotThere or Unavailable."""
        ...

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Return all objects at `path`, and the version; raise as `get`."""
        ...

    async def apply(self, path: str, tree: Tree, *, manager: str) -> Tree:
        """Apply `tree` server-side; raise as `get`, or Rejected."""
        ...


class Keeper:
    """Reads our objects, and says of each what is to be said.

    It is also the PolicyBook and the TrustBook of what was last read.

    Args:
        server: The API server, as ``countersign-operate``.
        clock: The present.
        own_namespace: Where countersign runs.
    """

    def __init__(self, server: Server, clock: Clock, own_namespace: str) -> None:
        self._server = server
        self._clock = clock
        self._own = own_namespace
        self._books: Books | None = None
        self._trust_roots: tuple[Tree, ...] = ()
        self._looked: dict[str, tuple[Json, Looked]] = {}

    def snapshot(self) -> PolicySnapshot:
        """Return the policies; see :class:`~countersign.ports.PolicyBook`."""
        return self._read().policies

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return the trust roots; see :class:`~countersign.ports.TrustBook`."""
        return self._read().roots

    def trust_roots(self) -> tuple[Tree, ...]:
        """Return the TrustRoots as they were last read."""
        return self._trust_roots

    def note(self, name: str, spec: Json, looked: Looked) -> None:
        """Take note of a look where a TrustRoot of this spec is published."""
        self._looked[name] = spec, looked

    async def keep(self) -> int:
        """Write what is not said yet of policies and what they name; return how often.

        Each time from a new list: what depends on what is not asked, and no deletion is
        missed.

        Raises:
            Unavailable: the API server did not answer.
        """
        trees = {kind: await self._list(kind) for kind in LOADED}
        self._trust_roots = trees[TRUST_ROOT]
        self._books = books = bind_books(trees.__getitem__, ())
        stock = Stock(
            trees=trees,
            policies={policy.name: policy for policy in books.policies.policies},
            expiry=books.expiry,
            problems={(p.kind, p.name): p.problems for p in books.problems},
            sent=registration(await self._configuration(), self._own),
            own_namespace=self._own,
            at=self._clock.now(),
            looked=self._still(self._trust_roots),
        )
        written = [await self._say(tree, said) for tree, said in take_stock(stock)]
        return sum(written)

    async def keep_set(self, tree: Tree) -> bool:
        """Write what is not said yet of a BundleSet; tell whether that was needed.

        Args:
            tree: As it was told of: maybe from before what we wrote last.

        Raises:
            Unavailable: the API server did not answer.
        """
        # in a thread: a large one takes a while to unpack, and the recorder has the loop
        said = await asyncio.to_thread(of_bundle_set, tree)
        if render_status(said, tree, self._clock.now()) is None:
            return False
        try:
            live = await self._server.get(_path(tree))
        except NotThere:
            return False
        return await self._say(live, await asyncio.to_thread(of_bundle_set, live))

    async def _say(self, tree: Tree, said: Status) -> bool:
        wanted = render_status(said, tree, self._clock.now())
        if wanted is None:
            return False
        path = f"{_path(tree)}/status"
        try:
            await self._server.apply(path, wanted, manager=MANAGER)
        except (NotThere, Rejected) as error:  # gone, or made anew: we are told of that
            logger.warning("status_refused", extra={"path": path, "error": str(error)})
            return False
        return True

    def _still(self, trees: Iterable[Tree]) -> Mapping[str, Looked]:
        """Return the looks at what is still as it was, by name, and forget the others."""
        specs = {name_of(tree): tree.get("spec") for tree in trees}
        self._looked = {
            name: (spec, looked)
            for name, (spec, looked) in self._looked.items()
            if name in specs and specs[name] == spec
        }
        return {name: looked for name, (_, looked) in self._looked.items()}

    async def _list(self, kind: Kind) -> tuple[Tree, ...]:
        try:
            found, _ = await self._server.list(f"/apis/{GROUP}/{VERSION}/{kind.plural}")
        except NotThere:  # its CRD may come yet
            return ()
        return tuple(found)

    async def _configuration(self) -> Tree | None:
        try:
            return await self._server.get(_CONFIGURATION)
        except NotThere:
            return None

    def _read(self) -> Books:
        if self._books is None:
            raise Unavailable("the policies were not read yet")
        return self._books


def _path(tree: Tree) -> str:
    """Return the path of an object of ours."""
    kind, metadata = KINDS[str(tree["kind"])], tree["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - the server hands out no other
    place = (
        f"/namespaces/{segment(str(metadata['namespace']))}" if kind.namespaced else ""
    )
    name = segment(str(metadata["name"]))
    return f"/apis/{GROUP}/{VERSION}{place}/{kind.plural}/{name}"
