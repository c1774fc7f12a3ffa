"""The predicate `senior-signoff`: a person's statement about a change.

Seniority, roles and independence are never in it: the law computes them.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import (
    Algorithm,
    Digest,
    Json,
    ObjectRef,
    Subject,
    Tree,
)
from countersign.core.types.change import Change
from countersign.core.types.evidence import (
    Answer,
    AnswerVerdict,
    Emergency,
    Result,
    SignOff,
    Trace,
)
from countersign.wire import provenance
from countersign.wire.changes import parse_change, render_change
from countersign.wire.shapes import (
    OneDigest,
    Shape,
    Time,
    ValidityShape,
    render_digest,
    render_names,
    render_time,
    render_validity,
    shaped,
)
from countersign.wire.statement import MAX_SUBJECTS, Statement, render_statement

TYPE = "https://countersign.dev/attestation/senior-signoff/v0.1"

MAX_ANSWERS = 64  # questions, and as many links of traceability
MAX_INPUTS = 32  # provenance statements: as many as bundles may accompany an object

_V1_ALL: Mapping[ObjectRef, str] = MappingProxyType({})


class _Reviewer(Shape):
    name: str = ""


class _Scope(Shape):
    clusters: list[str] = Field(default_factory=list)


class _Reference(Shape):
    uri: str = ""
    digest: OneDigest


class _Answer(Shape):
    id: str = Field(min_length=1)
    verdict: Literal["addressed", "notApplicable", "concern"]
    answer: str = ""


class _Trace(Shape):
    type: str = Field(min_length=1)
    id: str = Field(min_length=1)
    uri: str = ""


class _Validity(ValidityShape):
    restore_until: Time | None = None


class _Emergency(Shape):
    incident: str = Field(min_length=1)
    justification: str = Field(min_length=1)
    retrospective_due: Time | None = None


class _SignOff(Shape):
    result: Literal["approved", "rejected"]
    meaning: list[str] = Field(default_factory=list, max_length=MAX_ANSWERS)
    reviewer: _Reviewer = Field(default_factory=_Reviewer)
    review_started_on: Time | None = None
    reviewed_on: Time
    review_link: str = ""
    scope: _Scope = Field(default_factory=_Scope)
    changes: list[dict[str, Any]] = Field(default_factory=list, max_length=MAX_SUBJECTS)
    input_attestations: list[_Reference] = Field(
        default_factory=list, max_length=MAX_INPUTS
    )
    question_set: _Reference | None = None
    answers: list[_Answer] = Field(default_factory=list, max_length=MAX_ANSWERS)
    traceability: list[_Trace] = Field(default_factory=list, max_length=MAX_ANSWERS)
    validity: _Validity = Field(default_factory=_Validity)
    break_glass: _Emergency | None = None

    def inputs(self) -> frozenset[Digest]:
        """Return the digests of the statements the reviewer saw.

        Raises:
            Malformed: one is no SHA-256.
        """
        found = [reference.digest for reference in self.input_attestations]
        for digest in found:
            _require_sha256(digest)
        return frozenset(found)

    def questions(self) -> tuple[str, Digest] | None:
        """Return address and digest of the question set, if one was asked.

        Raises:
            Malformed: the digest is no SHA-256.
        """
        if self.question_set is None:
            return None
        _require_sha256(self.question_set.digest)
        return self.question_set.uri, self.question_set.digest

    def emergency(self) -> Emergency | None:
        """Return why it is a break-glass sign-off, if it is one."""
        if self.break_glass is None:
            return None
        glass = self.break_glass
        return Emergency(glass.incident, glass.justification, glass.retrospective_due)


def parse_sign_off(statement: Statement) -> SignOff:
    """Read the claim of a `senior-signoff`.

    Raises:
        Malformed: the predicate is none, an answer is given twice, or a change it
            names is not among the subjects.
    """
    shape = shaped(_SignOff, statement.predicate, "senior-signoff")
    ids = {answer.id for answer in shape.answers}
    if len(ids) != len(shape.answers):
        raise Malformed("expected one answer to each question, saw two")
    return SignOff(
        result=Result(shape.result),
        meanings=frozenset(shape.meaning),
        reviewer=shape.reviewer.name,
        started_on=shape.review_started_on,
        reviewed_on=shape.reviewed_on,
        clusters=frozenset(shape.scope.clusters),
        changes=_changes(shape.changes, statement),
        inputs=shape.inputs(),
        question_set=shape.questions(),
        answers=tuple(
            Answer(answer.id, AnswerVerdict(answer.verdict), answer.answer)
            for answer in shape.answers
        ),
        traceability=tuple(
            Trace(trace.type, trace.id, trace.uri) for trace in shape.traceability
        ),
        validity=shape.validity.value(),
        restore_until=shape.validity.restore_until,
        emergency=shape.emergency(),
        link=shape.review_link,
    )


def render_sign_off(
    claim: SignOff,
    others: Iterable[Subject] = (),
    versions: Mapping[ObjectRef, str] = _V1_ALL,
) -> bytes:
    """Write the statement of a sign-off: its changes are subjects of their own accord.

    Args:
        claim: What the person says.
        others: Further subjects: images, commit, tree.
        versions: API versions (without group) to show people; ``v1`` where none.

    Raises:
        Malformed: there would be no subject, or too many.
    """
    written = [render_change(change, versions) for change in claim.changes]
    entries: list[Json] = [entry for entry, _ in written]
    subjects = [*others, *(subject for _, subject in written)]
    return render_statement(subjects, TYPE, _predicate(claim, entries))


def _changes(entries: list[Tree], statement: Statement) -> tuple[Change, ...]:
    subjects = {subject.digest for subject in statement.subjects}
    changes = []
    for entry in entries:
        change, digest = parse_change(entry)
        if digest not in subjects:
            raise Malformed(f"expected the change's {digest} among the subjects")
        changes.append(change)
    return tuple(changes)


def _require_sha256(digest: Digest) -> None:
    if digest.algorithm is not Algorithm.SHA256:
        raise Malformed(f"expected a sha256 digest, saw {digest}")


def _predicate(claim: SignOff, changes: list[Json]) -> Tree:
    predicate: Tree = {
        "result": claim.result.value,
        "meaning": render_names(claim.meanings),
        "reviewer": {"name": claim.reviewer},
        "reviewedOn": render_time(claim.reviewed_on),
        "scope": {"clusters": render_names(claim.clusters)},
        "changes": changes,
        "inputAttestations": [
            {"uri": provenance.TYPE, "digest": render_digest(digest)}
            for digest in sorted(claim.inputs)
        ],
        "answers": [
            {"id": answer.id, "verdict": answer.verdict.value, "answer": answer.text}
            for answer in claim.answers
        ],
        "traceability": [
            {"type": trace.type, "id": trace.id, "uri": trace.uri}
            for trace in claim.traceability
        ],
        "validity": _validity(claim),
    }
    if claim.started_on is not None:
        predicate["reviewStartedOn"] = render_time(claim.started_on)
    if claim.link:
        predicate["reviewLink"] = claim.link
    if claim.question_set is not None:
        uri, digest = claim.question_set
        predicate["questionSet"] = {"uri": uri, "digest": render_digest(digest)}
    if claim.emergency is not None:
        predicate["breakGlass"] = _break_glass(claim.emergency)
    return predicate


def _validity(claim: SignOff) -> Tree:
    validity = render_validity(claim.validity)
    if claim.restore_until is not None:
        validity["restoreUntil"] = render_time(claim.restore_until)
    return validity


def _break_glass(emergency: Emergency) -> Tree:
    written: Tree = {
        "incident": emergency.incident,
        "justification": emergency.justification,
    }
    if emergency.retrospective_due is not None:
        written["retrospectiveDue"] = render_time(emergency.retrospective_due)
    return written
