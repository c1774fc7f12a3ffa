"""The gate as JUnit XML."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Reason
from countersign.report.gate import Gate
from countersign.report.junit import junit
from tests.support import gated
from tests.support.gated import ADMITTED, DENIED, EVERY, OUTSIDE, having

SCHEMA = Path(__file__).parent / "schemas" / "junit-10.xsd"


@pytest.fixture(name="schema", scope="module")
def _schema() -> Any:
    return pytest.importorskip("xmlschema").XMLSchema(str(SCHEMA))


def only(gate: Gate) -> ET.Element:
    """Return the one case."""
    (case,) = ET.fromstring(junit(gate)).iter("testcase")  # noqa: S314 - our own
    return case


@pytest.mark.parametrize(
    "gate", [EVERY, gated.gate(ADMITTED)], ids=["every reason", "nothing amiss"]
)
def test_is_valid(gate: Gate, schema: Any) -> None:
    """By the schema of Jenkins."""
    schema.validate(junit(gate))


@given(gate=gated.hostile())
def test_is_valid_whatever_it_is_told(gate: Gate, schema: Any) -> None:
    """Seen to fail with a control character in a message."""
    schema.validate(junit(gate))


def test_counts_what_is_there() -> None:
    """Failures, errors and skipped, as the cases say."""
    root = ET.fromstring(junit(EVERY))  # noqa: S314 - our own
    (suite,) = root

    for kind, name in (("failure", "failures"), ("error", "errors")):
        count = len(list(root.iter(kind)))
        assert suite.get(name) == root.get(name) == str(count)
        assert count
    assert suite.get("skipped") == "1"
    assert suite.get("tests") == str(len(list(root.iter("testcase"))))


@pytest.mark.parametrize(
    ("gate", "inside"),
    [
        pytest.param(gated.gate(ADMITTED), ["system-out"], id="admitted"),
        pytest.param(gated.gate(DENIED), ["failure"], id="denied"),
        pytest.param(gated.gate(OUTSIDE), ["skipped"], id="no policy"),
        pytest.param(
            gated.gate(having(Reason.UNAVAILABLE, Enforcement.DENY)),
            ["error"],
            id="nobody could look",
        ),
        pytest.param(
            gated.gate(having(Reason.EXPIRED, Enforcement.WARN)),
            ["system-out"],
            id="a warning",
        ),
    ],
)
def test_a_case_is_what_became_of_it(gate: Gate, inside: list[str]) -> None:
    """A warning passes, and says so."""
    assert [one.tag for one in only(gate)] == inside


def test_a_failure_says_who_how_and_where() -> None:
    """Its type is the reason."""
    (failure,) = only(gated.gate(DENIED))

    assert failure.get("type") == Reason.IMAGE_UNPINNED
    assert "eligible now: dana, ravi" in str(failure.text)
    assert "next: " in str(failure.text)
    assert "deploy/ledger.yaml:8" in str(failure.text)


def test_an_admission_says_on_whose_word() -> None:
    """So that the report of a passed run is worth keeping."""
    (out,) = only(gated.gate(ADMITTED))

    assert "senior: dana" in str(out.text)
