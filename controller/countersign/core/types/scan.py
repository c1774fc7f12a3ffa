"""What verifying again found out about what runs."""

from dataclasses import dataclass
from enum import StrEnum

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Recorded


class Fault(StrEnum):
    """What is wrong with a live object. The values are public: reports name them."""

    NEVER_SEEN = "neverSeen"  # nothing ever spoke for it
    DRIFT = "drift"  # something does, and not for its present state
    REVOKED = "revoked"  # what speaks for its present state was withdrawn
    OVERDUE = "reviewOverdue"  # break-glass let it in, and nobody reviewed it in time
    OWED = "reviewOwed"  # the same, and there is time
    EXPIRED = "expired"  # it would not be admitted today; it may run on
    UNKNOWN = "unknown"  # nobody can tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One fault of one object.

    Attributes:
        object: Which, with what was made of it.
        version: Of its kind.
        uid: Its.
        fault: What is wrong.
        policies: That find so, sorted; never empty.
        decision: By which it was admitted, or ``""``.
        children: How much was made of it.
        detail: Why nobody can tell, or ``""``.
        debt: The break-glass admission that nobody has reviewed; the object may be gone.
    """

    object: ObjectRef
    version: str
    uid: str
    fault: Fault
    policies: tuple[str, ...]
    decision: str = ""
    children: int = 0
    detail: str = ""
    debt: Recorded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """One namespace, verified again.

    Attributes:
        namespace: Which.
        found: What is wrong, the worst first, then by object.
        passed: Objects that somebody stands for.
        unseen: Kinds that could not be looked at, and why.
    """

    namespace: str
    found: tuple[Found, ...] = ()
    passed: int = 0
    unseen: tuple[str, ...] = ()
