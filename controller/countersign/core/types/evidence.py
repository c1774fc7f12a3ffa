"""What bundles prove: a claim, its signer, its time, and whether a person was there."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TypeAlias

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Subject
from countersign.core.types.change import Change
from countersign.core.types.people import CertIdentity, KeyIdentity
from countersign.core.types.time import ALWAYS, Interval, require_zone


class Assistance(IntEnum):
    """How a change was made; the higher, the more is asked. MIXED gates as AI does.

    Source: Agent Trace 0.1 ``contributor.type``; in words `label`.
    """

    HUMAN = 0
    UNKNOWN = 1
    MIXED = 2
    AI = 3

    @property
    def label(self) -> str:
        """The word of the predicate, lower case."""
        return self.name.lower()


class Presence(IntEnum):
    """Whether the proof itself says that a person was at the device."""

    NONE = 0
    TOUCH = 1
    VERIFIED = 2


class Part(StrEnum):
    """How somebody had a part in a change."""

    AUTHOR = "author"
    COMMITTER = "committer"
    PROMPTER = "prompter"
    PUSHER = "pusher"
    OPENER = "pullRequestOpener"
    REQUESTER = "agentRequester"


@dataclass(frozen=True, slots=True, order=True)
class Contributor:
    """Somebody who had a part in a change.

    Attributes:
        part: Which part.
        id: Lower-case e-mail or forge address, as git or the forge says.
        agent: An assistant's own identity, not a person's.
    """

    part: Part
    id: str
    agent: bool = False


@dataclass(frozen=True, slots=True)
class Touched:
    """All paths that the commits touch in which somebody had a part.

    Of a rename both names; of a merge all that any parent has otherwise.

    Attributes:
        id: Of the contributor.
        paths: As the repository writes them, from its root.
    """

    id: str
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class CommitRange:
    """Commits after `base` up to `target`; base None means from the root."""

    base: Digest | None
    target: Digest


@dataclass(frozen=True, slots=True)
class Lines:
    """Changed lines by who wrote them; all zero where nobody counted."""

    ai: int = 0
    human: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All counted lines."""
        return self.ai + self.human + self.unknown


