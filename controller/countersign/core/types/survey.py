"""What there is to say of a whole installation, at one moment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from countersign.core.types.decision import Recorded
from countersign.core.types.policy import Enforcement


class SideDoor(StrEnum):
    """Ways around a policy's signatures that it leaves open, by choice or by default."""

    NOT_ENFORCED = "notEnforced"
    CLUSTER_SCOPED = "clusterScopedNone"
    EXCLUDED = "excludedKinds"
    IMAGES_UNATTESTED = "imageAttestationsOff"
    IMAGES_UNPINNED = "imagePinningOff"
    HELM = "helm"
    SCALE = "scaleGroups"
    RESTART = "restartGroups"
    OPERATORS = "operators"
    TRUSTED_OPERATORS = "trustedOperators"
    INJECTION = "injection"
    CONVERSION = "trustedConversion"
    ANY_BASE = "anyBase"


@dataclass(frozen=True, slots=True)
class Open:
    """A side door, and for whom or what it is open; the detail may be empty."""

    door: SideDoor
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object of ours.

    Attributes:
        kind, name: Which.
        ready: Whether it can be honoured; None: nobody can tell.
        said: Why, or what holds.
        covered: Of a policy: whether the API server asks about all of it; None: of
            another kind, or nobody can tell.
        coverage: Why, or what to do.
        enforcement: Of a policy that could be read.
        namespaces: That it protects.
        doors: That it leaves open.
        expires: Of a trust root; None: never, or not known.
    """

    kind: str
    name: str
    ready: bool | None
    said: str
    covered: bool | None = None
    coverage: str = ""
    enforcement: Enforcement | None = None
    namespaces: tuple[str, ...] = ()
    doors: tuple[Open, ...] = ()
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolState:
    """A replica of the webhook, as the recorder sees its spool.

    Attributes:
        address: Of the replica.
        pulled_at: When it last answered; None: not yet.
        position: Last sequence that is recorded; None: none is.
        lost: Decisions that it could not keep.
        trouble: Why it does not answer, or ``""``.
    """

    address: str
    pulled_at: datetime | None
    position: int | None
    lost: int
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How recording goes.

    Attributes:
        spools: One for each replica.
        lost: Decisions that no spool kept, of all that ever were.
        trouble: What is wrong, a line each.
    """

    spools: tuple[SpoolState, ...]
    lost: int
    trouble: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """An installation.

    Attributes:
        at: When.
        items: Policies, rosters, trust roots, revocations.
        recording: None: the recorder was not asked, or did not say.
        debts: Break-glass that nobody has reviewed; None: not known.
        unseen: What could not be looked at, and why.
    """

    at: datetime
    items: tuple[Item, ...]
    recording: Recording | None = None
    debts: tuple[Recorded, ...] | None = None
    unseen: tuple[str, ...] = ()
