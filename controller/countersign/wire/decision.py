"""A decision, as the spool, the recorder and their readers write it: JSON.

Read leniently where a newer writer may know more (unknown fields), strictly where a
reader would be misled: equal keys, unknown words, digests that are none. An intent
travels as the text of its canonical JSON, and is believed only if that text has the
digest which the change names; whether it is the *canonical* form of its object is for
whoever signs it to check (`binding.canonical.read_intent`).
"""

from collections.abc import Iterable

import orjson
import rfc8785

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Intent, Json, ObjectRef, Tree
from countersign.core.types.decision import (
    Batch,
    Decision,
    Proposal,
    Recorded,
    Review,
    Sighting,
    Told,
)
from countersign.core.types.verdict import Basis
from countersign.wire.changes import render_change
from countersign.wire.decision_shapes import BatchShape, KeptShape, RecordedShape
from countersign.wire.shapes import (
    render_base64,
    render_names,
    render_time,
    shaped,
)
from countersign.wire.strict_json import parse_json

MAX_KEPT = 8 << 20  # bytes of one decision: an object of 3 MiB, and its bundles
MAX_BATCH = 16 << 20  # bytes of one batch: half of it, and one entry more


def render_decision(kept: Decision | Sighting) -> bytes:
    """Write what a spool keeps, on one line.

    Raises:
        Malformed: something in it has no JSON that every reader reads alike.
    """
    if isinstance(kept, Decision):
        return _line({"decision": _decision(kept, whole=True)})
    said = {"id": kept.id, "at": render_time(kept.at), "requester": kept.requester}
    return _line({"sighting": said})


def _line(tree: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(tree)
    except orjson.JSONEncodeError as error:  # half a character, an endless integer
        raise Malformed(f"expected plain JSON in a decision: {error}") from error


def parse_kept(data: bytes) -> Decision | Sighting:
    """Read what `render_decision` wrote.

    Raises:
        Malformed: above `MAX_KEPT`, ambiguous JSON, no decision, or an intent that has
            not the digest which its change names.
    """
    tree = parse_json(data, limit=MAX_KEPT)
    return shaped(KeptShape, tree, "decision").value()


def render_recorded(recorded: Recorded, *, whole: bool) -> Tree:
    """Write a recorded decision.

    Args:
        recorded: Any.
        whole: With its intent and bundles.

    Raises:
        Malformed: its proposal has no canonical JSON.
    """
    review = recorded.reviewed
    return {
        "decision": _decision(recorded.decision, whole=whole),
        "first": render_time(recorded.first),
        "last": render_time(recorded.last),
        "count": recorded.count,
        "requesters": [*recorded.requesters],
        "reviewed": None if review is None else _review(review),
    }


def parse_recorded(tree: Json) -> Recorded:
    """Read what `render_recorded` wrote, whole or not.

    Args:
        tree: As `strict_json.parse_json` read it.

    Raises:
        Malformed: it is none, or an intent has not the digest which its change names.
    """
    return shaped(RecordedShape, tree, "recorded decision").value()


def render_batch(batch: Batch) -> bytes:
    """Write a batch."""
    entries = ((e.sequence, render_decision(e.kept)) for e in batch.entries)
    return frame_batch(batch.spool, entries, lost=batch.lost, more=batch.more)


def frame_batch(
    spool: str, entries: Iterable[tuple[int, bytes]], *, lost: int, more: bool
) -> bytes:
    """Write a batch of what `render_decision` wrote before, without reading it again.

    Args:
        spool: Its id, 32 lowercase hex digits.
        entries: Sequence and line of each.
        lost: How many decisions it could not keep, ever.
        more: There is more to read at once.
    """
    written = [{"sequence": n, "kept": orjson.Fragment(line)} for n, line in entries]
    return orjson.dumps(
        {"spool": spool, "entries": written, "lost": lost, "more": more}
    )


def parse_batch(data: bytes) -> Batch:
    """Read what `render_batch` wrote.

    Raises:
        Malformed: above `MAX_BATCH`, ambiguous JSON, no batch, entries out of order, or
            an entry as `parse_kept` says.
    """
    tree = parse_json(data, limit=MAX_BATCH)
    return shaped(BatchShape, tree, "batch").value()


def _decision(decision: Decision, *, whole: bool) -> Tree:
    what, who, due = decision.resource, decision.requester, decision.review_due
    proposal = decision.proposal
    return {
        "id": decision.id,
        "at": render_time(decision.at),
        "cluster": decision.cluster,
        "verb": decision.verb.value,
        "resource": {
            "group": what.group,
            "version": what.version,
            "name": what.name,
            "subresource": what.subresource,
        },
        "object": _ref(decision.object),
        "uid": decision.uid,
        "requester": {
            "name": who.name,
            "uid": who.uid,
            "groups": render_names(who.groups),
        },
        "outcome": decision.outcome.value,
        "message": decision.message,
        "bases": [_basis(basis) for basis in decision.bases],
        "findings": [_told(told) for told in decision.findings],
        "proposal": None if proposal is None else _proposal(proposal, whole=whole),
        "bundles": [render_base64(b) for b in decision.bundles] if whole else [],
        "reviewDue": None if due is None else render_time(due),
    }


def _ref(ref: ObjectRef) -> Tree:
    return {
        "group": ref.group,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
        "generateName": ref.generate_name,
    }


def _basis(basis: Basis) -> Tree:
    state = basis.assistance
    return {
        "policy": basis.policy,
        "door": basis.door.value,
        "rule": basis.rule,
        "filled": [
            {"role": f.role, "person": f.person, "bundle": str(f.bundle)}
            for f in basis.filled
        ],
        "declaredBy": [*basis.declared_by],
        "emergency": basis.emergency,
        "assistance": None if state is None else state.label,
        "bundles": [str(bundle) for bundle in basis.bundles],
    }


def _told(told: Told) -> Tree:
    return {
        "policy": told.policy,
        "reason": told.reason.value,
        "enforcement": told.enforcement.value,
        "message": told.message,
        "facts": told.facts,
    }


def _proposal(proposal: Proposal, *, whole: bool) -> Tree:
    # under "v1": the version stands beside it, and may be a custom resource's own word
    entry, _ = render_change(proposal.change, {})
    written: Tree = {"change": entry, "version": proposal.version, "intent": None}
    if whole and proposal.intent is not None:
        written["intent"] = _intent(proposal.intent)
    return written


def _intent(intent: Intent) -> str:
    """Write an intent as the bytes that were digested, or not at all."""
    try:
        data = rfc8785.dumps(intent.tree)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise Malformed(f"expected plain JSON in an intent: {error}") from error
    if Digest.sha256(data) != intent.digest:
        raise Malformed("expected an intent to have its own digest")
    return data.decode()


def _review(review: Review) -> Tree:
    return {"at": render_time(review.at), "persons": [*review.persons]}
