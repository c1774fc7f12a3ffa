"""Who stands for what runs now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from countersign.core.types.artifacts import Digest, ObjectRef
from countersign.core.types.evidence import Provenance


class Word(StrEnum):
    """How somebody spoke for an object."""

    SIGN_OFF = "signOff"
    DECLARATION = "declaration"
    BREAK_GLASS = "breakGlass"


class Bar(StrEnum):
    """Why a signature fills no slot of a policy."""

    MAKER = "maker"
    NO_ROLE = "noRole"
    OTHER_MEANING = "otherMeaning"
    AUTHORS_UNKNOWN = "authorsUnknown"


@dataclass(frozen=True, slots=True)
class Voice:
    """A person's word, proven, about the present state of an object.

    Attributes:
        person: Id in the roster, or of a robot.
        word: What kind.
        roles: Of the slots that it fills, or could, sorted.
        bundle: The proof.
        signed_at: By a trusted clock; None: none says.
        bar: Why a sign-off fills no slot; None: it does, or it is no sign-off.
    """

    person: str
    word: Word
    roles: tuple[str, ...]
    bundle: Digest
    signed_at: datetime | None
    bar: Bar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The recorded admission of what runs.

    Attributes:
        decision: Its id.
        at: When it was made first.
        emergency: Incident of a break-glass admission, or ``""``.
    """

    decision: str
    at: datetime
    emergency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A live object that a policy protects, its descendants with it.

    Attributes:
        object: Which.
        policies: That protect it, sorted.
        doubting: Those of them for which nothing speaks for its present state.
        voices: Who spoke for it, sorted.
        provenance: What is attested of how it was made.
        machinery: The rule by which it is the cluster's own, or ``""``.
        since: As recorded; None: not recorded, or no recorder was asked.
        children: What was made of it and equals that, sorted.
        withdrawn: Policies for which only withdrawn evidence speaks for it.
        lapsed: Policies for which all that speaks for it could admit nothing new: its
            time has passed. What runs may go on.
        known: Something speaks of it, in whatever state.
        owner: The first of its owners that is seen; None: it has none.
        version: Of its kind, as it was read.
        uid: Its.
        problem: Why it could not be judged, or ``""``.
    """

    object: ObjectRef
    policies: tuple[str, ...]
    doubting: tuple[str, ...] = ()
    voices: tuple[Voice, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    machinery: str = ""
    since: Since | None = None
    children: tuple[ObjectRef, ...] = ()
    withdrawn: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()
    known: bool = False
    owner: ObjectRef | None = None
    version: str = ""
    uid: str = ""
    problem: str = ""

    @property
    def nobody(self) -> bool:
        """Whether some policy would find nobody who stands for it."""
        return bool(self.doubting) and not self.machinery
