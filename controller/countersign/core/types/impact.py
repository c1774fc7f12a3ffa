"""What a policy would change for people, if it denied from now on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Outcome
from countersign.core.types.request import Verb
from countersign.core.types.verdict import Reason


class State(StrEnum):
    """How a live object stands that nobody stands for, or not any more."""

    NOBODY = "nobody"  # nothing ever spoke for it
    DRIFT = "drift"  # something does, and not for its present state
    WITHDRAWN = "withdrawn"  # what speaks for it was revoked; it runs on
    UNFIT = "unfit"  # only persons stand for it whom no policy asks for; it runs on
    LAPSED = "lapsed"  # what speaks for it is out of time; it runs on
    UNKNOWN = "unknown"  # nobody could look


@dataclass(frozen=True, slots=True, order=True)
class Shortfall:
    """One thing that one policy misses.

    Attributes:
        policy: Its name; ``""`` where the gate itself failed.
        reason: Stable code.
        message: One sentence, in which nothing is quoted that could mislead a terminal.
    """

    policy: str
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A live object.

    Attributes:
        object: Which.
        state: How it stands.
        policies: That find so, sorted.
        makes: Controllers make more of it: their next writes are denied, too. Of an
            object that only lapsed, or whose evidence was withdrawn, they are not.
        children: How many there are of those now.
        shortfalls: What its next change will be asked for.
        detail: Why nobody could look, or ``""``.
    """

    object: ObjectRef
    state: State
    policies: tuple[str, ...]
    makes: bool = False
    children: int = 0
    shortfalls: tuple[Shortfall, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A recorded request that the policies find fault with.

    Attributes:
        decision: By which it can be looked at, and signed where `signable`.
        object, verb: What was asked.
        requesters: Who asked, the first ones, sorted.
        count: How often.
        last: When last.
        outcome: What became of it.
        shortfalls: What is missing; never empty.
        signable: It says what would have to be signed.
    """

    decision: str
    object: ObjectRef
    verb: Verb
    requesters: tuple[str, ...]
    count: int
    last: datetime
    outcome: Outcome
    shortfalls: tuple[Shortfall, ...]
    signable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is recorded.

    Attributes:
        found: Requests with faults, the most frequent first.
        decisions: How many were read, and judged.
        requests: How often these were made.
        anew: They were judged again; else they are told as they were judged then.
        unjudged: Decisions of which too little is kept to judge them again.
        since: When the oldest that was read was made last; None: there is none.
        cut: There were more than are read.
    """

    found: tuple[Request, ...]
    decisions: int
    requests: int
    anew: bool
    unjudged: int = 0
    since: datetime | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What would be denied.

    Attributes:
        cluster: Name, for commands.
        policies: That were asked about, sorted.
        namespaces: That were looked at, sorted; None: nothing live was.
        running: Live objects that are affected, the worst first.
        standing: How many live objects somebody stands for.
        traffic: None: nothing recorded was looked at.
        unseen: What could not be looked at, and why.
    """

    cluster: str
    policies: tuple[str, ...]
    namespaces: tuple[str, ...] | None = None
    running: tuple[Affected, ...] = ()
    standing: int = 0
    traffic: Traffic | None = None
    unseen: tuple[str, ...] = ()

    @property
    def denies(self) -> bool:
        """Whether anything would be denied, or could not be looked at."""
        return bool(
            self.unseen
            or self.running
            or (self.traffic and (self.traffic.found or self.traffic.cut))
        )
