"""The shapes of a decision in JSON, and the values that they stand for."""

from typing import Annotated, Any

import orjson
import rfc8785
from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Intent, ObjectRef
from countersign.core.types.change import ObjectChange
from countersign.core.types.decision import (
    Batch,
    Decision,
    Entry,
    Outcome,
    Proposal,
    Recorded,
    Review,
    Sighting,
    Told,
)
from countersign.core.types.evidence import Assistance
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import Requester, Resource, Verb
from countersign.core.types.verdict import Basis, Door, Filled, Reason
from countersign.wire.changes import parse_change
from countersign.wire.shapes import Base64, Shape, Time

_ID = r"^[0-9A-HJKMNP-TV-Z]{26}$"
_SPOOL = r"^[0-9a-f]{32}$"


def _read_digest(value: object) -> Digest:
    if not isinstance(value, str):
        raise ValueError("expected a digest")  # noqa: TRY004 - what pydantic reports
    return Digest.parse(value)


def _read_assistance(value: object) -> Assistance:
    known = {state.label: state for state in Assistance}
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"expected one of {', '.join(known)}")
    return known[value]


_Digest = Annotated[Digest, BeforeValidator(_read_digest)]
_Assistance = Annotated[Assistance, BeforeValidator(_read_assistance)]
_Word = Field(strict=False)  # a member of an enumeration, by its value


class _Ref(Shape):
    group: str
    kind: str
    namespace: str
    name: str
    generate_name: str = ""

    def value(self) -> ObjectRef:
        return ObjectRef(
            self.group, self.kind, self.namespace, self.name, self.generate_name
        )


class _Resource(Shape):
    group: str
    version: str
    name: str
    subresource: str = ""


class _Requester(Shape):
    name: str
    uid: str = ""
    groups: list[str] = Field(default_factory=list)


class _Filled(Shape):
    role: str
    person: str
    bundle: _Digest


class _Basis(Shape):
    policy: str
    door: Annotated[Door, _Word]
    rule: str = ""
    filled: list[_Filled] = Field(default_factory=list)
    declared_by: list[str] = Field(default_factory=list)
    emergency: str = ""
    assistance: _Assistance | None = None
    bundles: list[_Digest] = Field(default_factory=list)

    def value(self) -> Basis:
        return Basis(
            policy=self.policy,
            door=self.door,
            rule=self.rule,
            filled=tuple(Filled(f.role, f.person, f.bundle) for f in self.filled),
            declared_by=tuple(self.declared_by),
            emergency=self.emergency,
            assistance=self.assistance,
            bundles=tuple(self.bundles),
        )


class _Told(Shape):
    policy: str
    reason: Annotated[Reason, _Word]
    enforcement: Annotated[Enforcement, _Word]
    message: str
    facts: Any = None

    def value(self) -> Told:
        return Told(
            policy=self.policy,
            reason=self.reason,
            enforcement=self.enforcement,
            message=self.message,
            facts=self.facts,
        )


class _Proposal(Shape):
    change: dict[str, Any]
    version: str
    intent: str | None = None

    def value(self) -> Proposal:
        change, digest = parse_change(self.change)
        intent = None
        if self.intent is not None:
            if not isinstance(change, ObjectChange):
                raise Malformed("expected an intent of a new state alone")
            intent = _intent(self.intent, digest)
        return Proposal(change=change, intent=intent, version=self.version)


class DecisionShape(Shape):
    """A decision."""

    id: str = Field(pattern=_ID)
    at: Time
    cluster: str
    verb: Annotated[Verb, _Word]
    resource: _Resource
    object: _Ref
    uid: str = ""
    requester: _Requester
    outcome: Annotated[Outcome, _Word]
    message: str = ""
    bases: list[_Basis] = Field(default_factory=list)
    findings: list[_Told] = Field(default_factory=list)
    proposal: _Proposal | None = None
    bundles: list[Base64] = Field(default_factory=list)
    review_due: Time | None = None

    def value(self) -> Decision:
        """Return the decision.

        Raises:
            Malformed: its proposal is none, or the intent has another digest than the
                change names.
        """
        what, who = self.resource, self.requester
        return Decision(
            id=self.id,
            at=self.at,
            cluster=self.cluster,
            verb=self.verb,
            resource=Resource(what.group, what.version, what.name, what.subresource),
            object=self.object.value(),
            uid=self.uid,
            requester=Requester(who.name, who.uid, frozenset(who.groups)),
            outcome=self.outcome,
            message=self.message,
            bases=tuple(basis.value() for basis in self.bases),
            findings=tuple(told.value() for told in self.findings),
            proposal=None if self.proposal is None else self.proposal.value(),
            bundles=tuple(self.bundles),
            review_due=self.review_due,
        )


class SightingShape(Shape):
    """One more of the same."""

    id: str = Field(pattern=_ID)
    at: Time
    requester: str

    def value(self) -> Sighting:
        """Return the sighting."""
        return Sighting(id=self.id, at=self.at, requester=self.requester)


class KeptShape(Shape):
    """One of the two."""

    decision: DecisionShape | None = None
    sighting: SightingShape | None = None

    def value(self) -> Decision | Sighting:
        """Return which it is.

        Raises:
            Malformed: neither, or both; or as the decision says.
        """
        if self.decision and not self.sighting:
            return self.decision.value()
        if self.sighting and not self.decision:
            return self.sighting.value()
        raise Malformed("expected either a decision or a sighting")


class _Review(Shape):
    at: Time
    persons: list[str]

    def value(self) -> Review:
        return Review(at=self.at, persons=tuple(self.persons))


class RecordedShape(Shape):
    """A decision as the recorder keeps it."""

    decision: DecisionShape
    first: Time
    last: Time
    count: int
    requesters: list[str]
    reviewed: _Review | None = None

    def value(self) -> Recorded:
        """Return it.

        Raises:
            Malformed: a count below 1, or as the decision says.
        """
        return Recorded(
            decision=self.decision.value(),
            first=self.first,
            last=self.last,
            count=self.count,
            requesters=tuple(self.requesters),
            reviewed=None if self.reviewed is None else self.reviewed.value(),
        )


class _Entry(Shape):
    sequence: PositiveInt
    kept: KeptShape


class BatchShape(Shape):
    """What a spool holds after some sequence."""

    spool: str = Field(pattern=_SPOOL)
    entries: list[_Entry]
    lost: NonNegativeInt
    more: bool

    def value(self) -> Batch:
        """Return it.

        Raises:
            Malformed: sequences that do not grow; or as an entry says.
        """
        numbers = [entry.sequence for entry in self.entries]
        if numbers != sorted(set(numbers)):
            raise Malformed("expected entries in the order of their sequences")
        return Batch(
            spool=self.spool,
            entries=tuple(Entry(e.sequence, e.kept.value()) for e in self.entries),
            lost=self.lost,
            more=self.more,
        )


def _intent(text: str, digest: Digest) -> Intent:
    """Read an intent.

    Raises:
        Malformed: it has another digest, or is not the canonical JSON of an object.
    """
    data = text.encode()
    if Digest.sha256(data) != digest:
        raise Malformed("expected an intent with the digest that its change names")
    try:
        tree = orjson.loads(data)
        plain = rfc8785.dumps(tree)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"expected an intent in canonical JSON: {error}") from error
    if plain != data or not isinstance(tree, dict):  # equal keys, for instance
        raise Malformed("expected an intent in canonical JSON, saw another form")
    return Intent(digest, tree)
