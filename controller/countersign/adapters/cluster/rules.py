"""The policies, rosters, trust roots and revocations of a cluster, read once.

For people at a terminal, with their own rights: nothing is watched, and what they may
not read is an error that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from countersign.adapters.books import LOADED, Books, bind_books
from countersign.adapters.cluster.source import NotThere, Source
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree
from countersign.core.types.trust import TrustRoot
from countersign.ports import PolicySnapshot
from countersign.wire.resources.kinds import GROUP, VERSION, Kind
from countersign.wire.resources.read import name_of

_CONFIGURATION = (
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign"
)


class LiveRules:
    """PolicyBook and TrustBook of one moment.

    Attributes:
        books: All that was read.
    """

    def __init__(self, books: Books) -> None:
        self.books = books

    def snapshot(self) -> PolicySnapshot:
        """Return the policies; see :class:`~countersign.ports.PolicyBook`."""
        return self.books.policies

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return the trust roots; see :class:`~countersign.ports.TrustBook`."""
        return self.books.roots


async def read_rules(server: Source, instead: Sequence[Tree] = ()) -> LiveRules:
    """Read everything that verdicts depend on.

    The names that must have a policy are a setting of the webhook, which nobody else
    knows: a namespace without any policy is outside here.

    Args:
        server: Of the cluster.
        instead: Objects of ours that count as applied already.

    Raises:
        Unavailable: no answer, a right is missing, or countersign is not installed; the
            message says which.
    """
    stored = {kind: await read_kind(server, kind) for kind in LOADED}
    return LiveRules(bind_books(lambda kind: _over(stored[kind], kind, instead), ()))


def _over(live: Sequence[Tree], kind: Kind, instead: Sequence[Tree]) -> list[Tree]:
    """Return the objects of a kind as they are once `instead` is applied."""
    ours = {name_of(tree): tree for tree in live}
    ours |= {name_of(one): one for one in instead if one.get("kind") == kind.name}
    return list(ours.values())


async def read_kind(server: Source, kind: Kind) -> tuple[Tree, ...]:
    """Return all objects of a kind of ours that is not namespaced.

    Raises:
        Unavailable: as `read_rules`.
    """
    try:
        found, _ = await server.list(f"/apis/{GROUP}/{VERSION}/{kind.plural}")
    except NotThere as error:
        raise Unavailable(
            f"expected the cluster to serve {kind.plural}.{GROUP}, saw that it does "
            "not: countersign is not installed there"
        ) from error
    except Unavailable as error:
        raise Unavailable(f"could not list {kind.plural}.{GROUP}: {error}") from error
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a user may see of an installation.

    Attributes:
        trees: Our objects, by kind, as far as they could be listed.
        registered: The webhook's configuration; None: there is none, or see `unseen`.
        unseen: What could not be read, and why.
        asked: Whether the configuration could be looked for.
    """

    trees: Mapping[Kind, tuple[Tree, ...]]
    registered: Tree | None
    unseen: tuple[str, ...]
    asked: bool


async def read_installation(server: Source) -> Reading:
    """Read what there is to see; a missing right leaves a gap, and is named.

    Raises:
        Unavailable: there is nothing to see at all.
    """
    trees: dict[Kind, tuple[Tree, ...]] = {}
    unseen: list[str] = []
    for kind in LOADED:
        try:
            trees[kind] = await read_kind(server, kind)
        except Unavailable as error:
            unseen.append(str(error))
    registered, asked = None, True
    try:
        registered = await server.get(_CONFIGURATION)
    except NotThere:
        pass
    except Unavailable as error:
        asked = False
        unseen.append(f"could not get the webhook's configuration: {error}")
    if not (trees or asked):
        raise Unavailable("; ".join(unseen))
    return Reading(
        trees=trees, registered=registered, unseen=tuple(unseen), asked=asked
    )
