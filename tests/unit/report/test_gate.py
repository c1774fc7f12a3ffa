"""What a gate has to say, whatever the format."""

from dataclasses import replace

import pytest
from hypothesis import given

from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Reason, Verdict
from countersign.report.gate import Gate, cases, plain, title
from countersign.report.steps import BY_FILE, commands_of, next_step
from tests.support import gated
from tests.support.findings import ALL, OPEN, finding
from tests.support.gated import ADMITTED, DENIED, NASTY, OUTSIDE, WAY, having

WARNED = having(Reason.EXPIRED, Enforcement.WARN)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((ADMITTED,), "1 object would be admitted in prod-eu"),
        ((DENIED, ADMITTED, OUTSIDE), "1 of 2 objects would be denied in prod-eu"),
        (
            (WARNED, ADMITTED),
            "2 objects would be admitted in prod-eu, 1 with warnings",
        ),
        ((OUTSIDE,), "no policy judges any of 1 object in prod-eu"),
    ],
)
def test_the_title_says_how_it_went(verdicts: tuple[Verdict, ...], said: str) -> None:
    """What nobody judges is not counted as admitted."""
    assert title(gated.gate(*verdicts)) == said


def test_what_denies_comes_first() -> None:
    """Of several policies about one object."""
    warned = replace(finding(Reason.EXPIRED, "a"), enforcement=Enforcement.WARN)
    verdict = Verdict.of((), [warned, finding(Reason.EXPIRED, "b")])

    assert [one.policy for one in cases(gated.gate(verdict))] == ["b", "a"]


def test_the_log_names_who_and_the_command() -> None:
    """With the files that were given."""
    text = plain(gated.gate(DENIED))

    assert "eligible now: dana, ravi; not eligible: lee (author)" in text
    assert (
        "countersign sign-off -f ATTESTED --cluster prod-eu --out SIGNED --sets-only"
        in text
    )
    assert "countersign attest origin/main..HEAD -f deploy/ledger.yaml " in text


def test_the_log_says_on_whose_word() -> None:
    """An object was admitted."""
    text = plain(gated.gate(ADMITTED))

    assert "allowed: payments/Deployment/ledger" in text
    assert "senior: dana" in text


@given(gated.hostile())
def test_no_line_of_the_log_is_a_command_to_a_runner(gate: Gate) -> None:
    """Seen to fail with the name of an object at the start of its line."""
    for line in plain(gate).split("\n"):
        assert not line.strip().startswith("::")
        assert "##[" not in line


@pytest.mark.parametrize("one", ALL, ids=lambda one: str(one.reason))
@pytest.mark.parametrize("way", [BY_FILE, WAY], ids=["by file", "in a gate"])
def test_commands_are_those_of_the_step(one: object, way: object) -> None:
    """In their order, and nothing but commands."""
    assert isinstance(one, type(ALL[0]))
    assert isinstance(way, type(BY_FILE))
    step = next_step(one, "prod-eu", OPEN, way)
    commands = commands_of(one, "prod-eu", OPEN, way)

    assert all(c.startswith(("countersign ", "kubectl ")) for c in commands)
    where = [step.index(command) for command in commands]
    assert where == sorted(where)
    signed = "countersign sign-off" in step or "countersign attest" in step
    assert bool(commands) == signed


@given(NASTY)
def test_nobody_outside_writes_a_command(text: str) -> None:
    """Seen to fail with the commands cut out of the sentence."""
    asks = replace(OPEN, eligible=(text,), tools=(text,))
    for one in ALL:
        found = commands_of(one, "prod-eu", asks, WAY)

        assert found == commands_of(one, "prod-eu", OPEN, WAY)
