"""The judgement: findings, and the basis of each admission."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Difference, Digest, ObjectRef, Subject
from countersign.core.types.evidence import NOT_COUNTED, Assistance, Lines
from countersign.core.types.policy import Enforcement


class Reason(StrEnum):
    """Why a policy is not met. Public API: metrics, runbook anchors, SARIF ids.

    Values do not change. Each has a section in ``docs/runbook.md``.
    """

    # The gate itself
    NOT_READY = "not_ready"
    STALE = "stale"
    NO_POLICY = "no_policy"
    POLICY_INVALID = "policy_invalid"
    UNAVAILABLE = "unavailable"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    # Evidence as such
    NO_EVIDENCE = "no_evidence"
    OVER_LIMIT = "over_limit"
    PROOF_REJECTED = "proof_rejected"
    REVOKED = "revoked"
    EVIDENCE_REMOVED = "evidence_removed"
    FOREIGN_ANNOTATION = "foreign_annotation"
    UNSIGNED_SOURCE = "unsigned_source"
    # What was signed is not what is admitted
    CHANGED = "changed"
    WRONG_CLUSTER = "wrong_cluster"
    WRONG_OBJECT = "wrong_object"
    WRONG_OPERATION = "wrong_operation"
    STALE_BASE = "stale_base"
    CONVERTED = "converted"
    IMAGE_UNPINNED = "image_unpinned"
    IMAGE_UNCOVERED = "image_uncovered"
    # When
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WINDOW_TOO_LONG = "window_too_long"
    TIME_MISSING = "time_missing"
    TIME_IMPLAUSIBLE = "time_implausible"
    # Who
    SLOT_OPEN = "slot_open"
    SIGNER_UNKNOWN = "signer_unknown"
    PERSON_INVALID = "person_invalid"
    ROLE_MISSING = "role_missing"
    NOT_INDEPENDENT = "not_independent"
    AUTHORS_UNKNOWN = "authors_unknown"
    AUTHOR_UNRESOLVED = "author_unresolved"
    PRESENCE_MISSING = "presence_missing"
    # How it was reviewed
    REJECTED = "rejected"
    CONCERN = "concern"
    QUESTIONS_OPEN = "questions_open"
    TRACEABILITY_MISSING = "traceability_missing"
    MEANING_MISSING = "meaning_missing"
    WORSE_PROVENANCE = "worse_provenance"
    DECLARATION_REJECTED = "declaration_rejected"
    # What the policy forbids altogether
    AI_DENIED = "ai_denied"
    UNKNOWN_DENIED = "unknown_denied"
    TOOL_BANNED = "tool_banned"
    # Children, deletions, subresources
    OWNER_UNPROVEN = "owner_unproven"
    CHILD_DIFFERS = "child_differs"
    DELETION = "deletion"
    SUBRESOURCE = "subresource"
    STATUS_METADATA = "status_metadata"
    # Changes of our own objects
    GOVERNANCE = "governance"


@dataclass(frozen=True, slots=True)
class Expected:
    """Something was expected and something else seen; both short, no prose."""

    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Detail:
    """What an error said. The only free text in a finding; bounded to 512 characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Where the object differs from the signed intent that is nearest to it."""

    intent: Digest
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time that does not hold at `at`."""

    start: datetime | None
    end: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A sign-off that does not count.

    Attributes:
        signer: Issuer and SAN, or trust root and key.
        person: Id of the roster person, or ``""``.
        needed: Role, cluster, object … that was asked for.
        seen: What was there instead.
    """

    signer: str
    person: str = ""
    needed: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Ineligible:
    """A person who may not fill a slot, and why (a `Reason`)."""

    person: str
    reason: Reason
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSlots:
    """Slots that nobody fills.

    Attributes:
        open: Roles of the open slots, in the policy's order.
        filled: Role and person of those that are filled.
        eligible: Persons who could still sign, sorted.
        ineligible: Persons with the role who may not, sorted.
        assistance: The state that asks for these slots.
        tools: Assistants seen.
        lines: Lines counted.
        collected: By whom and when the provenance was attested, or None.
        authors: An open slot asks who made the change: a signer has to see provenance.
        unattested: Of what such a slot asks about, what no provenance that can be
            relied upon speaks of: images by their references, the object as ``""``.
        gap: How far provenance of that one of these falls short which came nearest.
    """

    open: tuple[str, ...]
    filled: tuple[tuple[str, str], ...] = ()
    eligible: tuple[str, ...] = ()
    ineligible: tuple[Ineligible, ...] = ()
    assistance: Assistance = Assistance.UNKNOWN
    tools: tuple[str, ...] = ()
    lines: Lines = NOT_COUNTED
    collected: tuple[str, datetime | None] | None = None
    authors: bool = False
    unattested: tuple[str, ...] = ()
    gap: "ProvenanceGap | None" = None


class Gap(StrEnum):
    """How far provenance of an artifact falls short, from nothing to nearly there."""

    UNSEEN = "unseen"
    ABSENT = "absent"
    UNSOURCED = "unsourced"
    UNTRUSTED = "untrusted"
    MISMATCHED = "mismatched"
    REVOKED = "revoked"
    OUT_OF_SCOPE = "outOfScope"
    OUT_OF_TIME = "outOfTime"
    NOT_BUILT = "notBuilt"
    INCOMPLETE = "incomplete"
    UNANCHORED = "unanchored"
    UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class ProvenanceGap:
    """Nobody says dependably how an artifact was made.

    Attributes:
        gap: UNSEEN: nobody looked which platforms an image has, each of which must be
            spoken of. ABSENT: no provenance speaks of it. UNSOURCED: a builder says of
            which commit it was made, and no provenance speaks of that. UNTRUSTED: signed by none of the
            policy's collectors. MISMATCHED: its certificate is about another repository
            or revision. OUT_OF_SCOPE: for another cluster or namespace. NOT_BUILT: no
            builder links the image to the commit. UNANCHORED: the range does not start
            at anything approved. UNNAMED: the sign-off does not name it among its
            inputs.
        seen: Signer, repository, clusters, commit …, short; ``""`` if nothing was.
    """

    gap: Gap
    seen: str = ""


class WordGap(StrEnum):
    """How far a declaration falls short, from nothing to nearly there."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    ROLE = "role"
    FOREIGN = "foreign"
    ELSEWHERE = "elsewhere"
    NO_PART = "noPart"
    ALONE = "alone"
    UNTOLD = "untold"
    OUTSIDE = "outside"
    PROVENANCE = "provenance"
    MARKED = "marked"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class DeclarationGap:
    """An author's word that makes nothing human.

    Attributes:
        gap: UNKNOWN: the signer is, or was then, nobody of the roster. ROLE: who signed
            may not declare here. FOREIGN: the robot signs for another repository than
            it speaks of. ELSEWHERE: no provenance speaks of its repository,
            range and tree. NO_PART: who signed had none in the range. ALONE: the robot
            is the collector, too. UNTOLD: nobody tells all that the robot touched.
            OUTSIDE: it touched what it may not. PROVENANCE: what
            a collector says of the range does not count. MARKED: assistance was seen in
            it. SILENT: others with a part in it did not declare.
        signer: Issuer and SAN, or trust root and key.
        person: Id of the roster person, or of the robot, or ``""``.
        seen: Roles that may, repository and commit, paths, tools, or who is silent.
        provenance: Why provenance does not count, with PROVENANCE.
    """

    gap: WordGap
    signer: str
    person: str = ""
    seen: str = ""
    provenance: ProvenanceGap | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Names that matter to the finding: unresolved authors, open questions, tools."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RestedOn:
    """What runs on the evidence of one BundleSet alone, which is to go; a name each."""

    names: tuple[str, ...]