NOT_COUNTED = Lines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """A collector's statement about how a range of commits was made.

    Attributes:
        repository: ``git+https`` or plain URI of the repository, as stated.
        range: The commits it speaks of; ``range.target`` is the built revision.
        assistance: As the law reads it, never HUMAN: that the law computes alone.
        complete: Every commit and note of the range was seen.
        marked: Some commit carries a mark of assistance.
        contributors: Everybody with a part in the range.
        touched: What contributors touched; of who is not in it, that was not told.
        tools: Names of the assistants seen, sorted, e.g. ``amazon-q 2026-03``.
        lines: Line counts for people to read.
        clusters: Where it may be used; never empty.
        namespaces: Where it may be used; empty means any namespace.
        validity: When it may be used.
        collected_on: When the collector looked (its own clock).
        collector: What it calls itself; display only.
    """

    repository: str
    range: CommitRange
    assistance: Assistance
    complete: bool
    marked: bool
    contributors: frozenset[Contributor]
    touched: frozenset[Touched] = frozenset()
    tools: tuple[str, ...] = ()
    lines: Lines = NOT_COUNTED
    clusters: frozenset[str]
    namespaces: frozenset[str] = frozenset()
    validity: Interval = ALWAYS
    collected_on: datetime | None = None
    collector: str = ""

    def __post_init__(self) -> None:
        if self.assistance is Assistance.HUMAN:
            raise Malformed(
                "expected unknown, mixed or ai: that a change is human is for "
                "the law to find"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """An author's own word that a range was made without AI."""

    repository: str
    range: CommitRange
    declared_on: datetime

    def __post_init__(self) -> None:
        require_zone(self.declared_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A builder's statement that its subjects were made of one commit.

    Attributes:
        repository: ``git+https`` or plain URI of the repository, as stated.
        commit: What was built.
        builder: What the builder calls itself; display only.
        type: URI of how it builds; display only.

    Source:
        SLSA provenance v1, ``buildDefinition`` and ``runDetails``.
    """

    repository: str
    commit: Digest
    builder: str = ""
    type: str = ""


class AnswerVerdict(StrEnum):
    """What a reviewer says to one question."""

    ADDRESSED = "addressed"
    NOT_APPLICABLE = "notApplicable"
    CONCERN = "concern"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reviewer's answer to the question `id`."""

    id: str
    verdict: AnswerVerdict
    text: str


REVIEW_OF = "DECISION"
"""Type of the link by which a review names the break-glass admission that it is of."""


@dataclass(frozen=True, slots=True, order=True)
class Trace:
    """A link to a requirement, a ticket, a test."""

    type: str
    id: str
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Emergency:
    """Why a break-glass sign-off was given."""

    incident: str
    justification: str
    retrospective_due: datetime | None = None

    def __post_init__(self) -> None:
        require_zone(self.retrospective_due)


class Carrier(StrEnum):
    """How evidence reaches the gate."""

    ANNOTATIONS = "annotations"
    BUNDLE_SET = "bundleset"
    OCI = "oci"  # beside the images that an object runs, in their registries


class Result(StrEnum):
    """Whether the reviewer approves."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """A person's statement about a change.

    Seniority, roles and independence are never in it: the law computes them.

    Attributes:
        result: Only APPROVED supports.
        meanings: Of the signature, e.g. ``review``, ``approval`` (21 CFR 11.50).
        reviewer: Display name; the person is who the signer's identity maps to.
        started_on: When the review began, the reviewer's clock.
        reviewed_on: When it was signed, the reviewer's clock.
        clusters: Where it holds; empty holds nowhere.
        changes: What it approves.
        inputs: Digests of the provenance statements the reviewer saw.
        question_set: URI and digest of the questions, or None if none were asked.
        answers: One for each question.
        traceability: Links given.
        validity: When it may admit.
        restore_until: Until when this state may return after newer ones.
        emergency: Set on break-glass only.
        link: Where the review can be read.
    """

    result: Result
    meanings: frozenset[str]
    reviewer: str
    started_on: datetime | None
    reviewed_on: datetime
    clusters: frozenset[str]
    changes: tuple[Change, ...]
    inputs: frozenset[Digest] = frozenset()
    question_set: tuple[str, Digest] | None = None
    answers: tuple[Answer, ...] = ()
    traceability: tuple[Trace, ...] = ()
    validity: Interval
    restore_until: datetime | None = None
    emergency: Emergency | None = None
    link: str = ""

    def __post_init__(self) -> None:
        require_zone(self.started_on, self.reviewed_on, self.restore_until)

    @property
    def looks_back(self) -> bool:
        """Whether it is the review of what was admitted already."""
        return any(trace.type == REVIEW_OF for trace in self.traceability)


Claim: TypeAlias = Provenance | Declaration | SignOff | Build


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateClaims:
    """What the certificate of a CI system says beyond issuer and SAN.

    Source: Fulcio's OID info, 1.3.6.1.4.1.57264.1.{11,12,13,14,20}.
    """

    runner_environment: str = ""
    source_repository: str = ""
    source_digest: str = ""
    source_ref: str = ""
    build_trigger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verified statement: made by a Prover and by nobody else.

    Attributes:
        bundle: Of the raw bundle bytes: revocation, audit.
        statement: Of the DSSE payload: what ``inputAttestations`` names.
        subjects: Never empty.
        claim: What it says.
        signer: Who signed, under which trust root.
        certificate: More that the certificate says; None for keys.
        signed_at: When, as a log or time-stamping authority says; None: nobody trusted
            says when.
        presence: Whether the proof says a person was there.

    Raises:
        Malformed: a statement without subjects speaks of nothing; or a time without
            zone.
    """

    bundle: Digest
    statement: Digest
    subjects: frozenset[Subject]
    claim: Claim
    signer: CertIdentity | KeyIdentity
    certificate: CertificateClaims | None = None
    signed_at: datetime | None = None
    presence: Presence = Presence.NONE
    digests: frozenset[Digest] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.subjects:
            raise Malformed("expected at least one subject, saw none")
        require_zone(self.signed_at)
        object.__setattr__(self, "digests", frozenset(s.digest for s in self.subjects))

    def __hash__(self) -> int:
        """Hash by the digests: they stand for all the rest, which is large."""
        return hash((self.bundle, self.statement))
