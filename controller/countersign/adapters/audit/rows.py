"""Decisions as rows, and back."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from countersign.binding.canonical import canonical_json
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Intent, ObjectRef
from countersign.core.types.decision import Decision, Outcome, Proposal, Sighting
from countersign.core.types.request import Requester, Resource, Verb
from countersign.wire.decision import parse_kept, render_decision

Row = dict[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LOST = "its particulars were lost before they were recorded"


def micros(at: datetime) -> int:
    """Return a time as the tables hold it."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """Return a time of the tables, in UTC."""
    return _EPOCH + at * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Blob:
    """A bundle or an intent, by its content."""

    digest: str
    data: bytes

    @classmethod
    def of(cls, data: bytes) -> "Blob":
        """Name `data` by its SHA-256."""
        return cls(str(Digest.sha256(data)), data)

    def row(self) -> Row:
        """Return the row that keeps it."""
        return {"digest": self.digest, "data": gzip.compress(self.data, mtime=0)}


def unpack(digest: str, data: bytes) -> bytes:
    """Return a blob's content.

    Raises:
        Malformed: it is not what was stored.
    """
    try:
        content = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise Malformed(f"expected the content of {digest}: {error}") from error
    if str(Digest.sha256(content)) != digest:
        raise Malformed(f"expected the content of {digest}, saw another")
    return content


def bundles_of(decision: Decision) -> tuple[Blob, ...]:
    """Return the bundles of a decision, in their order."""
    return tuple(Blob.of(bundle) for bundle in decision.bundles)


def intent_of(decision: Decision) -> Blob | None:
    """Return the intent that was proposed or signed, if there is one.

    Raises:
        Malformed: it has no canonical JSON.
    """
    proposal = decision.proposal
    if proposal is None or proposal.intent is None:
        return None
    return Blob.of(canonical_json(proposal.intent.tree))


def particulars(decision: Decision, intent: Blob | None) -> Row:
    """Return what a row of ``decisions`` holds of one, but its times and count."""
    about, due = decision.object, decision.review_due
    return {
        "outcome": decision.outcome.value,
        "namespace": about.namespace,
        "group": about.group,
        "kind": about.kind,
        "name": about.name or about.generate_name,
        "verb": decision.verb.value,
        "requester": decision.requester.name,
        "incident": decision.emergency,
        "review_due": None if due is None else micros(due),
        "intent": None if intent is None else intent.digest,
        "document": render_decision(_light(decision)).decode(),
    }


def no_particulars(sighting: Sighting) -> Row:
    """Return the same for a decision of which only the id is known."""
    nothing = dict.fromkeys(("group", "kind", "name", "verb", "incident"), "")
    return {
        **nothing,
        "outcome": Outcome.DENIED.value,  # admissions are not seen twice
        "namespace": None,
        "requester": sighting.requester,
        "review_due": None,
        "intent": None,
        "document": None,
    }


def approvers(decision: Decision) -> Iterator[tuple[str, str, str, str]]:
    """Yield policy, role, person and bundle of everybody whose word it rests on."""
    for basis in decision.bases:
        for slot in basis.filled:
            yield basis.policy, slot.role, slot.person, str(slot.bundle)
        for person in basis.declared_by:
            yield basis.policy, "", person, ""


def restore(document: str, intent: bytes | None, bundles: list[bytes]) -> Decision:
    """Make a decision of its row.

    Raises:
        Malformed: the row is not what was stored.
    """
    kept = parse_kept(document.encode())
    if not isinstance(kept, Decision):
        raise Malformed("expected a decision in the audit store, saw a sighting")
    proposal = kept.proposal
    if proposal is not None and intent is not None:
        whole = Intent(Digest.sha256(intent), orjson.loads(intent))
        proposal = replace(proposal, intent=whole)
    return replace(kept, proposal=proposal, bundles=tuple(bundles))


def placeholder(identity: str, at: datetime, requester: str) -> Decision:
    """Return what stands for a decision whose particulars were lost."""
    return Decision(
        id=identity,
        at=at,
        cluster="",
        verb=Verb.UPDATE,
        resource=Resource("", "", ""),
        object=ObjectRef("", "", "", ""),
        requester=Requester(requester),
        outcome=Outcome.DENIED,
        message=_LOST,
    )


def _light(decision: Decision) -> Decision:
    proposal = decision.proposal
    if proposal is not None:
        proposal = Proposal(change=proposal.change, version=proposal.version)
    return replace(decision, bundles=(), proposal=proposal)
