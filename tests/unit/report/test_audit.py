"""A recorded decision in full: what is owed of it, and what not any more."""

from dataclasses import replace
from datetime import timedelta

from countersign.core.types.change import ObjectChange, Operation
from countersign.core.types.decision import Proposal, Recorded, Review, Told
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Reason
from countersign.report.audit import decision_text, grounds, next_of
from tests.support import a
from tests.support.decisions import NOON, denied
from tests.support.owed import broken_glass

OWED = Recorded(
    decision=broken_glass(NOON),
    first=NOON,
    last=NOON,
    count=1,
    requesters=("lee",),
)
DONE = replace(OWED, reviewed=Review(at=NOON + timedelta(hours=1), persons=("dana",)))


def text(kept: Recorded) -> str:
    """Return what a person reads."""
    return "\n".join(decision_text(kept))


def test_a_debt_says_until_when_and_how() -> None:
    """With the command that closes it."""
    said = text(OWED)

    assert "break-glass for INC-7: to be reviewed afterwards" in said
    assert "review due: until 2026-11-25T12:00Z" in said
    assert f"next: review what was done: {next_of(OWED).split(': ')[1]}" in said
    assert grounds(OWED.decision) == "break-glass INC-7: omar (on-call)"


def test_a_debt_that_is_reviewed_owes_nothing() -> None:
    """By whom and when stands there; no step does."""
    said = text(DONE)

    assert "reviewed: 2026-11-22T13:00Z by dana" in said
    assert "due" not in said
    assert "next" not in said
    assert next_of(DONE) == ""


def test_nobody_signs_what_could_not_be_looked_at() -> None:
    """Evidence may lie there that the signature would have to name."""
    change = ObjectChange(
        object=a.OBJECT, digest=a.MANIFEST, operation=Operation.CREATE_OR_UPDATE
    )
    unseen = Told(
        policy="payments",
        reason=Reason.UNAVAILABLE,
        enforcement=Enforcement.DENY,
        message="not everything could be looked up: no way to registry ghcr.io",
        facts=None,
    )
    decision = replace(
        denied(proposal=Proposal(change=change, version="v1")),
        message="denied\n  next: apply again",
    )
    seen, blind = (
        replace(OWED, decision=replace(decision, findings=found))
        for found in ((), (unseen,))
    )

    assert "countersign sign-off --decision" in next_of(seen)
    assert next_of(blind) == "apply again"
