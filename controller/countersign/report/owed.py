"""A reminder of a review debt, in words."""

from countersign.core.types.decision import Recorded
from countersign.report.phrases import clean, listed, thing, when
from countersign.report.status import close_with


def owed_text(debt: Recorded, days_late: int | None) -> str:
    """Say what has to be reviewed, by when, and how.

    Args:
        debt: Which.
        days_late: Whole days since it was due; None: there is time.
    """
    decision = debt.decision
    what = (
        f"{thing(decision.object)} was admitted under break-glass "
        f"{clean(decision.emergency)} by {listed(decision.persons)}"
    )
    due = when(decision.review_due)
    by = f"has to be reviewed by {due}"
    if days_late is not None:
        late = f", {days_late} days ago" if days_late > 1 else ""
        by = f"should have been reviewed by {due}{late}"
    return f"{what} and {by}: {close_with(debt)}"
