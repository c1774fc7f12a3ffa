"""Deliver: from a signature to what is applied, in annotations or beside the objects.

Or to what lies beside the images that the objects run: then the objects stay as they
are. What runs no image, a Secret above all, cannot be asked about in a registry, so its
evidence travels as it would otherwise.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from countersign.binding.canonical import canonical_json
from countersign.binding.masking import is_secret
from countersign.core.errors import Malformed, OverLimit
from countersign.core.types.artifacts import Algorithm, ObjectRef, Tree
from countersign.core.types.change import Change, NamespaceWindow
from countersign.core.types.evidence import Carrier
from countersign.ports import Pinned
from countersign.usecases.attach import Parcel, parcel
from countersign.usecases.inspect import Inspected
from countersign.usecases.prepare import BUDGET, weight
from countersign.usecases.sheet import Item, Sheet
from countersign.usecases.sign_off import SignedOff
from countersign.wire.resources.bundleset import render_bundle_set

OWN_NAMESPACE = "countersign"
"""Where the BundleSets of cluster-scoped objects live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is to be applied, the sets first.

    Attributes:
        carrier: What was used.
        why: Why it is not what was asked for, or not the annotations where nothing was;
            ``""`` otherwise.
        parcels: What is to be put beside images, before anything is applied.
        sets: BundleSets, one a namespace.
        objects: The objects, carrying what they shall carry.
    """

    carrier: Carrier
    why: str = ""
    parcels: tuple[Parcel, ...] = ()
    sets: tuple[Tree, ...] = ()
    objects: tuple[Tree, ...] = ()


def deliver(sheet: Sheet, signed: SignedOff, carrier: Carrier | None) -> Delivery:
    """Return what is to be applied, so that the gate finds the signature.

    An object keeps what it carried; of the evidence given beside it goes with it what
    speaks of it or of an image it runs, and what speaks of commits alone.

    Args:
        sheet: What was looked at.
        signed: What was signed of it.
        carrier: None: annotations, as far as that goes.

    Raises:
        Malformed: an object, or a set, would grow beyond what it may hold; or there is
            something that has no annotations.
    """
    if carrier is Carrier.ANNOTATIONS:
        if sheet.going or sheet.openings or sheet.windows:
            raise Malformed(
                "expected the carrier bundleset, saw annotations: a request to delete, "
                "or for access, carries nothing"
            )
        return Delivery(carrier=carrier, objects=_annotated(sheet, signed))
    why = "" if carrier else _beside(sheet)
    if not (carrier or why):
        try:
            objects = _annotated(sheet, signed)
        except Malformed as error:
            why = str(error)
        else:
            if all(weight(tree) <= BUDGET for tree in objects):
                return Delivery(carrier=Carrier.ANNOTATIONS, objects=objects)
            why = f"the evidence is above {BUDGET // 1024} KiB on one object"
    return Delivery(
        carrier=Carrier.BUNDLE_SET,
        why=why,
        sets=sets_of(sheet, [signed.bundle]),
        objects=tuple(item.prepared.as_it_was for item in sheet.items),
    )


def deliver_beside(
    sheet: Sheet, signed: SignedOff, places: Mapping[ObjectRef, Collection[Pinned]]
) -> Delivery:
    """Return what is to lie beside images, and how the rest travels.

    Args:
        sheet: What was looked at.
        signed: What was signed of it.
        places: For each object the images beside which its evidence is put. What an
            object needs that runs none of these travels in annotations, or in a
            BundleSet. Images that are signed as such have theirs anyway.

    Raises:
        Malformed: as `deliver`, of the rest.
    """
    put: dict[Pinned, list[Item]] = {image: [] for image in sheet.images}
    for item in sheet.items:
        for image in _places(item, places):
            put.setdefault(image, []).append(item)
    parcels = tuple(_parcel(sheet, signed, *each) for each in put.items())
    rest = tuple(item for item in sheet.items if not _places(item, places))
    left = replace(sheet, items=rest, detached=sheet.detached if rest else ())
    other = deliver(left, signed, None) if left.changes else None
    carried = iter(other.objects if other else ())
    return Delivery(
        carrier=Carrier.OCI,
        why=_elsewhere(left, other) if other else "",
        parcels=parcels,
        sets=other.sets if other else (),
        objects=tuple(
            item.prepared.as_it_was if _places(item, places) else next(carried)
            for item in sheet.items
        ),
    )


def _places(
    item: Item, places: Mapping[ObjectRef, Collection[Pinned]]
) -> tuple[Pinned, ...]:
    """Return the images beside which the evidence of an object is put."""
    if is_secret(item.prepared.intent.tree):
        return ()
    here = places.get(item.prepared.ref, ())
    return tuple(image for image in item.prepared.pinned if image in here)


def _parcel(
    sheet: Sheet, signed: SignedOff, image: Pinned, running: Sequence[Item]
) -> Parcel:
    """Return what belongs beside an image and does not lie there yet."""
    lying = {raw for at, one in sheet.attached if at == image for raw in one.bundles}
    bundles = [
        found.raw
        for found in sheet.evidence
        if found.raw not in lying
        and (
            any(concerns(found, item) for item in running)
            or image.digest in {subject.digest for subject in found.subjects}
            or _of_commits(found)
        )
    ]
    same = (canonical_json(i.tree) for item in running for i in item.same)
    made = parcel(image, [*bundles, signed.bundle], (item.prepared for item in running))
    return replace(made, intents=tuple(dict.fromkeys([*made.intents, *same])))


def _elsewhere(rest: Sheet, other: Delivery) -> str:
    """Say what does not go beside an image, and where it goes instead."""
    names = [str(item.prepared.ref) for item in rest.items]
    names += [str(one.change.object) for one in rest.going]
    names += [str(one.change.object) for one in rest.openings]
    names += [f"namespace {window.namespace}" for window in rest.windows]
    how = "a BundleSet" if other.sets else "annotations"
    return (
        f"{', '.join(names)}: nobody would look for it beside an image, so its evidence "
        f"goes into {how}"
    )


def _beside(sheet: Sheet) -> str:
    """Say why evidence cannot travel on the objects, or ``""``."""
    if sheet.going:
        return "a deletion carries nothing itself"
    if sheet.openings or sheet.windows:
        return "there is no object to carry it"
    if sheet.detached:
        return "evidence came in a BundleSet"
    if any(is_secret(item.prepared.intent.tree) for item in sheet.items):
        return "there is a Secret"
    return ""


def _annotated(sheet: Sheet, signed: SignedOff) -> tuple[Tree, ...]:
    return tuple(
        item.prepared.annotated(
            [
                *(found.raw for found in sheet.evidence if concerns(found, item)),
                signed.bundle,
            ]
        )
        for item in sheet.items
    )


def sets_of(sheet: Sheet, more: Sequence[bytes]) -> tuple[Tree, ...]:
    """Return a BundleSet for each namespace, or several where one is too small.

    Args:
        sheet: What they are about, with the evidence that there is.
        more: Bundles that speak of all of it.

    Raises:
        Malformed: there is no bundle.
        OverLimit: what one object needs is more than a set may hold.
    """
    places = sorted({place_of(change) for change in sheet.changes})
    return tuple(tree for place in places for tree in _packed(sheet, more, place))


def place_of(change: Change) -> str:
    """Return the namespace in which the gate looks for evidence about a change."""
    if isinstance(change, NamespaceWindow):
        return change.namespace
    return change.object.namespace or OWN_NAMESPACE


def _packed(sheet: Sheet, more: Sequence[bytes], place: str) -> tuple[Tree, ...]:
    """Return the set of a namespace, or, of half of its objects each, several."""
    items = tuple(item for item in sheet.items if place_of(item.change) == place)
    try:
        return (_set(sheet, items, more, place),)
    except OverLimit:
        half = len(items) // 2
        if not half:
            raise
        return tuple(
            tree
            for part in (items[:half], items[half:])
            for tree in _packed(replace(sheet, items=part), more, place)
        )


def _set(
    sheet: Sheet, items: Sequence[Item], more: Sequence[bytes], place: str
) -> Tree:
    before = [one for where, one in sheet.detached if where == place]
    kept = {raw.strip() for one in before for raw in one.bundles}
    # of what lay beside, the sheet has what concerns the state that is signed
    bundles = [
        found.raw
        for found in sheet.evidence
        if found.raw in kept
        or _of_commits(found)
        or any(concerns(found, item) for item in items)
    ]
    intents = [
        canonical_json(intent.tree)
        for item in items
        for intent in (item.prepared.intent, *item.same)
    ]
    return render_bundle_set(_what(sheet, place), [*bundles, *more], intents, place)


def _what(sheet: Sheet, place: str) -> str:
    """Name a set for people: by its object, or that there are several."""
    names = [
        f"{change.object.kind}-{change.object.name or change.object.generate_name}"
        for change in sheet.changes
        if not isinstance(change, NamespaceWindow) and place_of(change) == place
    ]
    return names[0] if len(names) == 1 else "sign-off"


def concerns(found: Inspected, item: Item) -> bool:
    """Tell whether a bundle may be needed for an object, and so travels with it."""
    one = item.prepared
    named = {subject.digest for subject in found.subjects}
    ours = item.intents | {i.digest for i in one.images if i.digest}
    return found.raw in one.bundles or bool(named & ours) or _of_commits(found)


def _of_commits(found: Inspected) -> bool:
    """Tell whether it speaks of commits alone: it may be needed for any object."""
    return all(s.digest.algorithm is not Algorithm.SHA256 for s in found.subjects)
