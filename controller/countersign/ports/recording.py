"""Where decisions are left, recorded and read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from countersign.core.types.decision import (
    Batch,
    Decision,
    Outcome,
    Recorded,
    Review,
)
from countersign.core.types.survey import Recording


class Journal(Protocol):
    """Where the webhook leaves its decisions. A side channel: it never changes one."""

    async def keep(self, decision: Decision) -> bool:
        """Write `decision` down; tell whether that was done.

        Returns within a bounded time, and raises nothing: what could not be written is
        counted.
        """
        ...


class Spool(Protocol):
    """The spool of one replica, from the recorder's side."""

    async def read(self, positions: Mapping[str, int]) -> Batch:
        """Return the first entries that are not recorded yet.

        Args:
            positions: By the id of each spool, the last sequence recorded of it; a
                spool that is not there starts at 0.

        Raises:
            Unavailable: the replica did not answer.
            Malformed: it answered something else.
        """
        ...

    async def acknowledge(self, spool: str, sequence: int) -> None:
        """Say that everything of `spool` up to `sequence` is recorded.

        Raises:
            Unavailable: the replica did not answer.
        """
        ...


MAX_FOUND = 1000
"""Decisions of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which decisions; an empty field asks nothing.

    Attributes:
        namespace: None: of the whole cluster; ``""``: cluster-scoped objects.
        kind, name: Of the object.
        outcome: How it ended.
        person: Whose word it rests on.
        since: Made last at or after.
        until: Made last at or before; so more than one answer holds can be read.
        debts: Only break-glass admissions that nobody has reviewed yet.
        limit: At most so many, the newest first; at most `MAX_FOUND`.
    """

    namespace: str | None = None
    kind: str = ""
    name: str = ""
    outcome: Outcome | None = None
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None
    debts: bool = False
    limit: int = 100


class Records(Protocol):
    """Recorded decisions, to be read: the recorder's own store, or the service of one."""

    async def get(self, decision: str) -> Recorded | None:
        """Return one decision whole, or None if there is none.

        Raises:
            Rejected: the caller may not; the message names the missing right.
            Unavailable: no answer.
        """
        ...

    async def find(self, query: Query) -> tuple[Recorded, ...]:
        """Return decisions, the newest first, without their intents and bundles.

        Raises:
            Rejected: the caller may not; the message names the missing right.
            Unavailable: no answer.
        """
        ...


class Recorder(Records, Protocol):
    """The service that shows recorded decisions."""

    async def status(self) -> Recording:
        """Return how recording goes.

        Raises:
            Rejected: the caller may not; the message names the missing right.
            Unavailable: no answer.
        """
        ...


class Intake(Protocol):
    """The side of the audit store that records."""

    async def positions(self) -> Mapping[str, int]:
        """Return the last sequence recorded of each spool.

        Raises:
            Unavailable: the store did not answer.
        """
        ...

    async def add(self, batch: Batch) -> None:
        """Record a batch and how far it reaches, both or neither.

        Entries at or before the recorded position are there already, and left out.

        Raises:
            Unavailable: the store did not take it; nothing of it is recorded.
        """
        ...


class DebtBook(Records, Protocol):
    """The side of the audit store in which reviews of emergencies are noted."""

    async def review(self, decision: str, done: Review) -> None:
        """Note that a break-glass admission was reviewed.

        Raises:
            Unavailable: the store did not take it.
        """
        ...


class Archive(Intake, DebtBook, Protocol):
    """The audit store."""
