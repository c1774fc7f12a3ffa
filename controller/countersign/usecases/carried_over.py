"""Carried over: what did not change keeps the evidence that it had.

Of a release with a hundred objects a change touches three. Whether an object is the same
is told by the digest of its intent, so by all that was signed of it; whether its evidence
still counts, whoever asks has to find out: for one who attests `still_attested`, for one
who signs the judgement of admission itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from countersign.binding.canonical import canonical_json, read_intent
from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.core.errors import Malformed, OverLimit
from countersign.core.rules.revocation import is_revoked
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.evidence import Provenance
from countersign.core.types.policy import Revoked
from countersign.ports import Detached, Prover
from countersign.usecases.carry import Placed, unload
from countersign.usecases.deliver import OWN_NAMESPACE, concerns, sets_of
from countersign.usecases.inspect import Inspected
from countersign.usecases.look import look
from countersign.usecases.prepare import Prepared, prepare
from countersign.usecases.sheet import LookOrder, Sheet
from countersign.wire.annotations import Carried, render_annotations
from countersign.wire.resources import objects as resources
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.resources.bundleset_about import intent_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an earlier attestation or sign-off wrote; nothing of it is verified.

    Attributes:
        objects: Those that carry evidence themselves.
        sets: BundleSets.
    """

    objects: tuple[Prepared, ...] = ()
    sets: tuple[Placed, ...] = ()

    @property
    def intents(self) -> tuple[bytes, ...]:
        """All that evidence is there for, as canonical JSON: salts of Secrets in it."""
        own = (canonical_json(one.intent.tree) for one in self.objects)
        return (*own, *(raw for _, found in self.sets for raw in found.intents))

    def holding(self, objects: Iterable[Prepared]) -> tuple[Prepared, ...]:
        """Return those of `objects` that are the same as here.

        Each with what it carried here, so that it is applied as it was.
        """
        carrying = {(one.ref, one.intent.digest): one for one in self.objects}
        beside = {
            (ref, read_intent(raw).digest)
            for _, found in self.sets
            for raw in found.intents
            if (ref := intent_ref(raw))
        }
        same = []
        for one in objects:
            key = (one.ref, one.intent.digest)
            if before := carrying.get(key):
                same.append(_again(one, before))
            elif key in beside:
                same.append(one)
        return tuple(same)


def _again(one: Prepared, before: Prepared) -> Prepared:
    """Return an object with what it carried before, and what came to it since.

    What came since may say worse of it, so it is never left out. Where nothing came, it
    carries what it did, byte for byte.
    """
    if {*one.bundles} <= {*before.bundles}:
        return replace(one, carries=before.carries, bundles=before.bundles)
    bundles = tuple(dict.fromkeys([*before.bundles, *one.bundles]))
    intent = canonical_json(one.intent.tree)
    own = render_annotations(Carried(bundles, intent))
    return replace(one, carries=own, bundles=bundles)


def read_earlier(
    trees: Iterable[Tree], *, namespace: str, kinds: Kinds = BUILT_IN
) -> Earlier:
    """Read what an earlier attestation or sign-off wrote.

    Args:
        trees: Objects that carry evidence, BundleSets, or both.
        namespace: Of objects that name none.
        kinds: Those that are known.

    Raises:
        Malformed: what is there cannot be read, or holds no evidence at all.
    """
    manifests, sets = unload(trees)
    objects = prepare(
        manifests,
        namespace=namespace,
        salt=lambda: b"\0" * 32,  # of a Secret without evidence: equal to none
        beside=[raw for _, one in sets for raw in one.intents],
        kinds=kinds,
    )
    carrying = tuple(one for one in objects if one.bundles)
    if not (carrying or sets):
        raise Malformed(
            "expected what attest or sign-off wrote, saw no evidence: name its output"
        )
    return Earlier(objects=carrying, sets=sets)


async def evidence_of(
    objects: Sequence[Prepared], sets: Iterable[Placed], prover: Prover | None
) -> Sheet:
    """Return objects with the evidence that concerns them; no cluster is asked."""
    order = LookOrder(objects=tuple(objects), detached=tuple(sets))
    return await look(order, prover=prover, cluster=None)


def still_attested(
    one: Prepared,
    evidence: Iterable[Inspected],
    *,
    clusters: Collection[str],
    at: datetime,
    proven: bool,
    revoked: Collection[Revoked] = (),
    collectors: Collection[str] = (),
) -> bool:
    """Tell whether a provenance of an object still holds.

    Args:
        one: The object.
        evidence: What is known of it.
        clusters: For each of which it has to hold.
        at: The present.
        proven: Whether somebody was told whom to trust: then it has to verify.
        revoked: Every withdrawal known.
        collectors: Names of the policies' collectors: should one of them be withdrawn,
            nobody looks which one this is.
    """
    return any(
        isinstance(found.claim, Provenance)
        and one.intent.digest in {subject.digest for subject in found.subjects}
        and found.claim.clusters >= {*clusters}
        and (not found.claim.namespaces or one.ref.namespace in found.claim.namespaces)
        and found.claim.validity.holds(at)
        and (found.evidence is not None or not proven)
        and not (
            found.evidence
            and is_revoked(found.evidence, revoked, collectors=collectors)
        )
        for found in evidence
    )


def applied(
    kept: Sheet, made: Sequence[Tree], *, sets_only: bool
) -> tuple[tuple[Tree, ...], Mapping[ObjectRef, Tree]]:
    """Return BundleSets, and the objects that keep what they had.

    An object that carried its evidence carries it on, byte for byte: where it is live
    already, nothing changes. For all others it goes into the sets of their namespaces.

    Args:
        kept: Objects that keep their evidence, with it.
        made: BundleSets that were made for the others.
        sets_only: The objects are brought by something else: nothing is on them.
    """
    lying = {raw.strip() for _, one in kept.detached for raw in one.bundles}
    beside = [
        item
        for item in kept.items
        if sets_only
        or any(
            found.raw in lying - {*item.prepared.bundles} and concerns(found, item)
            for found in kept.evidence
        )
    ]
    sets = sets_of(replace(kept, items=tuple(beside)), ()) if beside else ()
    objects = {item.prepared.ref: item.prepared.as_it_was for item in kept.items}
    return joined([*made, *sets]), objects


def joined(sets: Iterable[Tree]) -> tuple[Tree, ...]:
    """Return one BundleSet for each namespace; as many as come, where one is too small."""
    places: dict[str, list[Tree]] = {}
    for tree in sets:
        metadata = tree.get("metadata")
        about = metadata if isinstance(metadata, dict) else {}
        places.setdefault(str(about.get("namespace", OWN_NAMESPACE)), []).append(tree)
    return tuple(
        tree for place, found in places.items() for tree in _joined(found, place)
    )


def _joined(sets: list[Tree], place: str) -> Sequence[Tree]:
    if len(sets) == 1:
        return sets
    read = [resources.bundle_set(tree) for tree in sets]
    bundles = [raw for found, _ in read for raw in found]
    intents = [raw for _, found in read for raw in found]
    try:
        return (render_bundle_set("release", bundles, intents, place),)
    except OverLimit:
        return sets


def named(sets: Iterable[Placed]) -> tuple[tuple[str, Detached], ...]:
    """Return sets, each once: a file and the one before it may hold the same."""
    return tuple({(where, one.name): (where, one) for where, one in sets}.values())
