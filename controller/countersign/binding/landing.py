"""A change as it would land: the live object and what it would become, side by side."""

from dataclasses import dataclass

from countersign.binding.allocation import ALLOCATIONS
from countersign.binding.comparison import Comparison
from countersign.binding.facts import ClusterFacts
from countersign.binding.inherited import keep_inherited
from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.binding.masking import mask, salt_of
from countersign.binding.normal_form import normal_form, written_form
from countersign.binding.tables import kind_key, supported
from countersign.binding.tooling import accept_kubectl
from countersign.binding.tree import find
from countersign.core.types.artifacts import Tree

_SOME_UID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Landing:
    """Both states of one object, without what the server owns, Secrets masked.

    Attributes:
        before: Normal form of the live object; None where there is none.
        after: What would stand there; for a new object as it is written, else with
            the server's defaults and what may stay of the live object.
    """

    before: Tree | None
    after: Tree


def landing(
    intent: Tree, live: Tree | None, namespace: str, kinds: Kinds = BUILT_IN
) -> Landing:
    """Return what applying `intent` over `live` does.

    Args:
        intent: A canonical intent.
        live: The object as the server shows it, of the intent's kind; None: absent.
        namespace: Where it goes; ``""`` for cluster-scoped kinds.
        kinds: Those that are known. A custom resource of any other is shown as it is
            written.

    Raises:
        Malformed: the live object is not of a known kind.
    """
    if live is None or not kinds.known(intent):
        return Landing(
            live, written_form(intent, kinds=kinds) if kinds.known(intent) else intent
        )
    salt = salt_of(intent)
    before = normal_form(live if salt is None else mask(live, salt), kinds=kinds)
    sides = Comparison(
        written=written_form(intent, kinds=kinds),
        wanted=normal_form(intent, kinds=kinds),
        seen=before,
        old=before,
        uid=str(find(live, "/metadata/uid")),
        namespace=namespace,
        facts=ClusterFacts(),
        dry_run=False,
    )
    accept_kubectl(sides.wanted, sides.seen)
    if allocate := ALLOCATIONS.get(kind_key(intent)):
        allocate(sides)
    keep_inherited(sides)
    return Landing(before, sides.wanted)


def allocated(manifest: Tree, namespace: str) -> Tree:
    """Return a manifest with what an otherwise empty server would write into it.

    Some uid, and what can be computed: an address or a port is not there.

    Args:
        manifest: As written, our annotations included.
        namespace: Where it goes; ``""`` for cluster-scoped kinds.

    Raises:
        Malformed: as `normal_form`.
    """
    allocate = ALLOCATIONS.get(kind_key(manifest)) if supported(manifest) else None
    if allocate is None:
        return manifest
    sides = Comparison(
        written=written_form(manifest, own=True),
        wanted=normal_form(manifest, own=True),
        seen=normal_form(manifest, own=True),
        old=None,
        uid=_SOME_UID,
        namespace=namespace,
        facts=ClusterFacts(),
        dry_run=True,
    )
    allocate(sides)
    sides.wanted["metadata"]["uid"] = _SOME_UID
    return sides.wanted
