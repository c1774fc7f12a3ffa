"""A verdict for machines, and in full for a person."""

import json
from dataclasses import replace
from typing import Any

import pytest

from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import (
    Basis,
    Door,
    Finding,
    Gap,
    OpenSlots,
    ProvenanceGap,
    Reason,
    Verdict,
)
from countersign.report.explain import explain
from countersign.report.records import annotations, as_json, outcome
from tests.support import a, findings
from tests.support.findings import finding

ADMITTED = a.decide()
HUMAN = a.decide(a.provenance(), a.declaration())
BROKEN = a.decide(a.emergency())
DERIVED = Verdict.of([Basis(policy="p", door=Door.DERIVED, rule="Deployment")], ())
UNCHANGED = Verdict.of([Basis(policy="p", door=Door.UNCHANGED)], ())


def looking(reason: Reason, enforcement: Enforcement) -> Finding:
    """Return a finding that does not deny."""
    return replace(finding(reason), enforcement=enforcement)


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (Verdict.out_of_scope(), "outOfScope"),
        (ADMITTED, "allowed"),
        (Verdict.of((), [finding(Reason.EXPIRED)]), "denied"),
        (Verdict.of((), [looking(Reason.EXPIRED, Enforcement.WARN)]), "warned"),
        (Verdict.of((), [looking(Reason.EXPIRED, Enforcement.AUDIT)]), "allowed"),
    ],
)
def test_an_outcome_is_one_word(verdict: Verdict, word: str) -> None:
    """Of four."""
    assert outcome(verdict) == word
    assert as_json(verdict)["outcome"] == word


def test_json_tells_the_basis() -> None:
    """Door, slots, persons, bundles."""
    signed = a.sign_off()

    document: Any = as_json(ADMITTED)
    (basis,) = document["bases"]

    assert basis == {
        "policy": "payments",
        "door": "signed",
        "rule": "",
        "filled": [{"role": "senior", "person": "dana", "bundle": str(signed.bundle)}],
        "declaredBy": [],
        "emergency": "",
        "assistance": "unknown",
        "bundles": sorted([str(signed.bundle), str(a.provenance().bundle)]),
    }


@pytest.mark.parametrize("reason", list(Reason))
def test_json_holds_any_finding(reason: Reason) -> None:
    """With its facts, its sentence and its section of the runbook."""
    document: Any = as_json(Verdict.of((), [finding(reason)]))

    assert json.loads(json.dumps(document)) == document
    (found,) = document["findings"]
    assert found["reason"] == reason
    assert found["runbook"] == f"docs/runbook.md#{reason}"


def test_json_writes_facts_in_camel_case() -> None:
    """Digests and instants as text, states as words."""
    document: Any = as_json(Verdict.of((), [finding(Reason.SLOT_OPEN)]))

    (found,) = document["findings"]
    assert found["facts"] == {
        "open": ["senior", "service-owner"],
        "filled": [],
        "eligible": ["dana", "ravi"],
        "ineligible": [
            {"person": "lee", "reason": "not_independent", "seen": "author"}
        ],
        "assistance": "mixed",
        "tools": ["amazon-q 2026-03"],
        "lines": {"ai": 41, "human": 12, "unknown": 7},
        "collected": ["ci", "2026-11-22T12:00:00Z"],
        "authors": True,
        "unattested": [],
        "gap": None,
    }


def test_json_puts_the_weightiest_first() -> None:
    """As a denial does."""
    document: Any = as_json(
        Verdict.of((), [finding(Reason.SLOT_OPEN), finding(Reason.EXPIRED)])
    )

    reasons = [f["reason"] for f in document["findings"]]
    assert reasons == ["expired", "slot_open"]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        pytest.param(
            ADMITTED,
            {
                "verdict": "allowed",
                "policies": "payments",
                "basis": "payments: signed senior=dana",
                "persons": "dana",
            },
            id="signed",
        ),
        pytest.param(
            HUMAN,
            {
                "verdict": "allowed",
                "policies": "payments",
                "basis": "payments: signed declared=lee",
                "persons": "lee",
            },
            id="human",
        ),
        pytest.param(
            BROKEN,
            {
                "verdict": "allowed",
                "policies": "payments",
                "basis": "payments: signed on-call=omar break-glass=INC-7",
                "persons": "omar",
            },
            id="emergency",
        ),
        pytest.param(
            DERIVED,
            {
                "verdict": "allowed",
                "policies": "p",
                "basis": "p: derived Deployment",
            },
            id="derived",
        ),
        pytest.param(
            Verdict.of((), [finding(Reason.EXPIRED)]),
            {
                "verdict": "denied",
                "policies": "payments",
                "findings": "expired (deny)",
            },
            id="denied",
        ),
        pytest.param(
            Verdict.out_of_scope(),
            {"verdict": "outOfScope", "policies": "none"},
            id="outside",
        ),
    ],
)
def test_the_audit_log_tells_the_story(
    verdict: Verdict, expected: dict[str, str]
) -> None:
    """In a few short annotations."""
    assert annotations(verdict) == expected


def test_explains_who_admitted() -> None:
    """By slot, person and bundle."""
    bundle = str(a.sign_off().bundle)[: len("sha256:") + 12]

    assert explain(ADMITTED) == (
        "allowed\n"
        "policy payments:\n"
        "  met: signed: a change not proven human-made\n"
        f"    senior: dana (bundle {bundle})"
    )


def test_explains_other_ways_in() -> None:
    """Declarations, break-glass, doors without a signature."""
    assert "    declared human by lee" in explain(HUMAN)
    assert "    break-glass for INC-7: to be reviewed afterwards" in explain(BROKEN)
    assert "made by a controller from its signed owner (Deployment)" in explain(DERIVED)
    assert "  met: nothing that matters changes" in explain(UNCHANGED)
    assert explain(Verdict.out_of_scope()) == "allowed: no policy applies"


def test_explains_all_that_lacks() -> None:
    """Every finding, with the next step."""
    text = explain(a.decide(a.sign_off(a.LEE)), "prod-eu")

    assert text.startswith(
        "denied\npolicy payments:\n  deny: payments/Deployment/ledger:"
    )
    assert "[role_missing]" in text
    assert "[slot_open]" in text
    assert "  provenance: none that speaks of this state" in text
    assert "  missing: senior (0 of 1); eligible now: dana, ravi" in text
    assert "--cluster prod-eu" in text


def test_explains_what_is_not_about_slots() -> None:
    """Without anything about slots; and the gate, which is no policy's."""
    gap = ProvenanceGap(Gap.ABSENT)
    text = explain(
        Verdict.of(
            (),
            [
                finding(Reason.NOT_READY, policy=""),
                finding(Reason.UNKNOWN_DENIED, facts=gap),
            ],
        )
    )

    assert "the gate itself:" in text
    assert "missing:" not in text
    assert "--cluster CLUSTER" in text


def test_long_lists_end() -> None:
    """Five are named, the rest is counted."""
    facts = OpenSlots(open=("senior",), eligible=tuple(f"p{i}" for i in range(9)))

    text = explain(Verdict.of((), [finding(Reason.SLOT_OPEN, facts=facts)]))

    assert "eligible now: p0, p1, p2, p3, p4 and 4 more" in text


def test_a_bundle_that_counts_for_nothing_is_told_like_the_rest() -> None:
    """Facts of every kind can be explained."""
    text = explain(Verdict.of((), findings.ALL))

    assert all(f"[{reason}]" in text for reason in Reason)
