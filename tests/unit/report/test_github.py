"""The gate for GitHub Actions."""

import re

from hypothesis import given

from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Reason
from countersign.report.gate import Gate, cases
from countersign.report.github import (
    MAX_SUMMARY,
    github_annotations,
    github_summary,
)
from tests.support import gated
from tests.support.gated import ADMITTED, DENIED, entry, having

# actions/runner, ActionCommand.TryParseV2: what is between :: and ::, then the rest
_COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def read(gate: Gate) -> list[tuple[str, dict[str, str], str]]:
    """Read the commands as the runner does."""
    found = []
    for line in github_annotations(gate).splitlines():
        parsed = _COMMAND.fullmatch(line)
        assert parsed, line
        pairs = (pair.split("=", 1) for pair in parsed[2].split(","))
        about = {key: _plain(value) for key, value in pairs}
        found.append((parsed[1], about, _plain(parsed[3])))
    return found


def _plain(text: str) -> str:
    for code, char in (("0D", "\r"), ("0A", "\n"), ("3A", ":"), ("2C", ",")):
        text = text.replace(f"%{code}", char)
    return text.replace("%25", "%")


def test_an_annotation_is_at_the_object() -> None:
    """With its reason, who could sign and the command."""
    ((kind, about, text),) = read(gated.gate(entry(DENIED, file="a,b:c.yaml")))

    assert kind == "error"
    assert about["file"] == "a,b:c.yaml"
    assert about["line"] == "8"
    assert about["title"] == "countersign: image_unpinned"
    assert text.startswith("payments/Deployment/ledger: ")
    assert "eligible now: dana, ravi" in text
    assert "countersign sign-off -f ATTESTED" in text


def test_what_denies_comes_before_what_warns() -> None:
    """GitHub shows ten of a kind, and these in their order."""
    warned = having(Reason.EXPIRED, Enforcement.WARN)
    noted = having(Reason.EXPIRED, Enforcement.AUDIT)

    assert [kind for kind, _, _ in read(gated.gate(noted, warned, DENIED))] == [
        "error",
        "warning",
        "notice",
    ]


def test_nothing_amiss_annotates_nothing() -> None:
    """Not even an empty line."""
    assert github_annotations(gated.gate(ADMITTED)) == ""


@given(gated.hostile())
def test_nobody_outside_commands_the_runner(gate: Gate) -> None:
    """Each line is one of ours; seen to fail with a line break left as it is."""
    found = read(gate)

    assert len(found) == len(cases(gate))
    for _, about, text in found:
        assert about.keys() == {"file", "line", "title"}
        assert "##[" not in text


def test_a_summary_fits_the_page() -> None:
    """However many objects there are."""
    many = gated.gate(*(entry(DENIED, f"n{i}") for i in range(3000)))
    text = github_summary(many)

    assert len(text.encode()) <= MAX_SUMMARY
    assert "3000 of 3000 objects would be denied" in text
