"""The gate as SARIF."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Reason
from countersign.report.gate import Gate
from countersign.report.sarif import sarif
from tests.support import gated
from tests.support.gated import ADMITTED, DENIED, EVERY, entry, having

SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json"
DOCS = Path(__file__).parents[3] / "docs"


def read(gate: Gate) -> Any:
    """Return the one run of the log."""
    (run,) = json.loads(sarif(gate))["runs"]
    return run


@pytest.fixture(name="validator", scope="module")
def _validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    return jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize(
    "gate", [EVERY, gated.gate(ADMITTED)], ids=["every reason", "nothing amiss"]
)
def test_is_valid(gate: Gate, validator: Any) -> None:
    """By the official schema."""
    validator.validate(json.loads(sarif(gate)))


@given(gate=gated.hostile())
def test_is_valid_whatever_it_is_told(gate: Gate, validator: Any) -> None:
    """Its lines and addresses, too."""
    validator.validate(json.loads(sarif(gate)))


def test_rules_are_reasons_with_a_page_of_the_runbook() -> None:
    """All of them, and each anchor is there."""
    rules = read(EVERY)["tool"]["driver"]["rules"]
    headings = (DOCS / "runbook.md").read_text().splitlines()

    assert {rule["id"] for rule in rules} == set(Reason)
    for rule in rules:
        address, _, anchor = rule["helpUri"].partition("#")
        assert address == "https://countersign.dev/docs/runbook"
        assert f"### {anchor}" in headings
        assert anchor == rule["id"]


def test_results_point_at_their_rules() -> None:
    """By number and by name."""
    run = read(EVERY)

    for result in run["results"]:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]


@pytest.mark.parametrize(
    ("enforcement", "level"),
    [
        (Enforcement.DENY, "error"),
        (Enforcement.WARN, "warning"),
        (Enforcement.AUDIT, "note"),
    ],
)
def test_a_level_is_what_the_policy_does(enforcement: Enforcement, level: str) -> None:
    """What only warns is no error."""
    (result,) = read(gated.gate(having(Reason.EXPIRED, enforcement)))["results"]

    assert result["level"] == level


def test_says_where_who_and_how() -> None:
    """File and line of the object, who may sign, the command."""
    result = read(gated.gate(entry(DENIED, file="deploy/ä b.yaml", line=8)))["results"][
        1
    ]
    (location,) = result["locations"]
    place = location["physicalLocation"]

    assert place["artifactLocation"]["uri"] == "deploy/%C3%A4%20b.yaml"
    assert place["region"] == {"startLine": 8}
    assert "eligible now: dana, ravi" in result["message"]["text"]


def test_a_finding_is_known_again_when_it_moves() -> None:
    """A line further, and of other people; not of another object."""
    first, moved, other = (
        read(gated.gate(one))["results"][0]["partialFingerprints"]
        for one in (
            entry(DENIED),
            entry(DENIED, line=9, file="elsewhere.yaml"),
            entry(DENIED, name="other"),
        )
    )

    assert first == moved != other


def test_two_clusters_do_not_replace_one_another() -> None:
    """Code scanning keeps the last analysis of each category."""
    ids = {
        read(gated.gate(DENIED, cluster=name))["automationDetails"]["id"]
        for name in ("prod-eu", "prod-us")
    }

    assert ids == {"countersign/prod-eu/", "countersign/prod-us/"}


def test_says_if_nobody_could_look() -> None:
    """So that an empty page is not taken for a clean one."""
    gate = gated.gate(having(Reason.UNAVAILABLE, Enforcement.DENY))

    assert read(gate)["invocations"] == [{"executionSuccessful": False}]
    assert read(EVERY)["results"]


def test_is_the_same_each_time() -> None:
    """To the byte."""
    assert sarif(EVERY) == sarif(EVERY)


def test_a_path_may_be_any_bytes() -> None:
    """Each is in the address as it is on disk."""
    (run,) = json.loads(sarif(gated.gate(entry(DENIED, file="d\udcff.yaml"))).encode())[
        "runs"
    ]

    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "d%FF.yaml"
