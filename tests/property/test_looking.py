"""What is printed of a decision, whoever wrote into it: lines, and nothing that hides."""

from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.decision import Recorded
from countersign.core.types.survey import Survey
from countersign.report.audit import decision_text, log_text
from countersign.report.status import attention, status_json, status_text
from tests.support.decisions import NOON, recorded


@given(recorded)
def test_a_decision_is_printed_in_whole_printable_lines(one: Recorded) -> None:
    """Caught: `str(resource)` printed as it came."""
    lines = [*decision_text(one), *log_text([one])]

    assert lines
    assert all(line.isprintable() for line in lines)


@given(st.lists(recorded, max_size=3))
def test_each_debt_needs_attention_until_it_is_closed(debts: list[Recorded]) -> None:
    """One line each, with the command that closes it; caught: only those overdue."""
    survey = Survey(at=NOON, items=(), debts=tuple(debts))
    lines = attention(survey)

    assert len(lines) == len(debts)
    for debt, line in zip(debts, lines, strict=True):
        assert line.endswith(f"countersign sign-off --decision {debt.decision.id}")
    assert all(line.isprintable() for line in status_text(survey))
    assert status_json(survey)["attention"] == lines
