"""Reminders: of what was admitted in an emergency, and is still to be reviewed.

When it begins, when there is little time left, and once a day when it is late: as often
as somebody can still be expected to read it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from countersign.core.types.decision import Recorded
from countersign.usecases.debts import Debts

_LAST_PART = 4  # of the time that there was: its last quarter is soon


class Stage(StrEnum):
    """How far it is with a debt."""

    OPEN = "ReviewOwed"
    SOON = "ReviewDueSoon"
    LATE = "ReviewOverdue"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Of one debt.

    Attributes:
        debt: Which.
        stage: How far it is.
        days: Whole days that it is late.
    """

    debt: Recorded
    stage: Stage
    days: int = 0


def reminders(owed: Debts, at: datetime) -> tuple[Reminder, ...]:
    """Return what people should be told of now, what is due first at the front."""
    debts = sorted((*owed.open, *owed.overdue), key=_due)
    return tuple(_remind(debts, at))


def _remind(debts: list[Recorded], at: datetime) -> Iterator[Reminder]:
    for debt in debts:
        due, made = debt.decision.review_due, debt.decision.at
        if due is not None and due < at:
            yield Reminder(debt, Stage.LATE, (at - due).days)
        elif due is not None and due - at < (due - made) / _LAST_PART:
            yield Reminder(debt, Stage.SOON)
        else:
            yield Reminder(debt, Stage.OPEN)


def _due(debt: Recorded) -> tuple[bool, datetime, str]:
    due = debt.decision.review_due
    return due is None, due or debt.decision.at, debt.decision.id
