"""What docs/provenance.md says is so."""

from pathlib import Path

import pytest

from countersign.faces.cli.attested import REMEDIES
from countersign.provenance.commits import Gap
from countersign.provenance.marks import MarkKind
from countersign.provenance.registry import Agent, known_agents

TEXT = (Path(__file__).parents[3] / "docs" / "provenance.md").read_text("utf-8")
ROWS = {
    cells[1].strip(" `"): line
    for line in TEXT.splitlines()
    if len(cells := line.split("|")) > 3
}


@pytest.mark.parametrize("agent", known_agents().agents, ids=lambda a: a.name)
def test_every_assistant_is_told_by_its_marks(agent: Agent) -> None:
    """By all kinds of them."""
    row = ROWS[agent.title]

    assert ("account" in row) is bool(agent.ids)
    assert ("address" in row) is bool(agent.emails)
    assert ("text" in row) is bool(agent.texts)
    assert row.count(":`") == len(agent.trailers) + len(agent.trailer_prefixes)
    for prefix in (*agent.branches, *agent.suffixes):
        assert f"`{prefix}`" in row


def test_no_other_assistant_is_told() -> None:
    """What is not in the data is not known."""
    section = TEXT.partition("## Which assistants")[2].partition("## Whose")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]

    assert len(rows) == len(known_agents().agents)


@pytest.mark.parametrize("kind", MarkKind)
def test_every_kind_of_mark_is_told(kind: MarkKind) -> None:
    """With its confidence."""
    row = next(
        line for first, line in ROWS.items() if kind.value in first.split("`, `")
    )

    assert str(kind.confidence) in row


@pytest.mark.parametrize("gap", Gap)
def test_every_gap_has_a_remedy(gap: Gap) -> None:
    """In the docs, and where it is told."""
    assert ROWS[gap.value]
    assert REMEDIES[gap]
