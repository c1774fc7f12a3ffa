"""Every reason has words of its own: a sentence, a next step, a section in the runbook."""

import re
import shlex
from pathlib import Path

import click
import pytest

from countersign.core.types.artifacts import ObjectRef, Subject
from countersign.core.types.verdict import (
    Finding,
    Gap,
    Names,
    OpenSlots,
    ProvenanceGap,
    Reason,
    RestedOn,
)
from countersign.faces.cli import cli
from countersign.report.facts import GAPS
from countersign.report.sentences import SENTENCES, says
from countersign.report.steps import BY_FILE, STEPS, Way, next_step
from tests.support import a, findings

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"
WAYS = [
    pytest.param(BY_FILE, id="by file"),
    pytest.param(Way(decision="0" * 26), id="by decision"),
    pytest.param(Way(decision="0" * 26, access=True), id="by break-glass"),
    pytest.param(Way(release="web", namespace="payments"), id="under Helm"),
]
REASONS = pytest.mark.parametrize("reason", list(Reason))


def test_every_reason_has_a_sentence_and_a_step() -> None:
    """None is forgotten, none is left over."""
    assert set(SENTENCES) == set(STEPS) == set(findings.FACTS) == set(Reason)


def test_every_gap_has_words() -> None:
    """Each kind of missing provenance."""
    assert set(GAPS) == set(Gap)


@REASONS
def test_a_sentence_is_whole(reason: Reason) -> None:
    """No piece is missing, none is left in braces, it is one line without a full stop."""
    text = says(findings.finding(reason))

    assert not re.search(r"[{}?\n]|  |: $|\.$", text)


@REASONS
@pytest.mark.parametrize("way", WAYS)
def test_a_step_is_whole(reason: Reason, way: Way) -> None:
    """The same of what to do."""
    text = next_step(findings.finding(reason), "prod-eu", findings.OPEN, way)

    assert not re.search(r"[{}?\n]|\.$", text)


def test_no_two_reasons_sound_alike() -> None:
    """A denial tells which it is, and what to do about it."""
    sentences = {says(f) for f in findings.ALL}
    steps = {next_step(f, "prod-eu", findings.OPEN) for f in findings.ALL}

    assert len(sentences) == len(steps) == len(Reason)


def test_a_set_that_others_rest_on_has_words_of_its_own() -> None:
    """What helps whoever strips an object helps nobody who deletes evidence.

    Seen to fail with the words of an object that loses its annotations.
    """
    about = ObjectRef("countersign.dev", "BundleSet", "payments", "sign-off-0")
    facts = RestedOn(("payments/Deployment/ledger",))
    kept = Finding(policy="", reason=Reason.EVIDENCE_REMOVED, about=about, facts=facts)
    step = next_step(kept, "prod-eu", way=Way(namespace="payments"))

    assert says(kept).endswith("rests on: payments/Deployment/ledger")
    assert "sign-off --live -n payments KIND/NAME --cluster prod-eu" in step
    assert step.endswith("then delete again")
    assert "apply" not in step


def commands(text: str) -> list[list[str]]:
    """Return the commands that `text` tells to run."""
    found = re.findall(r"(countersign [a-z-]+ .*?)(?=    |; |$)", text)
    return [shlex.split(command) for command in found]


@REASONS
@pytest.mark.parametrize("authors", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_every_command_exists_with_its_options(
    reason: Reason, *, authors: bool, way: Way
) -> None:
    """Nobody is sent to a command that is not there."""
    asks = OpenSlots(open=("senior",), authors=authors)
    context = click.Context(cli)

    step = next_step(findings.finding(reason), "c", asks, way)
    for _, name, *words in commands(step):
        command = cli.get_command(context, name)
        assert command is not None
        known = {option for p in command.params for option in p.opts}
        assert {word for word in words if re.match("-.", word)} <= known


def test_commands_are_found_by_this_test() -> None:
    """The extraction above is no decoration."""
    text = next_step(findings.finding(Reason.NO_EVIDENCE), "prod-eu", findings.OPEN)

    assert [c[1] for c in commands(text)] == ["attest", "sign-off"]


@REASONS
def test_the_runbook_has_a_section_of_its_own(reason: Reason) -> None:
    """What it means, and what to do."""
    _, _, after = RUNBOOK.read_text().partition(f"\n### {reason}\n")
    section, _, _ = after.partition("\n#")

    assert "**Means:** " in section
    assert "**Do:** " in section


def test_the_runbook_has_no_section_too_many() -> None:
    """A reason that went would leave one."""
    sections = re.findall(r"^### (.+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(Reason)


@pytest.mark.parametrize("gap", list(Gap))
def test_a_gap_is_told(gap: Gap) -> None:
    """With what was seen, where anything was."""
    told = findings.finding(
        Reason.AUTHORS_UNKNOWN, facts=ProvenanceGap(gap, "something")
    )

    assert "nobody knows who made image docker.io/acme/ledger@sha256:" in says(told)
    assert not re.search(r"[{}?]", says(told))


@pytest.mark.parametrize(
    ("reference", "written"),
    [
        ("ghcr.io/acme/app:1.4", "ghcr.io/acme/app:1.4@sha256:DIGEST"),
        ("nginx", "nginx@sha256:DIGEST"),
        ("app@sha512:" + "7" * 128, "app@sha256:DIGEST"),
        ("sha256:" + "7" * 64, "NAME@sha256:DIGEST"),
        ("<image>", "NAME@sha256:DIGEST"),
        ("$(reboot)", "NAME@sha256:DIGEST"),
        ("", "NAME@sha256:DIGEST"),
    ],
)
def test_what_pins_no_image_is_told_how_to_be_written(
    reference: str, written: str
) -> None:
    """The tag stays; another digest goes; what is no reference is not repeated."""
    finding = Finding(
        policy="p",
        reason=Reason.IMAGE_UNPINNED,
        about=a.OBJECT,
        facts=Names((reference,)),
    )

    assert f"write {written}," in next_step(finding, "prod")


def test_an_image_without_digest_is_named_by_its_reference() -> None:
    """There is no other name for it."""
    facts = Names(("acme/ledger:1.2",))
    loose = Finding(
        policy="payments",
        reason=Reason.IMAGE_UNCOVERED,
        about=a.OBJECT,
        facts=facts,
    )

    assert says(loose) == "a newly run image that is not signed: acme/ledger:1.2"


@pytest.mark.parametrize("reason", [Reason.IMAGE_UNCOVERED, Reason.AUTHORS_UNKNOWN])
def test_what_nobody_saw_is_not_called_unsigned(reason: Reason) -> None:
    """Signing it again would not help: the registry has to tell its platforms."""
    unseen = Finding(
        policy="payments",
        reason=reason,
        about=Subject("ghcr.io/acme/ledger", a.RUNS),
        facts=ProvenanceGap(Gap.UNSEEN),
    )

    assert "platforms" in says(unseen)
    assert "could not be seen" in says(unseen)
    assert "images.registries" in next_step(unseen, "prod-eu")


def test_what_no_provenance_tells_of_is_named() -> None:
    """So that CI can attest just that commit."""
    facts = ProvenanceGap(Gap.UNSOURCED, "https://git.acme.example/app@9f0c1e9f0c1e")
    found = Finding(
        policy="payments",
        reason=Reason.AUTHORS_UNKNOWN,
        about=Subject("ghcr.io/acme/ledger", a.RUNS),
        facts=facts,
    )

    assert "built of https://git.acme.example/app@9f0c1e9f0c1e" in says(found)
