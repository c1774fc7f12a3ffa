"""Look: gather all that there is to see of a change before anybody signs it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from countersign.binding.canonical import read_intent
from countersign.binding.images import images
from countersign.binding.landing import Landing, landing
from countersign.binding.masking import is_secret, salt_of
from countersign.binding.match import state_digest
from countersign.binding.normal_form import SERVER_OWNED, normal_form
from countersign.binding.tables import supported
from countersign.binding.tree import find
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Intent, ObjectRef, Tree
from countersign.core.types.change import (
    Access,
    Base,
    Change,
    Deletion,
    NamespaceWindow,
    ObjectChange,
    Operation,
    Stretch,
)
from countersign.core.types.evidence import Provenance
from countersign.ports import ClusterState, Detached, Prover
from countersign.usecases.concerning import Spoken, State, concerning
from countersign.usecases.inspect import Inspected, inspect
from countersign.usecases.prepare import Prepared
from countersign.usecases.source import Source
from countersign.wire.resources.bundleset_about import intent_ref

_MASK = "*****"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """An object that is to be deleted.

    Attributes:
        ref: Which object.
        version: API version without group.
        uid: Of the one that is meant; ``""``: the live one.
        propagation: ``Background``, ``Foreground``, ``Orphan``, or ``""``: what the
            request says, but for orphaning.
    """

    ref: ObjectRef
    version: str
    uid: str = ""
    propagation: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """An access to one subresource, for an emergency or its review.

    Attributes:
        change: What is signed.
        version: API version of the object without group.
    """

    change: Access
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOrder:
    """What to look at.

    Attributes:
        objects: The change.
        removals: Objects that are to go.
        openings: Accesses.
        windows: Whole namespaces.
        source: Commits that are to be approved as such, looked at.
        bundles: Evidence given beside the objects, raw.
        detached: BundleSets given beside them, by namespace.
        operation: What may be done with each object.
        base: The state each object is approved on; None: the live one where the
            cluster is seen, else any.
        stretches: Values that scaling may move.
        past: It was done already, and is reviewed afterwards: nothing has to be there
            for it any more.
    """

    objects: tuple[Prepared, ...] = ()
    removals: tuple[Removal, ...] = ()
    openings: tuple[Opening, ...] = ()
    windows: tuple[NamespaceWindow, ...] = ()
    source: Source | None = None
    bundles: tuple[bytes, ...] = ()
    detached: tuple[tuple[str, Detached], ...] = ()
    operation: Operation = Operation.CREATE_OR_UPDATE
    base: Digest | Base | None = None
    stretches: tuple[Stretch, ...] = ()
    past: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object on the sheet.

    Attributes:
        prepared: The object.
        change: What is signed of it.
        landing: Before and after; None where the cluster was not looked at.
        runs: Images that it newly runs, as far as that was looked at.
        same: Other intents that equal its own; evidence may name those.
    """

    prepared: Prepared
    change: ObjectChange
    landing: Landing | None
    runs: frozenset[Digest] = frozenset()
    same: tuple[Intent, ...] = ()

    @property
    def intents(self) -> frozenset[Digest]:
        """Digests that speak of its state."""
        return frozenset({self.change.digest, *(one.digest for one in self.same)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """One object on the sheet that is to go.

    Attributes:
        change: What is signed.
        version: API version without group.
        live: What would go, without what the server owns, the values of a Secret left
            out; None where the cluster was not looked at.
    """

    change: Deletion
    version: str
    live: Tree | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that a reviewer sees.

    Attributes:
        items: The objects, in the order given.
        going: Those that are to be deleted.
        openings: Accesses to objects.
        windows: Whole namespaces, for an emergency.
        source: Commits that are approved as such.
        evidence: Every distinct bundle, carried or given, looked at; of BundleSets
            those that concern what is signed (`concerning`).
        aside: How many others there were.
        unreadable: Bundles that are none, and why; they are not passed on.
        detached: BundleSets that were given, by namespace.
        past: It was done already.
    """

    items: tuple[Item, ...]
    going: tuple[Going, ...] = ()
    openings: tuple[Opening, ...] = ()
    windows: tuple[NamespaceWindow, ...] = ()
    source: Source | None = None
    evidence: tuple[Inspected, ...]
    aside: int = 0
    unreadable: tuple[tuple[Digest, str], ...]
    detached: tuple[tuple[str, Detached], ...] = ()
    past: bool = False

    @property
    def provenance(self) -> tuple[tuple[Inspected, Provenance], ...]:
        """The statements about how the change was made."""
        return tuple(
            (found, found.claim)
            for found in self.evidence
            if isinstance(found.claim, Provenance)
        )

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is signed."""
        return (
            *(item.change for item in self.items),
            *(one.change for one in self.going),
            *(one.change for one in self.openings),
            *self.windows,
        )

    @property
    def versions(self) -> dict[ObjectRef, str]:
        """API versions of the objects, to be shown to people."""
        return (
            {item.prepared.ref: item.prepared.version for item in self.items}
            | {one.change.object: one.version for one in self.going}
            | {one.change.object: one.version for one in self.openings}
        )


async def look(
    order: LookOrder, *, prover: Prover | None, cluster: ClusterState | None
) -> Sheet:
    """Gather what there is to see.

    Args:
        order: What to look at.
        prover: Verifies the evidence; None: nobody was told whom to trust.
        cluster: Shows the live objects; None: nothing is compared.

    Raises:
        Malformed: nothing to look at, a stretch that names none of the objects, or an
            object to delete that is not there.
        Unavailable: the cluster did not answer: nobody signs what could not be shown.
    """
    changes = (*order.objects, *order.removals, *order.openings, *order.windows)
    if not (changes or order.source):
        raise Malformed("expected at least one object to sign off, saw none")
    _require_named(order)
    items = tuple([await _item(one, order, cluster) for one in order.objects])
    there = None if order.past else cluster  # what was removed is gone
    going = tuple([await _going(one, there) for one in order.removals])
    carried = [raw for one in order.objects for raw in one.bundles]
    beside = [raw for _, one in order.detached for raw in one.bundles]
    evidence: dict[bytes, Inspected] = {}
    unreadable = []
    for raw in [*carried, *beside, *order.bundles]:
        try:
            bundle = raw.strip()  # as it travels: a file may end in a new line
            if bundle not in evidence:
                evidence[bundle] = await inspect(bundle, prover)
        except Malformed as error:
            unreadable.append((Digest.sha256(raw), str(error)))
    kept = sift(order, items, going, evidence.values())
    return Sheet(
        items=items,
        going=going,
        openings=order.openings,
        windows=order.windows,
        source=order.source,
        evidence=kept,
        aside=len(evidence) - len(kept),
        unreadable=tuple(unreadable),
        detached=order.detached,
        past=order.past,
    )


async def _item(one: Prepared, order: LookOrder, cluster: ClusterState | None) -> Item:
    live = None if cluster is None else await _live(one.version, one.ref, cluster)
    change = ObjectChange(
        object=one.ref,
        digest=one.intent.digest,
        operation=order.operation,
        base=order.base or _base(one, live, seen=cluster is not None),
        elastic=tuple(s.bounds for s in order.stretches if _names(s, one)),
    )
    shown = None
    if cluster is not None:
        shown = landing(one.intent.tree, live, one.ref.namespace)
    ran = () if live is None or order.past else images(live)
    return Item(
        prepared=one,
        change=change,
        landing=shown,
        runs=frozenset(i.digest for i in {*one.images} - {*ran} if i.digest),
        same=tuple(_same(one, order)),
    )


def _same(one: Prepared, order: LookOrder) -> Iterator[Intent]:
    """Yield the intents of the sets that say the same in other words.

    One may leave out what the other writes: a default. Secrets under other salts cannot
    be compared.
    """
    form = normal_form(one.intent.tree) if supported(one.intent.tree) else None
    known = {raw for _, found in order.detached for raw in found.intents}
    for raw in sorted(known):
        with suppress(Malformed):
            if intent_ref(raw) == one.ref:
                other = read_intent(raw)
                new = other.digest != one.intent.digest
                if new and normal_form(other.tree) == form:
                    yield other


def sift(
    order: LookOrder,
    items: Iterable[Item],
    going: Iterable[Going],
    evidence: Collection[Inspected],
) -> tuple[Inspected, ...]:
    """Return what concerns the changes of `order`, in its order."""
    given = {raw.strip() for raw in order.bundles}
    given |= {raw.strip() for one in order.objects for raw in one.bundles}
    sets: dict[bytes, set[str]] = {}
    for place, found in order.detached:
        for raw in found.bundles:
            sets.setdefault(raw.strip(), set()).add(f"{place}/{found.name}")
    source = order.source.subjects if order.source else ()
    state = State(
        intents=frozenset().union(*(item.intents for item in items)),
        images=frozenset().union(*(item.runs for item in items)),
        sources=frozenset(subject.digest for subject in source),
        deeds=(
            *(one.change for one in going),
            *(one.change for one in order.openings),
            *order.windows,
        ),
    )
    spoken = [
        Spoken(
            digests=frozenset(subject.digest for subject in one.subjects),
            claim=one.claim,
            signer=one.evidence.signer if one.evidence else None,
            sets=frozenset(sets.get(one.raw, ())),
            given=one.raw in given,
        )
        for one in evidence
    ]
    return tuple(
        one
        for one, keep in zip(evidence, concerning(spoken, state), strict=True)
        if keep
    )


async def _going(one: Removal, cluster: ClusterState | None) -> Going:
    live = None if cluster is None else await _live(one.version, one.ref, cluster)
    found = find(live, "/metadata/uid")
    if cluster is not None and not (isinstance(found, str) and found):
        raise Malformed(f"expected {one.ref} to be there, saw none: nothing to delete")
    if one.uid and cluster is not None and one.uid != found:
        raise Malformed(
            f"expected {one.ref} with uid {one.uid}, saw {found}: it is another one of "
            "that name by now"
        )
    uid = one.uid or (found if isinstance(found, str) else "")
    if not uid:
        raise Malformed(
            f"expected a cluster that shows {one.ref}, saw none: a deletion is signed "
            "for one live object; give --kubeconfig"
        )
    change = Deletion(object=one.ref, uid=uid, propagation_policy=one.propagation)
    return Going(
        change=change,
        version=one.version,
        live=None if live is None else _readable(live),
    )


def _readable(live: Tree) -> Tree:
    """Return what a person should see of a live object, Secrets without values."""
    if is_secret(live):
        data = live.get("data")
        keys = data if isinstance(data, dict) else {}
        live = {**live, "data": dict.fromkeys(keys, _MASK)}
        return _bare(live)
    return normal_form(live) if supported(live) else _bare(live)


def _bare(live: Tree) -> Tree:
    metadata = live.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    kept: Tree = {k: v for k, v in about.items() if k not in SERVER_OWNED}
    return {k: v for k, v in live.items() if k != "status"} | {"metadata": kept}


async def _live(version: str, ref: ObjectRef, cluster: ClusterState) -> Tree | None:
    if not ref.name:  # the server will make the name: nothing is there yet
        return None
    return await cluster.get(version, replace(ref, generate_name=""), live=True)


def _base(one: Prepared, live: Tree | None, *, seen: bool) -> Digest | Base:
    if not seen:
        return Base.ANY
    if live is None:
        return Base.ABSENT
    return state_digest(live, salt=salt_of(one.intent.tree))


def _names(stretch: Stretch, one: Prepared) -> bool:
    return (stretch.kind, stretch.name) == (one.ref.kind, one.ref.name)


def _require_named(order: LookOrder) -> None:
    for stretch in order.stretches:
        if not any(_names(stretch, one) for one in order.objects):
            raise Malformed(
                f"expected an object of the change, saw {stretch.kind}/{stretch.name} "
                "in --elastic"
            )
