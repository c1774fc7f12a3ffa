"""Look: gather all that there is to see of a change before anybody signs it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from countersign.binding.canonical import read_intent
from countersign.binding.custom.definition import compile_definition
from countersign.binding.images import images
from countersign.binding.kinds import BUILT_IN, Kinds, is_custom
from countersign.binding.landing import landing
from countersign.binding.masking import is_secret, salt_of
from countersign.binding.match import state_digest
from countersign.binding.normal_form import SERVER_OWNED, normal_form
from countersign.binding.plan import is_plan
from countersign.binding.tables import supported
from countersign.binding.tree import find
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest, Intent, ObjectRef, Tree
from countersign.core.types.change import (
    Base,
    Deletion,
    ObjectChange,
    Stretch,
)
from countersign.ports import ClusterState, Prover
from countersign.usecases.concerning import Spoken, State, concerning
from countersign.usecases.inspect import Inspected, inspect
from countersign.usecases.lint_manifests import sticking
from countersign.usecases.prepare import Prepared
from countersign.usecases.sheet import (
    Going,
    Item,
    LookOrder,
    Removal,
    Sheet,
)
from countersign.wire.resources.bundleset_about import intent_ref

_MASK = "*****"
_DEFINITIONS = ObjectRef("apiextensions.k8s.io", "CustomResourceDefinition", "", "")


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
    if not (changes or order.source or order.images):
        raise Malformed("expected at least one object to sign off, saw none")
    _require_named(order)
    kinds = await _kinds(order, cluster)
    items = tuple([await _item(one, order, cluster, kinds) for one in order.objects])
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
    for raw in (raw for _, one in order.attached for raw in one.bundles):
        with suppress(Malformed):  # others put there what they like: an SBOM, a scan
            if raw not in evidence:
                found = await inspect(raw, prover)
                if prover is None or found.evidence is not None:
                    evidence[raw] = found
    kept = sift(order, items, going, evidence.values())
    return Sheet(
        items=items,
        going=going,
        openings=order.openings,
        windows=order.windows,
        source=order.source,
        images=order.images,
        evidence=kept,
        aside=len(evidence) - len(kept),
        unreadable=tuple(unreadable),
        detached=order.detached,
        attached=order.attached,
        past=order.past,
    )


async def _kinds(order: LookOrder, cluster: ClusterState | None) -> Kinds:
    """Return the kinds that matter here; no custom ones to whoever may not see them."""
    if cluster is None or not any(is_custom(one.intent.tree) for one in order.objects):
        return BUILT_IN
    try:
        found = await cluster.list("v1", _DEFINITIONS)
    except Unavailable:
        return BUILT_IN
    return Kinds(kind for tree in found for kind in compile_definition(tree))


async def _item(
    one: Prepared, order: LookOrder, cluster: ClusterState | None, kinds: Kinds
) -> Item:
    if is_plan(one.intent.tree):
        cluster = None  # no server has one
    live = None if cluster is None else await _live(one.version, one.ref, cluster)
    change = ObjectChange(
        object=one.ref,
        digest=one.intent.digest,
        operation=order.operation,
        base=order.base or _base(one, live, kinds, seen=cluster is not None),
        elastic=tuple(s.bounds for s in order.stretches if _names(s, one)),
    )
    shown = None
    if cluster is not None:
        shown = landing(one.intent.tree, live, one.ref.namespace, kinds)
    ran = () if live is None or order.past else images(live)
    return Item(
        prepared=one,
        change=change,
        landing=shown,
        runs=frozenset(i.digest for i in {*one.images} - {*ran} if i.digest),
        same=tuple(_same(one, order)),
        sticks=() if order.past else sticking(one, live, change.elastic),
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
    for image, lying in order.attached:
        for raw in lying.bundles:
            sets.setdefault(raw, set()).add(str(image))
    source = order.source.subjects if order.source else ()
    state = State(
        intents=frozenset().union(*(item.intents for item in items)),
        images=_images(order, items),
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


def _images(order: LookOrder, items: Iterable[Item]) -> frozenset[Digest]:
    """Return what names the images that matter: their digests, and their platforms'."""
    pinned = frozenset().union(*(item.runs for item in items))
    pinned |= {image.digest for image in order.images}
    within = (one.platforms for image, one in order.attached if image.digest in pinned)
    return pinned.union(*within)


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


def _base(
    one: Prepared, live: Tree | None, kinds: Kinds, *, seen: bool
) -> Digest | Base:
    """Return the state to stand on; any where the signer cannot say which it is."""
    if seen and live is None:
        return Base.ABSENT
    if live is None or not kinds.known(live):
        return Base.ANY
    return state_digest(live, salt=salt_of(one.intent.tree), kinds=kinds)


def _names(stretch: Stretch, one: Prepared) -> bool:
    return (stretch.kind, stretch.name) == (one.ref.kind, one.ref.name)


def _require_named(order: LookOrder) -> None:
    for stretch in order.stretches:
        if not any(_names(stretch, one) for one in order.objects):
            raise Malformed(
                f"expected an object of the change, saw {stretch.kind}/{stretch.name} "
                "in --elastic"
            )
