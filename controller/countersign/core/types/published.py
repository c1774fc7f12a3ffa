"""Trust as somebody publishes it: looked at, proposed, and never put into force by us."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from countersign.core.types.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Where a trusted root is published, and whom to believe about it.

    Attributes:
        url: ``https://``; metadata is there, targets are in ``targets/`` below.
        root: The ``root.json`` to begin with: what its keys did not sign is refused.
        target: Name of the ``trusted_root.json``.
        versions: Of other metadata, by role, as they were at the last takeover: what is
            older is refused. Those that are not known are absent.
    """

    url: str
    root: bytes
    target: str
    versions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a mirror publishes, verified.

    Attributes:
        trusted_root: The target, as it was published.
        root: The newest ``root.json``, to begin with the next time.
        root_version: Its version.
        versions: As in `Mirror`, of all roles.
        ends: When the first of the metadata expires.
    """

    trusted_root: bytes
    root: bytes
    root_version: int
    versions: Mapping[str, int]
    ends: datetime


class Sort(StrEnum):
    """What an entry of a trusted root is for."""

    ISSUER = "certificateAuthority"
    CT_LOG = "ctLog"
    LOG = "log"
    STAMPER = "timestampAuthority"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One whom a trusted root believes.

    Attributes:
        sort: What for.
        id: SHA-256 of its certificates or key, in hex: two of one id are the same.
        name: For people.
        window: When it is believed.
    """

    sort: Sort
    id: str
    name: str
    window: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What another trusted root would change.

    Attributes:
        added, removed: Entries, in the order of their roots.
        moved: Entries whose time changes: as it is, and as it would be.
    """

    added: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()
    moved: tuple[tuple[Entry, Entry], ...] = ()


class Outcome(StrEnum):
    """What came of a look at a mirror."""

    SAME = "same"
    DIFFERS = "differs"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A look at the mirror of a trust root.

    Attributes:
        outcome: What came of it.
        url: Of the mirror.
        detail: Why it could not be had, or is not believed; ``""`` otherwise.
        changes: What differs.
        ends: When the first of the metadata expires, where they were believed.
    """

    outcome: Outcome
    url: str
    detail: str = ""
    changes: Changes = Changes()
    ends: datetime | None = None
