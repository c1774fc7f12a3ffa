"""Review debts are reminded of: at first, near the end, and each day after it."""

from datetime import timedelta

import pytest

from countersign.core.types.decision import Recorded
from countersign.report.owed import owed_text
from countersign.usecases.debts import Debts
from countersign.usecases.reminders import Stage, reminders
from tests.support.decisions import NOON
from tests.support.owed import broken_glass

HOURS = 72  # within which a review is due


def debt(hours: float = 0) -> Recorded:
    """Return what is owed since so many hours before noon."""
    decision = broken_glass(NOON - timedelta(hours=hours))
    return Recorded(
        decision=decision,
        first=decision.at,
        last=decision.at,
        count=1,
        requesters=(decision.requester.name,),
    )


@pytest.mark.parametrize(
    ("hours", "stage", "days"),
    [
        (0, Stage.OPEN, 0),
        (HOURS * 3 / 4 - 0.1, Stage.OPEN, 0),
        (HOURS * 3 / 4 + 0.1, Stage.SOON, 0),
        (HOURS - 0.1, Stage.SOON, 0),
        (HOURS + 0.1, Stage.LATE, 0),
        (HOURS + 49, Stage.LATE, 2),
    ],
)
def test_is_told_when_something_is_new(hours: float, stage: Stage, days: int) -> None:
    """And how late it is, since that makes it another reminder."""
    (one,) = reminders(Debts(open=(debt(hours),)), NOON)

    assert (one.stage, one.days) == (stage, days)


def test_what_is_due_first_is_told_first() -> None:
    """Of everything."""
    owed = [debt(hours) for hours in range(200)]
    told = reminders(Debts(open=tuple(owed)), NOON)

    assert [one.debt for one in told] == owed[::-1]


def test_says_who_what_and_how() -> None:
    """The last word is the command."""
    late = owed_text(debt(HOURS + 49), 2)

    assert "under break-glass INC-7 by omar" in late
    assert "2 days ago" in late
    assert late.endswith("countersign sign-off --decision 0123456789ABCDEFGHJKMNPQRS")
    assert "has to be reviewed by" in owed_text(debt(), None)
