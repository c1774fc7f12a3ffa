"""Recorded decisions, read by commands."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from countersign.core.types.decision import Recorded
from countersign.faces.cli.cluster import Where
from countersign.faces.cli.recorder import open_records
from countersign.faces.cli.session import NoInput, Session
from countersign.ports import Records

T = TypeVar("T")

_TRIES, _PAUSE_S = 6, 1.0  # a denial takes a moment until it is recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How the recorder is reached: by a URL, or in the cluster that is meant."""

    url: str | None
    ca: Path | None
    where: Where | None


def ask(
    session: Session, reach: Reach, question: Callable[[Records], Awaitable[T]]
) -> T:
    """Ask the recorder one thing.

    Raises:
        Rejected: the user may not; the message names the missing right.
        Unavailable: no answer.
        Misconfigured: there is no way to it.
    """

    async def asked() -> T:
        async with open_records(session, reach.url, reach.ca, reach.where) as records:
            return await question(records)

    return asyncio.run(asked())


def fetch(session: Session, decision: str, reach: Reach) -> Recorded:
    """Return one decision whole.

    Raises:
        NoInput: there is none of this id.
        Rejected, Unavailable, Misconfigured: as `ask`.
    """
    found = ask(session, reach, lambda records: _arrived(records, decision))
    if found is None:
        raise NoInput(
            f"expected a decision that is recorded, saw none called {decision}: a "
            "dry-run has none, and a new one takes a few seconds to arrive"
        )
    return found


async def _arrived(records: Records, decision: str) -> Recorded | None:
    """Return a decision, waiting a moment for one that was only just made."""
    for again in range(_TRIES):
        if again:
            await asyncio.sleep(_PAUSE_S)
        if found := await records.get(decision):
            return found
    return None
