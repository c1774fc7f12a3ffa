"""Presets and questions: data, pinned."""

import hashlib
import json

import pytest

from countersign.core import questions
from countersign.core.errors import Malformed
from countersign.core.presets import PRESETS
from countersign.core.types.policy import Treatment
from tests.support import a


def test_there_is_a_preset_for_each_row_of_the_design() -> None:
    """Names are public."""
    assert set(PRESETS) == {
        "default",
        "manual",
        "high-blast-radius",
        "do178c-A",
        "do178c-B",
        "do178c-C",
        "do178c-D",
        "iec62304-A",
        "iec62304-B",
        "iec62304-C",
        "sox",
        "pci-6.2.3.1",
        "soc2-cc8.1",
        "ban",
    }


@pytest.mark.parametrize(
    ("name", "roles", "days", "links"),
    [
        ("default", ["senior"], 30, []),
        ("manual", ["senior"], 30, []),
        ("high-blast-radius", ["senior", "service-owner"], 7, ["TICKET"]),
        ("do178c-A", ["senior", "verification"], 30, ["HLR", "LLR", "TEST"]),
        ("do178c-B", ["senior", "verification"], 30, ["HLR", "LLR", "TEST"]),
        ("do178c-C", ["senior"], 60, ["HLR", "TEST"]),
        ("do178c-D", ["reviewer"], 90, ["HLR"]),
        ("iec62304-C", ["senior", "quality"], 30, ["CR", "RISK", "REQ", "TEST"]),
        ("iec62304-B", ["senior"], 60, ["CR", "RISK", "TEST"]),
        ("iec62304-A", ["reviewer"], 90, ["CR"]),
        ("sox", ["change-approver"], 14, ["TICKET"]),
        ("pci-6.2.3.1", ["reviewer", "manager"], 30, ["TICKET"]),
        ("soc2-cc8.1", ["reviewer"], 30, ["TICKET", "TEST"]),
        ("ban", [], 30, []),
    ],
)
def test_asks_for_sign_offs(
    name: str, roles: list[str], days: int, links: list[str]
) -> None:
    """Slots, how long they hold, and what they link to."""
    preset = PRESETS[name]

    assert [slot.role for slot in preset.slots] == roles
    assert preset.max_validity.days == days
    assert [demand.type for demand in preset.traceability] == links
    assert (preset.questions is questions.DEFAULT) is bool(roles)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_makes_a_policy(name: str) -> None:
    """None is impossible; where slots ask for makers, with a collector."""
    preset = PRESETS[name]

    policy = a.policy(
        slots=preset.slots, human=preset.human, unknown=preset.unknown, ai=preset.ai
    )

    assert policy.slots == preset.slots


def test_independence_is_as_in_the_design() -> None:
    """By preset and role."""
    found = {
        (name, slot.role): set(slot.independent_of)
        for name, preset in PRESETS.items()
        for slot in preset.slots
    }

    makers = {"author", "prompter"}
    assert found["default", "senior"] == makers
    assert found["manual", "senior"] == {"deployer"}
    assert found["high-blast-radius", "service-owner"] == makers
    assert found["do178c-A", "verification"] == makers | {"committer"}
    assert found["do178c-C", "senior"] == makers
    assert found["iec62304-B", "senior"] == makers
    assert found["sox", "change-approver"] == makers | {"deployer"}
    assert found["pci-6.2.3.1", "manager"] == {"author", "reviewer"}
    assert found["soc2-cc8.1", "reviewer"] == {"author"}


def test_who_denies_the_unknown() -> None:
    """The highest levels, and the ban, which denies AI too."""
    strict = {n for n, p in PRESETS.items() if p.unknown is Treatment.DENY}

    assert strict == {"do178c-A", "do178c-B", "iec62304-C", "ban"}
    assert {n for n, p in PRESETS.items() if p.ai is Treatment.DENY} == {"ban"}
    assert not {n for n, p in PRESETS.items() if Treatment.ADMIT in (p.unknown, p.ai)}


def test_cluster_scoped_kinds_are_recommended_but_for_the_first_two() -> None:
    """`status` says which doors stand open."""
    without = {n for n, p in PRESETS.items() if not p.recommended_cluster_scoped}

    assert without == {"default", "manual"}


def test_the_default_questions_are_known_by_their_digest() -> None:
    """Over canonical JSON, so that anybody can compute it."""
    body = {
        "questions": [
            {"id": q.id, "text": q.text} for q in questions.DEFAULT_QUESTIONS
        ],
        "uri": "https://countersign.dev/questions/default/1",
    }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    assert questions.DEFAULT.digest.value == hashlib.sha256(canonical).hexdigest()
    assert questions.DEFAULT.ids == (
        "topology-not-in-code",
        "human-maintained-invariants",
        "production-scale-and-failure-modes",
    )
    assert questions.known(questions.DEFAULT.digest) is questions.DEFAULT
    assert questions.texts(questions.DEFAULT.digest) is questions.DEFAULT_QUESTIONS


def test_the_default_questions_do_not_change_unseen() -> None:
    """A changed word is a new set, with a new address."""
    assert questions.DEFAULT.digest.value == (
        "6d4a9843f26ef8a461b57306a785f78c0b233ed9dd13be7e3ec2c40c002ce5ba"
    )


def test_nobody_knows_other_questions() -> None:
    """What is not here cannot be asked."""
    assert questions.known(a.digest("mine")) is None
    assert questions.texts(a.digest("mine")) == ()


def test_a_set_without_questions_is_none() -> None:
    """It would ask nothing."""
    with pytest.raises(Malformed):
        questions.question_set("https://example.com/q", ())
