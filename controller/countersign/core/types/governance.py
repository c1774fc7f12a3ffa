"""What the gate is told at its start of who governs it."""

from dataclasses import dataclass

from countersign.core.types.artifacts import Digest
from countersign.core.types.people import Roster
from countersign.core.types.policy import Revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What an installation begins with.

    Attributes:
        root: Name of the root roster, whose admins change everything else.
        digests: Of the objects that may be created while there is no root roster; its
            own among them. See :func:`countersign.wire.resources.founding.digest`.
        recovery: Groups that may write the root roster and trust roots without a
            signature, for when no admin is left. Empty: nobody may.
    """

    root: str
    digests: frozenset[Digest]
    recovery: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """Who governs at this moment.

    Attributes:
        roster: The root roster; None: there is none, or it cannot be read.
        problems: Why it cannot be read; empty: it can, or there is none.
        revocations: All entries of all Revocations.
        unread: Names of Revocations that cannot be read.
    """

    roster: Roster | None
    problems: tuple[str, ...]
    revocations: tuple[Revoked, ...]
    unread: frozenset[str]
