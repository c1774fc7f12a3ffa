"""What is said of each cause of a mismatch, and what is to be done: golden texts."""

import shlex

import click
import pytest

from countersign.core.types.artifacts import Cause, Difference, Json, ObjectRef
from countersign.core.types.verdict import Differences, Finding, Reason
from countersign.faces.cli import cli
from countersign.report.differences import MAX_LISTED, difference_lines, recorded_lines
from countersign.report.sentences import says
from countersign.report.steps import Way, next_step
from tests.support import a

REF = ObjectRef("apps", "Deployment", "payments", "web")
SIGNED = (
    "countersign attest RANGE -f FILE --cluster c --carrier annotations --out ATTESTED"
    "    then: countersign sign-off -f ATTESTED --cluster c --out SIGNED"
    "    then: kubectl apply -f SIGNED"
)


def finding(*differences: Difference, reason: Reason = Reason.CHANGED) -> Finding:
    """Return a finding about these."""
    facts = Differences(a.MANIFEST, differences)
    return Finding(policy="p", reason=reason, about=REF, facts=facts)


GOLDEN = [
    (
        Difference("/spec/policyTypes", '["Ingress", "Egress"]', '["Ingress"]', Cause.UNWRITTEN),
        '/spec/policyTypes is ["Ingress"], what was signed leaves it out and so means ["Ingress", "Egress"]',
        'write /spec/policyTypes: ["Ingress", "Egress"] into the manifest, and have that signed: ' + SIGNED,
    ),
    (
        Difference("/data/old", None, '"v"', Cause.KEPT),
        '/data/old is "v" as before, nothing of the sort was signed',
        "write /data/old into the manifest or take it off the live object, and have that signed: " + SIGNED,
    ),
    (
        Difference("/spec/replicas", "2", "5", Cause.SCALED),
        "/spec/replicas is 5, 2 was signed",
        ("apply the number that was signed, or have room to scale signed: "
        "countersign sign-off -f FILE --cluster c --out SIGNED --elastic Deployment/web:/spec/replicas=2..5"),
    ),
    (
        Difference("/metadata/labels/x", None, '"{sign}"', Cause.MARKED),
        '/metadata/labels/x is "{sign}", the mark of a tool, nothing of the sort was signed',
        "have the tool named in the policy (tools), or write the mark into the manifest and have that signed: " + SIGNED,
    ),
    (
        Difference("/spec/{make}", "1", None, Cause.DROPPED),
        "/spec/{make} is missing, 1 was signed",
        "take /spec/{make} out of the manifest (the server drops it while its feature gate is off), and have that signed: " + SIGNED,
    ),
    (
        Difference("/x", '["a", "b"]', '["b", "a"]', Cause.REORDERED),
        '/x is in another order than was signed: ["b", "a"], not ["a", "b"]',
        "apply it in the order that was signed, or have this one signed: " + SIGNED,
    ),
    (
        Difference("/x", "1", "2", Cause.OTHERWISE),
        "/x is 2, 1 was signed",
        "apply exactly what was signed, or have this signed: " + SIGNED,
    ),
    (
        Difference("/x", "1", None, Cause.MISSING),
        "/x is missing, 1 was signed",
        "apply exactly what was signed, or have this signed: " + SIGNED,
    ),
    (
        Difference("/x", None, "2", Cause.UNSIGNED),
        "/x is 2, nothing of the sort was signed",
        "apply exactly what was signed, or have this signed: " + SIGNED,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("difference", "sentence", "step"), GOLDEN, ids=[str(g[0].cause) for g in GOLDEN]
)
def test_what_is_said(difference: Difference, sentence: str, step: str) -> None:
    """Where, both values, and what to do; nothing in a value is taken for a command."""
    found = finding(difference)

    assert says(found) == f"not what was signed: {sentence}"
    assert next_step(found, "c").removesuffix("    then: kubectl apply -f SIGNED") == (
        step.removesuffix("    then: kubectl apply -f SIGNED")
    )


def test_every_cause_has_words() -> None:
    """None was forgotten."""
    assert {one.cause for one, _, _ in GOLDEN} == {*Cause}


def test_the_printed_flag_is_one() -> None:
    """The command line takes it as it is written."""
    command = cli.get_command(click.Context(cli), "sign-off")
    assert command is not None
    step = next_step(finding(GOLDEN[2][0]), "c")
    words = shlex.split(step.partition("sign-off ")[2].partition("    ")[0])

    context = command.make_context("sign-off", [*words, "--no-diff"])

    (stretch,) = context.params["stretches"]
    assert (stretch.kind, stretch.name) == ("Deployment", "web")
    assert (stretch.bounds.path, stretch.bounds.minimum) == ("/spec/replicas", 2)


@pytest.mark.parametrize("cause", [Cause.UNWRITTEN, Cause.DROPPED, Cause.MARKED])
def test_what_nobody_means_is_not_signed_by_decision(cause: Cause) -> None:
    """A decision would sign what was denied."""
    found = finding(Difference("/x", "1", "2", cause))

    assert "--decision" not in next_step(found, "c", way=Way(decision="01J"))


def test_real_changes_come_first() -> None:
    """Whoever tampers with an image does not hide behind a number."""
    scaled, image = GOLDEN[2][0], Difference("/z/image", '"a"', '"b"')

    assert "/z/image" in says(finding(scaled, image))


def test_lines_are_bounded_and_the_same_from_a_record() -> None:
    """A decision keeps the facts as JSON; those of older versions have no cause."""
    many = tuple(Difference(f"/x/{i}", "1", "2") for i in range(9))
    facts: Json = {
        "differences": [{"path": d.path, "expected": "1", "seen": "2"} for d in many]
    }

    lines = [*difference_lines(finding(*many))]

    assert len(lines) == MAX_LISTED + 1
    assert lines[-1] == "and 4 more"
    assert [*recorded_lines(facts, "changed", REF)] == lines
    assert [*recorded_lines({"names": []}, "changed", REF)] == []


def test_a_child_has_no_advice() -> None:
    """Its owner has: the step is that of the reason."""
    (line,) = difference_lines(finding(GOLDEN[2][0], reason=Reason.CHILD_DIFFERS))

    assert line == "/spec/replicas is 5, 2 was signed"
