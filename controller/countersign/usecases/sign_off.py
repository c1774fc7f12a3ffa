"""Sign off: look at a change as it would land, then say so under one's own name.

Two steps, with a person between them: `look` gathers all there is to see and signs
nothing; `sign_off` signs exactly what was looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from countersign.binding.landing import Landing, landing
from countersign.binding.masking import salt_of
from countersign.binding.match import state_digest
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, Subject, Tree
from countersign.core.types.change import Base, Elastic, ObjectChange, Operation
from countersign.core.types.evidence import (
    Answer,
    Provenance,
    Result,
    SignOff,
    Trace,
)
from countersign.core.types.time import Interval
from countersign.ports import Clock, ClusterState, Prover, Signer
from countersign.usecases.inspect import Inspected, inspect
from countersign.usecases.prepare import Prepared
from countersign.usecases.sign import sign
from countersign.wire.signoff import render_sign_off


@dataclass(frozen=True, slots=True)
class Stretch:
    """``KIND/NAME:PATH=MIN..MAX``: a value of one object that scaling may move."""

    kind: str
    name: str
    bounds: Elastic


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOrder:
    """What to look at.

    Attributes:
        objects: The change; never empty.
        bundles: Evidence given beside the objects, raw.
        operation: What may be done with each object.
        base: The state each object is approved on; None: the live one where the
            cluster is seen, else any.
        stretches: Values that scaling may move.
    """

    objects: tuple[Prepared, ...]
    bundles: tuple[bytes, ...] = ()
    operation: Operation = Operation.CREATE_OR_UPDATE
    base: Digest | Base | None = None
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object on the sheet.

    Attributes:
        prepared: The object.
        change: What is signed of it.
        landing: Before and after; None where the cluster was not looked at.
    """

    prepared: Prepared
    change: ObjectChange
    landing: Landing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that a reviewer sees.

    Attributes:
        items: The objects, in the order given.
        evidence: Every distinct bundle, carried or given, looked at.
        unreadable: Bundles that are none, and why; they are not passed on.
    """

    items: tuple[Item, ...]
    evidence: tuple[Inspected, ...]
    unreadable: tuple[tuple[Digest, str], ...]

    @property
    def provenance(self) -> tuple[tuple[Inspected, Provenance], ...]:
        """The statements about how the change was made."""
        return tuple(
            (found, found.claim)
            for found in self.evidence
            if isinstance(found.claim, Provenance)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the reviewer says; see `SignOff` for the fields.

    Attributes:
        valid: For how long from the signature on.
        restore_until: Until when this state may return after newer ones, or None.
    """

    result: Result
    meanings: frozenset[str]
    reviewer: str
    started_on: datetime
    clusters: frozenset[str]
    question_set: tuple[str, Digest] | None
    answers: tuple[Answer, ...]
    traceability: tuple[Trace, ...] = ()
    valid: timedelta
    restore_until: datetime | None = None
    link: str = ""

    def __post_init__(self) -> None:
        if not self.clusters:
            raise Malformed("expected a cluster to sign for, saw none: give --cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """A signed sign-off.

    Attributes:
        bundle: Sigstore bundle, JSON.
        statement: Digest of its statement.
        claim: What it says.
    """

    bundle: bytes
    statement: Digest
    claim: SignOff


async def look(
    order: LookOrder, *, prover: Prover | None, cluster: ClusterState | None
) -> Sheet:
    """Gather what there is to see.

    Args:
        order: What to look at.
        prover: Verifies the evidence; None: nobody was told whom to trust.
        cluster: Shows the live objects; None: nothing is compared.

    Raises:
        Malformed: no object, or a stretch that names none of them.
        Unavailable: the cluster did not answer: nobody signs what could not be shown.
    """
    if not order.objects:
        raise Malformed("expected at least one object to sign off, saw none")
    _require_named(order)
    items = tuple([await _item(one, order, cluster) for one in order.objects])
    carried = [raw for one in order.objects for raw in one.bundles]
    evidence: dict[bytes, Inspected] = {}
    unreadable = []
    for raw in [*carried, *order.bundles]:
        try:
            bundle = raw.strip()  # as it travels: a file may end in a new line
            if bundle not in evidence:
                evidence[bundle] = await inspect(bundle, prover)
        except Malformed as error:
            unreadable.append((Digest.sha256(raw), str(error)))
    return Sheet(
        items=items, evidence=tuple(evidence.values()), unreadable=tuple(unreadable)
    )


async def sign_off(
    sheet: Sheet, review: Review, *, signer: Signer, clock: Clock
) -> SignedOff:
    """Sign what is on the sheet.

    Raises:
        Malformed: more objects and images than a statement holds.
        Rejected: the signer's identity was refused.
        Unavailable: the signer's services did not answer.
    """
    now = clock.now()
    claim = SignOff(
        result=review.result,
        meanings=review.meanings,
        reviewer=review.reviewer,
        started_on=review.started_on,
        reviewed_on=now,
        clusters=review.clusters,
        changes=tuple(item.change for item in sheet.items),
        inputs=frozenset(found.statement for found, _ in sheet.provenance),
        question_set=review.question_set,
        answers=review.answers,
        traceability=review.traceability,
        validity=Interval(now, now + review.valid),
        restore_until=review.restore_until,
        link=review.link,
    )
    versions = {item.prepared.ref: item.prepared.version for item in sheet.items}
    statement = render_sign_off(claim, _image_subjects(sheet), versions)
    return SignedOff(
        bundle=await sign(statement, signer),
        statement=Digest.sha256(statement),
        claim=claim,
    )


def release(sheet: Sheet, signed: SignedOff) -> tuple[Tree, ...]:
    """Return the objects as they are to be applied, evidence and intents included.

    An object keeps what it carried; of the evidence given beside it gets what speaks
    of it or of an image it runs, and what speaks of commits alone.

    Raises:
        Malformed: an object would grow beyond what annotations may hold.
    """
    given = {found.raw: found for found in sheet.evidence}
    return tuple(
        item.prepared.annotated(
            [
                *(raw for raw in given if _concerns(given[raw], item.prepared)),
                signed.bundle,
            ]
        )
        for item in sheet.items
    )


def _concerns(found: Inspected, one: Prepared) -> bool:
    named = {subject.digest for subject in found.subjects}
    ours = {one.intent.digest, *(i.digest for i in one.images if i.digest)}
    artifacts = {d for d in named if d.algorithm is Algorithm.SHA256}
    return found.raw in one.bundles or bool(named & ours) or not artifacts


async def _item(one: Prepared, order: LookOrder, cluster: ClusterState | None) -> Item:
    live = None if cluster is None else await _live(one, cluster)
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
    return Item(prepared=one, change=change, landing=shown)


async def _live(one: Prepared, cluster: ClusterState) -> Tree | None:
    if not one.ref.name:  # the server will make the name: nothing is there yet
        return None
    return await cluster.get(one.version, one.ref, live=True)


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


def _image_subjects(sheet: Sheet) -> Iterable[Subject]:
    return {
        Subject(f"image:{image.repository}", image.digest)
        for item in sheet.items
        for image in item.prepared.images
        if image.digest
    }
