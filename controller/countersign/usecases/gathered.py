"""What gathering found out about one object."""

from dataclasses import dataclass, field

from countersign.core.errors import Malformed, OverLimit, Rejected, Unavailable
from countersign.core.types.artifacts import Digest, Intent
from countersign.core.types.evidence import (
    Build,
    Evidence,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.verdict import Reason

MAX_PROBLEMS = 8  # of one reason, told of one object
MAX_PROBLEM = 512  # characters, as `Detail` holds


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something carried that counts for nothing, and why."""

    reason: Reason
    text: str


@dataclass(slots=True)
class Gathered:
    """What is known so far; still right if gathering is cut short.

    Attributes:
        evidence: Proven, in no order.
        raw: The bundles that prove it, by digest.
        sets: Names of the sets that each of them is of; empty: the object carries it.
        intents: Whose digests were checked.
        problems: What counts for nothing; the first ones of each reason.
        complete: Nothing that there is went unseen.
        strangers: How much of the evidence is by nobody whom a policy knows.
    """

    evidence: list[Evidence] = field(default_factory=list)
    raw: dict[Digest, bytes] = field(default_factory=dict)
    sets: dict[Digest, frozenset[str]] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    strangers: int = 0

    @property
    def supporting(self) -> tuple[Evidence, ...]:
        """What may speak for the change."""
        return tuple(e for e in self.evidence if not _rejects(e))

    @property
    def adverse(self) -> tuple[Evidence, ...]:
        """What may speak against it: rejections, all provenance, and builds it is of."""
        return tuple(
            e
            for e in self.evidence
            if _rejects(e) or isinstance(e.claim, Provenance | Build)
        )

    def of(self, evidence: Evidence) -> frozenset[str]:
        """Return the sets that `evidence` is of; none: the object carries it."""
        return self.sets.get(evidence.bundle, frozenset())

    def problem(
        self, error: Malformed | Rejected | Unavailable, beside: str = ""
    ) -> None:
        """Note what counts for nothing, and whether anything went unseen with it.

        Args:
            error: Why.
            beside: Name of the set that it is of; ``""``: the object carries it.
        """
        reason = _reason(error)
        junk = reason is Reason.MALFORMED and beside  # anybody may put it there
        self.complete &= bool(junk) or reason is Reason.PROOF_REJECTED
        text = f"BundleSet {beside}: {error}" if beside else str(error)
        if sum(p.reason is reason for p in self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(reason, text[:MAX_PROBLEM]))


def _reason(error: Malformed | Rejected | Unavailable) -> Reason:
    if isinstance(error, Rejected):
        return Reason.PROOF_REJECTED
    if isinstance(error, OverLimit):
        return Reason.OVER_LIMIT
    return Reason.MALFORMED if isinstance(error, Malformed) else Reason.UNAVAILABLE


def _rejects(evidence: Evidence) -> bool:
    claim = evidence.claim
    return isinstance(claim, SignOff) and claim.result is Result.REJECTED
