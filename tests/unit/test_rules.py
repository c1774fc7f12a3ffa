"""Rules that code and tests cite by number can be looked up."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CITED = re.compile(r"\b[Rr]ules?((?:,? (?:and )?\d+\b)+)")
_LISTED = re.compile(r"^(\d+)\. \*\*", re.MULTILINE)


def cited(folder: str) -> set[str]:
    """Return the numbers that Python files under `folder` cite."""
    texts = (file.read_text() for file in (ROOT / folder).rglob("*.py"))
    return {
        number
        for text in texts
        for run in _CITED.findall(text)
        for number in re.findall(r"\d+", run)
    }


def test_every_rule_that_is_cited_is_in_the_list() -> None:
    """Seen to fail with one cited beyond the list, and with the twelfth taken out."""
    listed = _LISTED.findall((ROOT / "docs" / "rules.md").read_text())

    assert listed == [str(number) for number in range(1, len(listed) + 1)]
    assert {"3", "12"} <= cited("controller")
    assert cited("controller") | cited("tests") <= set(listed)
