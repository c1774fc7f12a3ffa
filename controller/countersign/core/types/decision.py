"""What is kept of a judgement: who asked, what was answered and why, and on whose word.

Nothing here holds a value of a Secret: intents are masked before they get here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Intent, Json, ObjectRef
from countersign.core.types.change import Change
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import Requester, Resource, Verb
from countersign.core.types.time import require_zone
from countersign.core.types.verdict import Basis, Reason


class Outcome(StrEnum):
    """How a request ended; the words of the audit log's ``verdict``."""

    ALLOWED = "allowed"
    WARNED = "warned"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding, in the words that it was told with.

    Attributes:
        policy: Name; ``""`` where the gate itself failed.
        reason: Stable code.
        enforcement: Only DENY denied.
        message: One sentence.
        facts: The finding's facts as JSON, as ``-o json`` shows them.
    """

    policy: str
    reason: Reason
    enforcement: Enforcement
    message: str
    facts: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody would have to sign so that the very same request is admitted.

    Attributes:
        change: The entry of a sign-off; its base is the live state at the time.
        intent: Whose digest `change` names; None for a deletion or an access.
        version: API version of the object without its group.
    """

    change: Change
    intent: Intent | None = None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One judgement that is kept.

    Attributes:
        id: 26 characters of Crockford's base32. Made of what is judged and how, so that
            the same denial has the same id at every replica and after every restart; of
            an admission, made of the request.
        at: When.
        cluster: Our name.
        verb, resource, object: What was asked.
        uid: Of the live object; ``""`` on CREATE.
        requester: Who asked.
        outcome: How it ended.
        message: What the person was told: the denial as printed; ``""`` if allowed.
        bases: One for each policy that let it in.
        findings: Everything that was missing.
        proposal: Of a denial, or where a policy only warns, what could be signed; of an
            admission that somebody signed for, what was. None: nothing that a signature
            would help.
        bundles: Raw, proven ones that travelled with the object or beside it.
        review_due: Of a break-glass admission, until when it has to be reviewed.
    """

    id: str
    at: datetime
    cluster: str
    verb: Verb
    resource: Resource
    object: ObjectRef
    uid: str = ""
    requester: Requester
    outcome: Outcome
    message: str = ""
    bases: tuple[Basis, ...] = ()
    findings: tuple[Told, ...] = ()
    proposal: Proposal | None = None
    bundles: tuple[bytes, ...] = ()
    review_due: datetime | None = None

    def __post_init__(self) -> None:
        require_zone(self.at, self.review_due)

    @property
    def persons(self) -> tuple[str, ...]:
        """Everybody whose word it rests on, sorted."""
        said = {f.person for basis in self.bases for f in basis.filled}
        return tuple(sorted(said.union(*(b.declared_by for b in self.bases))))

    @property
    def emergency(self) -> str:
        """The incident of a break-glass admission, or ``""``."""
        return next((b.emergency for b in self.bases if b.emergency), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A decision that a spool holds already, made once more.

    Attributes:
        id: Of the decision.
        at: When.
        requester: Name of whoever asked this time.
    """

    id: str
    at: datetime
    requester: str

    def __post_init__(self) -> None:
        require_zone(self.at)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a spool; sequences grow by one from 1."""

    sequence: int
    kept: Decision | Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a spool holds after some sequence.

    Attributes:
        spool: Id of the spool: made with its folder, and never again.
        entries: In order, without gaps unless something was lost.
        lost: How many decisions this spool could not keep, ever.
        more: There is more to read at once.
    """

    spool: str
    entries: tuple[Entry, ...]
    lost: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The retrospective review of a break-glass admission.

    Attributes:
        at: When it was seen to be reviewed.
        persons: Who signed, sorted.
    """

    at: datetime
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A decision as the recorder keeps it.

    Attributes:
        decision: As it was made first.
        first, last: When it was made first, and last.
        count: How often; at least 1.
        requesters: Who asked, the first ones, sorted.
        reviewed: Of a break-glass admission; None: still to be done.

    Raises:
        Malformed: a count below 1.
    """

    decision: Decision
    first: datetime
    last: datetime
    count: int
    requesters: tuple[str, ...]
    reviewed: Review | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise Malformed(f"expected a count of at least 1, saw {self.count}")
