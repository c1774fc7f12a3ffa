"""Sign off: say under one's own name what one thinks of a change.

Signed is exactly what was looked at (`look`), and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Subject
from countersign.core.types.evidence import Answer, Emergency, Result, SignOff, Trace
from countersign.core.types.time import Interval
from countersign.ports import Clock, Signer
from countersign.usecases.sheet import Sheet
from countersign.usecases.sign import sign
from countersign.wire.signoff import render_sign_off


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the reviewer says; see `SignOff` for the fields.

    Attributes:
        valid: For how long from the signature on.
        restore_until: Until when this state may return after newer ones, or None.
        emergency: Why it is signed for an emergency, or None.
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
    emergency: Emergency | None = None
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
        changes=sheet.changes,
        inputs=frozenset(found.statement for found, _ in sheet.provenance),
        question_set=review.question_set,
        answers=review.answers,
        traceability=review.traceability,
        validity=Interval(now, now + review.valid),
        restore_until=review.restore_until,
        emergency=review.emergency,
        link=review.link,
    )
    statement = render_sign_off(claim, {*_artifacts(sheet)}, sheet.versions)
    return SignedOff(
        bundle=await sign(statement, signer),
        statement=Digest.sha256(statement),
        claim=claim,
    )


def _artifacts(sheet: Sheet) -> Iterator[Subject]:
    """Yield what is approved besides the changes: images, and the state of a source."""
    within = {image: one.platforms for image, one in sheet.attached}
    for image in sheet.pinned:
        # who approves an index approves what it names, and some policies ask for that
        for digest in {image.digest, *within.get(image, ())}:
            yield Subject(f"image:{image.repository}", digest)
    if sheet.source is not None:
        yield from sheet.source.subjects
