"""Denied: take up a recorded decision, to review and sign exactly what was denied."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from countersign.binding.canonical import canonical_json, read_intent
from countersign.binding.images import images
from countersign.core.errors import Malformed, Rejected
from countersign.core.types.artifacts import Digest, Json, ObjectRef
from countersign.core.types.change import (
    Access,
    Deletion,
    NamespaceWindow,
    ObjectChange,
    Stretch,
    Uid,
)
from countersign.core.types.decision import Decision, Outcome, Proposal, Recorded
from countersign.ports import Detached, EvidenceStore, Right
from countersign.usecases.deliver import OWN_NAMESPACE, place_of
from countersign.usecases.prepare import Prepared
from countersign.usecases.sheet import LookOrder, Opening, Removal, Sheet
from countersign.wire.resources.bundleset_about import about
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP

SIGNER_ROLE = "countersign-signer"
"""The ClusterRole that has what signers need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A decision, ready to be looked at.

    Attributes:
        recorded: As the recorder has it.
        order: What was denied, with all evidence about it.
        visible: Whether the signer may see the live object.
    """

    recorded: Recorded
    order: LookOrder
    visible: bool


def is_debt(decision: Decision) -> bool:
    """Tell whether `decision` is a break-glass admission: it is reviewed afterwards."""
    return bool(decision.emergency)


def signable(recorded: Recorded, *, emergency: bool = False) -> Proposal:
    """Return what a decision proposes to sign.

    Args:
        recorded: The decision.
        emergency: It is signed as break-glass.

    Raises:
        Malformed: nothing of it can be signed; the message says why, and what to do.
    """
    decision, proposal = recorded.decision, recorded.decision.proposal
    if is_debt(decision) and emergency:
        raise Malformed(
            f"expected a denial, saw that {decision.id} was admitted by break-glass "
            "already: sign its review, without --break-glass"
        )
    if decision.outcome is Outcome.ALLOWED and not is_debt(decision):
        raise Malformed(
            f"expected a denial, saw that {decision.id} was admitted: there is nothing "
            "to sign"
        )
    if proposal is None and is_debt(decision):
        raise Malformed(
            f"expected a record of what {decision.id} let in, saw none: it cannot be "
            "reviewed by signature"
        )
    if proposal is None:
        why = "; ".join(told.message for told in decision.findings)
        raise Malformed(
            f"expected a denial that a signature could turn, saw {decision.id}: {why}"
        )
    if isinstance(proposal.change, Access) and not (emergency or is_debt(decision)):
        raise Malformed(
            f"expected a change of an object or its deletion, saw that {decision.id} "
            "is an access: it is signed for an emergency only, with --break-glass "
            "--incident ID --justification TEXT"
        )
    if not isinstance(proposal.change, ObjectChange | Deletion | Access):
        raise Malformed(
            f"expected a change of one object, saw that {decision.id} is none"
        )
    if not _same(proposal.change.object, decision.object):
        raise Malformed(
            f"expected a proposal about {decision.object}, saw one about "
            f"{proposal.change.object}: the record is not to be trusted"
        )
    return proposal


def rights_needed(decision: Decision, *, write: bool) -> tuple[Right, ...]:
    """Return what a signer must be able to do in the cluster.

    Args:
        decision: That is to be signed.
        write: The BundleSet is created, and not only written to a file.
    """
    place = decision.object.namespace or OWN_NAMESPACE
    verbs = ("list", "create") if write else ("list",)
    return tuple(Right(verb, GROUP, BUNDLE_SET.plural, place) for verb in verbs)


def right_to_see(decision: Decision) -> Right:
    """Return what a signer must be able to do to be shown the live object."""
    what = decision.resource
    return Right("get", what.group, what.name, decision.object.namespace)


async def require_rights(store: EvidenceStore, rights: Iterable[Right]) -> None:
    """Check what a signer needs before any question is asked.

    Raises:
        Rejected: rights are missing; the message names them, and the role.
        Unavailable: the API server did not answer.
    """
    if missing := await store.lacking(rights):
        listed = ", ".join(map(str, missing))
        raise Rejected(
            f"expected the right to {listed}, saw that you have it not: ask an "
            f"administrator for the ClusterRole {SIGNER_ROLE} there"
        )


async def take_up(
    recorded: Recorded, store: EvidenceStore, *, write: bool, emergency: bool = False
) -> Denied:
    """Make of a decision what can be looked at.

    The evidence is what travelled with the request, and what lies beside the object by
    now: so a second person sees, and passes on, what the first one signed.

    Args:
        recorded: The decision.
        store: The cluster's BundleSets, with the signer's rights.
        write: The result is created in the cluster.
        emergency: It is signed as break-glass.

    Raises:
        Malformed: nothing of it can be signed, or the record contradicts itself.
        Rejected: the signer lacks a right.
        Unavailable: the API server did not answer.
    """
    decision = recorded.decision
    proposal = signable(recorded, emergency=emergency)
    await require_rights(store, rights_needed(decision, write=write))
    visible = not await store.lacking([right_to_see(decision)])
    change = proposal.change
    assert not isinstance(change, NamespaceWindow)  # noqa: S101 - see `signable`
    place = place_of(change)
    sets = await store.sets(place)
    came = Detached(name=decision.id, bundles=decision.bundles, intents=())
    found = [one for one in sets if _names(one, change.object)]
    order = LookOrder(
        bundles=tuple(_relied(decision)),
        detached=tuple((place, one) for one in (came, *found)),
        past=is_debt(decision),
    )
    return Denied(
        recorded=recorded, order=_with_change(order, proposal, visible), visible=visible
    )


def _relied(decision: Decision) -> Iterator[bytes]:
    """Yield what a break-glass admission rests on: that is what is reviewed."""
    relied = {bundle for basis in decision.bases for bundle in basis.bundles}
    if is_debt(decision):
        yield from (b for b in decision.bundles if Digest.sha256(b) in relied)


def _with_change(order: LookOrder, proposal: Proposal, visible: bool) -> LookOrder:  # noqa: FBT001 - private
    change = proposal.change
    if isinstance(change, Deletion):
        removal = Removal(
            ref=change.object,
            version=proposal.version,
            uid=change.uid,
            propagation=change.propagation_policy,
        )
        return replace(order, removals=(removal,))
    if isinstance(change, Access):
        return replace(order, openings=(Opening(change, proposal.version),))
    assert isinstance(change, ObjectChange)  # noqa: S101 - `signable` let nothing else by
    one, for_one = _prepared(change, proposal), isinstance(change.base, Uid)
    ref = change.object
    return replace(
        order,
        objects=(one,),
        operation=change.operation,
        base=change.base if order.past or not visible or for_one else None,
        stretches=tuple(Stretch(ref.kind, ref.name, b) for b in change.elastic),
    )


def _prepared(change: ObjectChange, proposal: Proposal) -> Prepared:
    """Return the recorded intent as an object, its digest checked anew.

    Raises:
        Malformed: it is no intent, or not the one that the change names.
    """
    if proposal.intent is None:
        raise Malformed("expected an intent in the record, saw none: apply again")
    intent = read_intent(canonical_json(proposal.intent.tree))
    if intent.digest != change.digest or _described(intent.tree) != _key(change.object):
        raise Malformed(
            f"expected the intent {change.digest} of {change.object} in the record, saw "
            "another: it is not to be trusted; apply again"
        )
    return Prepared(
        manifest=intent.tree,
        ref=change.object,
        version=proposal.version,
        intent=intent,
        images=images(intent.tree),
        bundles=(),
        stale=False,
    )


def _described(tree: Json) -> tuple[str, ...]:
    assert isinstance(tree, dict)  # noqa: S101 - `read_intent` returns objects
    metadata = tree["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - the same
    group = str(tree["apiVersion"]).rpartition("/")[0]
    names = (str(metadata.get(k, "")) for k in ("namespace", "name"))
    base = "" if metadata.get("name") else str(metadata.get("generateName", ""))
    return (group, str(tree["kind"]), *names, base)


def _same(proposed: ObjectRef, judged: ObjectRef) -> bool:
    """Tell whether a proposal is about the object that was judged.

    A proposal names an object by a name or by a prefix of one; of a request both may be
    known.
    """
    if proposed.name:
        judged = replace(judged, generate_name="")
    return proposed == (judged if proposed.name else replace(judged, name=""))


def _key(ref: ObjectRef) -> tuple[str, ...]:
    base = "" if ref.name else ref.generate_name
    return (ref.group, ref.kind, ref.namespace, ref.name, base)


def _names(one: Detached, ref: ObjectRef) -> bool:
    """Tell whether a set speaks of an object."""
    refs = about(one.bundles, one.intents).refs
    return any(_key(found) == _key(ref) for found in refs)


def moved_on(recorded: Recorded, sheet: Sheet) -> bool:
    """Tell whether the live object is another than when the request was denied.

    What was admitted moves on; that is no news.
    """
    if is_debt(recorded.decision):
        return False
    proposal = recorded.decision.proposal
    was = proposal.change if proposal is not None else None
    return isinstance(was, ObjectChange) and any(
        item.change.base != was.base for item in sheet.items
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a signer's word can count, as the denial says.

    Attributes:
        eligible: Persons who could sign, for any policy, sorted.
        barred: Persons who may not, and the reason, sorted.
    """

    eligible: tuple[str, ...]
    barred: tuple[tuple[str, str], ...]

    def of(self, signer: str) -> str | None:
        """Return why `signer` cannot count; None where nothing speaks against it.

        Args:
            signer: A person's id, a key's name or an address.
        """
        names = {signer, signer.partition("@")[0]}
        for person, reason in self.barred:
            if person in names:
                return reason
        if self.eligible and names.isdisjoint(self.eligible):
            return "not_eligible"
        return None


def standing(decision: Decision) -> Standing:
    """Read who could and could not sign from a denial's facts."""
    eligible: set[str] = set()
    barred: set[tuple[str, str]] = set()
    for told in decision.findings:
        facts = told.facts if isinstance(told.facts, dict) else {}
        eligible.update(str(one) for one in _list(facts.get("eligible")))
        for one in _list(facts.get("ineligible")):
            if isinstance(one, dict):
                barred.add((str(one.get("person")), str(one.get("reason"))))
    open_to_them = {pair for pair in barred if pair[0] not in eligible}
    return Standing(tuple(sorted(eligible)), tuple(sorted(open_to_them)))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
