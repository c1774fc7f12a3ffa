"""The gate as GitLab's code quality report."""

import json
from typing import Any

import pytest
from hypothesis import given

from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Reason
from countersign.report.gate import Gate
from countersign.report.gitlab import code_quality
from tests.support import gated
from tests.support.gated import ADMITTED, DENIED, EVERY, having

FIELDS = {"description", "check_name", "fingerprint", "severity", "location"}


def read(gate: Gate) -> Any:
    """Return its issues."""
    return json.loads(code_quality(gate))


def test_an_issue_has_what_gitlab_reads() -> None:
    """Each of the fields that it requires, and a fingerprint of its own."""
    found = read(EVERY)

    assert len({one["fingerprint"] for one in found}) == len(found) == len(Reason)
    for one in found:
        assert one.keys() == FIELDS
        assert one["location"] == {"path": "deploy/ledger.yaml", "lines": {"begin": 8}}
        assert one["check_name"] in set(Reason)


@pytest.mark.parametrize(
    ("enforcement", "severity"),
    [
        (Enforcement.DENY, "blocker"),
        (Enforcement.WARN, "minor"),
        (Enforcement.AUDIT, "info"),
    ],
)
def test_a_severity_is_what_the_policy_does(
    enforcement: Enforcement, severity: str
) -> None:
    """Only what denies blocks."""
    (one,) = read(gated.gate(having(Reason.EXPIRED, enforcement)))

    assert one["severity"] == severity


def test_nothing_amiss_is_an_empty_list() -> None:
    """GitLab compares with the report of the target branch."""
    assert read(gated.gate(ADMITTED)) == []


def test_names_the_command_once() -> None:
    """With the finding that matters most."""
    steps = ["; next: " in one["description"] for one in read(gated.gate(DENIED))]

    assert steps == [True, False]


@given(gated.hostile())
def test_an_issue_is_one_line(gate: Gate) -> None:
    """Whatever it is told."""
    assert all("\n" not in one["description"] for one in read(gate))


def test_a_path_may_be_any_bytes() -> None:
    """Those that are no UTF-8 are spelt out: a report is."""
    (one,) = json.loads(
        code_quality(gated.gate(gated.entry(DENIED, file="d\udcff.yaml"))).encode()
    )[:1]

    assert one["location"]["path"] == "d\\xff.yaml"