Facts: TypeAlias = (
    DeclarationGap
    | Detail
    | Differences
    | Expected
    | Names
    | OpenSlots
    | ProvenanceGap
    | RestedOn
    | SignedBy
    | Window
    | None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One shortfall, of one policy, about one thing.

    Attributes:
        policy: Name; ``""`` where the gate itself fails.
        reason: Stable code.
        about: The object, or the artifact.
        facts: Typed; prose is made of them in `report`.
        enforcement: Only DENY denies.
    """

    policy: str
    reason: Reason
    about: ObjectRef | Subject
    facts: Facts = None
    enforcement: Enforcement = Enforcement.DENY

    @property
    def order(self) -> tuple[str, str, str, str]:
        """Sort key: policy, then what it is about, then reason and facts."""
        return (self.policy, str(self.about), self.reason, repr(self.facts))


class Door(StrEnum):
    """The ways to be admitted; nothing else admits."""

    UNCHANGED = "unchanged"
    DELTA = "delta"
    DERIVED = "derived"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, order=True)
class Filled:
    """A slot, the person who fills it, and the bundle that proves it."""

    role: str
    person: str
    bundle: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an admission rests on, for one policy.

    Attributes:
        policy: Name.
        door: Which door.
        rule: Row of the table that let it through, for delta and derived; else ``""``.
        filled: Slots and persons; empty for other doors and for proven-human changes.
        declared_by: Persons whose declarations made the change human; ``robot:NAME``
            for a robot.
        emergency: Incident of a break-glass admission, or ``""``.
        assistance: State of the change, or None where nobody asked.
        bundles: Every bundle relied upon, sorted; builds of its images among them.
    """

    policy: str
    door: Door
    rule: str = ""
    filled: tuple[Filled, ...] = ()
    declared_by: tuple[str, ...] = ()
    emergency: str = ""
    assistance: Assistance | None = None
    bundles: tuple[Digest, ...] = ()


FOUNDED, RECOVERED = "bootstrap", "recovery"
"""Rules of the door DELTA by which objects of ours are let in that nobody signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one request.

    Built by the named constructors only; there is no verdict that allows because
    nothing was found.

    Attributes:
        bases: One for each satisfied policy, sorted.
        findings: All shortfalls, sorted.
        outside: No policy applies to this request.
    """

    bases: tuple[Basis, ...]
    findings: tuple[Finding, ...]
    outside: bool = False

    def __post_init__(self) -> None:
        if self.outside and (self.bases or self.findings):
            raise Malformed("expected nothing in a verdict that no policy applies to")
        if not (self.outside or self.bases or self.findings):
            raise Malformed("expected a basis or a finding, saw neither")

    @classmethod
    def out_of_scope(cls) -> "Verdict":
        """No policy applies: the request is not ours to judge."""
        return cls(bases=(), findings=(), outside=True)

    @classmethod
    def of(cls, bases: Iterable[Basis], findings: Iterable[Finding]) -> "Verdict":
        """Order what was found.

        Raises:
            Malformed: neither a basis nor a finding.
        """
        return cls(
            bases=tuple(sorted(bases, key=lambda b: b.policy)),
            findings=tuple(sorted(findings, key=lambda f: f.order)),
        )

    @property
    def allowed(self) -> bool:
        """No denying finding, and a basis wherever no finding says otherwise."""
        return not any(f.enforcement is Enforcement.DENY for f in self.findings)

    @property
    def emergency(self) -> str:
        """The incident for which break-glass let it in, or ``""``."""
        return next((b.emergency for b in self.bases if b.emergency), "")

    @property
    def recovered(self) -> bool:
        """Admitted for those who may recover: to be announced."""
        return any(basis.rule == RECOVERED for basis in self.bases)
