"""What gathering found out about one object."""

from dataclasses import dataclass, field, replace

from countersign.core.errors import Malformed, OverLimit, Rejected, Unavailable
from countersign.core.types.artifacts import Digest, Image, Intent, Subject
from countersign.core.types.evidence import (
    Build,
    Evidence,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.verdict import Reason
from countersign.ports import Pinned

MAX_PROBLEMS = 8  # of one reason, told of one object
MAX_PROBLEM = 512  # characters, as `Detail` holds


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that counts for nothing, and why.

    Attributes:
        reason: As a finding has it.
        text: What was expected and seen.
        about: The image beside which it lies, or should; None: it is the object's.
    """

    reason: Reason
    text: str
    about: Subject | None = field(default=None, compare=False)


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
        platforms: Of images whose registry was asked, by digest.
    """

    evidence: list[Evidence] = field(default_factory=list)
    raw: dict[Digest, bytes] = field(default_factory=dict)
    sets: dict[Digest, frozenset[str]] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    strangers: int = 0
    platforms: dict[Digest, frozenset[Digest]] = field(default_factory=dict)

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

    def seen(self, image: Image) -> Image:
        """Return an image with what its registry said of its platforms, if it did."""
        if image.digest is None or image.digest not in self.platforms:
            return image
        return replace(image, platforms=self.platforms[image.digest])

    def problem(
        self,
        error: Malformed | Rejected | Unavailable,
        beside: str = "",
        *,
        image: Pinned | None = None,
        attached: bool = False,
    ) -> None:
        """Note what counts for nothing, and whether anything went unseen with it.

        Args:
            error: Why.
            beside: Name of the set that it is of; ``""``: the object carries it.
            image: Beside which it lies, or should.
            attached: It lies beside an image, whichever.
        """
        reason = _reason(error)
        # anybody may put it there
        junk = reason is Reason.MALFORMED and bool(beside or image or attached)
        self.complete &= junk or reason is Reason.PROOF_REJECTED
        text = f"BundleSet {beside}: {error}" if beside else str(error)
        about = None if image is None else Subject(image.repository, image.digest)
        self.note(Problem(reason, text, about=about))

    def note(self, problem: Problem) -> None:
        """Note what explains a denial, within bounds."""
        if sum(p.reason is problem.reason for p in self.problems) < MAX_PROBLEMS:
            text = problem.text[:MAX_PROBLEM]
            self.problems.append(replace(problem, text=text))


def _reason(error: Malformed | Rejected | Unavailable) -> Reason:
    if isinstance(error, Rejected):
        return Reason.PROOF_REJECTED
    if isinstance(error, OverLimit):
        return Reason.OVER_LIMIT
    return Reason.MALFORMED if isinstance(error, Malformed) else Reason.UNAVAILABLE


def _rejects(evidence: Evidence) -> bool:
    claim = evidence.claim
    return isinstance(claim, SignOff) and claim.result is Result.REJECTED
