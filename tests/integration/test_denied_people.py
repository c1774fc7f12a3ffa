"""Who signed, when and about whose work: each short cut is denied for its own reason."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.support import chart
from tests.support.gate import Gate, changed, days, written
from tests.support.trip import run
from tools.stack import history
from tools.stack.people import ADA, CI, DANA, LEE, OMAR, RAVI


def _written_to_ledger(name: str) -> chart.Tree:
    tree = chart.config_map(name)
    tree["metadata"]["namespace"] = "ledger"
    return tree


def test_no_evidence(gate: Gate, name: str) -> None:
    """A bare manifest, and the administrator is no exception."""
    denied = gate.kubectl("create", "-f", "-", stdin=chart.config_map(name))

    assert set(denied.reasons) == {"slot_open", "no_evidence"}


def test_the_next_step_works_as_it_stands(gate: Gate, name: str) -> None:
    """FILE and RANGE are all that a person has to know; then the same is admitted.

    Who attests is in the environment, as in CI; who signs answers at a terminal.
    """
    past = gate.stack.history
    names = {
        "FILE": str(gate.folder / "FILE"),
        "RANGE": f"{past.baseline}..{past.head}",
        "EVIDENCE": str(gate.folder / "EVIDENCE"),
    }
    (gate.folder / "FILE").write_text(written([chart.config_map(name)]))
    apply = ("apply", "-f", names["FILE"])

    denied = gate.kubectl(*apply)
    attest, bring, sign, again = _steps(denied.out)
    made = gate.cli(
        *_named(attest.removeprefix("countersign "), names),
        "--repo",
        past.path,
        COUNTERSIGN_KEY=str(gate.stack.key(CI)),
    )
    brought = gate.kubectl(*_named(bring.removeprefix("kubectl "), names))
    signed = run(gate, sign.removeprefix("countersign "), by=DANA)
    admitted = gate.kubectl(*apply)

    assert made.code == 0, made.err
    assert brought.code == 0, brought.out
    assert signed.code == 0, signed.err
    assert again == "apply again"
    assert admitted.bases == ("payments: signed senior=dana",), admitted.out


_WORDS = re.compile(r"next: .*?: |then(?: ask .*? to run)?:? ")
"""What stands before each command."""


def _steps(denial: str) -> list[str]:
    """Return what a denial says to do, one command each."""
    line = denial[denial.index("next: ") :].splitlines()[0]
    return [_WORDS.sub("", step, count=1) for step in line.split("    ")]


def _named(command: str, names: Mapping[str, str]) -> list[str]:
    return [names.get(word, word) for word in command.split()]


def test_provenance_without_a_sign_off(gate: Gate, name: str) -> None:
    """What an assistant helped with is attested, and nobody has signed."""
    denied = gate.apply(gate.attest(chart.config_map(name)))

    assert denied.reasons == ("slot_open",)
    assert "dana" in denied.out
    assert "amazon-q" in denied.out


def test_a_stripped_mark_is_unknown_and_needs_a_sign_off_too(
    gate: Gate, name: str
) -> None:
    """A commit without a mark opens nothing."""
    past = gate.stack.history
    bare = history.commit_on(past.path, past.baseline, LEE, "Tune it by hand, honestly")
    denied = gate.apply(
        gate.attest(chart.config_map(name), span=f"{past.baseline}..{bare}")
    )

    assert denied.reasons == ("slot_open",)


def test_a_sign_off_without_provenance(gate: Gate, name: str) -> None:
    """Independence of the author asks for known authors."""
    denied = gate.apply(gate.sign(_text(gate, chart.config_map(name))))

    assert set(denied.reasons) == {"slot_open", "authors_unknown"}


def test_a_range_that_starts_at_no_anchor(gate: Gate, name: str) -> None:
    """A human commit on top of an unapproved one is not the whole story."""
    head = gate.stack.history.head
    later = history.commit_on(
        gate.stack.history.path, head, LEE, "Correct a spelling mistake"
    )
    denied = gate.apply(
        gate.sign(gate.attest(chart.config_map(name), span=f"{head}..{later}"))
    )

    assert set(denied.reasons) == {"slot_open", "authors_unknown"}


def test_a_signer_without_the_role(gate: Gate, name: str) -> None:
    """An administrator of policies is no senior."""
    denied = gate.apply(gate.sign(gate.attest(chart.config_map(name)), by=ADA))

    assert set(denied.reasons) == {"slot_open", "role_missing"}


def test_a_signer_whom_nobody_knows(gate: Gate, name: str) -> None:
    """The CI system's key is in the trust root, and no person's."""
    denied = gate.apply(gate.sign(gate.attest(chart.config_map(name)), by=CI))

    assert set(denied.reasons) == {"slot_open", "signer_unknown"}


def test_signed_by_the_author(gate: Gate, name: str) -> None:
    """A senior cannot approve what that senior wrote, whoever applies it."""
    past = gate.stack.history
    message = "Raise the limit\n\nAI-Assisted: amazon-q/2026-03"
    mine = history.commit_on(past.path, past.baseline, DANA, message)
    text = gate.attest(chart.config_map(name), span=f"{past.baseline}..{mine}")
    denied = gate.apply(gate.sign(text, by=DANA))
    admitted = gate.apply(gate.sign(text, by=RAVI))

    assert set(denied.reasons) == {"slot_open", "not_independent"}
    assert admitted.admitted, admitted.out


def test_expired(gate: Gate, name: str) -> None:
    """A sign-off of forty days ago that held for thirty."""
    then = datetime.now(UTC) - days(40)
    text = gate.attest(chart.config_map(name))
    denied = gate.apply(gate.sign(text, at=then, stamped=False))

    assert set(denied.reasons) == {"slot_open", "expired"}


def test_backdated(gate: Gate, name: str) -> None:
    """The time-stamping authority's clock is not the signer's."""
    then = datetime.now(UTC) - days(2)
    denied = gate.apply(gate.sign(gate.attest(chart.config_map(name)), at=then))

    assert set(denied.reasons) == {"slot_open", "time_implausible"}


def test_valid_for_too_long(gate: Gate, name: str) -> None:
    """The policy says thirty days at most."""
    text = gate.sign(gate.attest(chart.config_map(name)), "--valid", "300d")
    denied = gate.apply(text)

    assert set(denied.reasons) == {"slot_open", "window_too_long"}


def test_not_yet_valid(gate: Gate, name: str) -> None:
    """A clock five minutes ahead: within the skew of reviewing, not of validity."""
    ahead = datetime.now(UTC) + days(5 / 24 / 60)
    denied = gate.apply(gate.sign(gate.attest(chart.config_map(name)), at=ahead))

    assert set(denied.reasons) == {"slot_open", "not_yet_valid"}


def test_reviewed_in_the_future(gate: Gate, name: str) -> None:
    """A review of next week did not happen."""
    ahead = datetime.now(UTC) + days(7)
    denied = gate.apply(gate.sign(gate.attest(chart.config_map(name)), at=ahead))

    assert set(denied.reasons) == {"slot_open", "time_implausible"}


def test_revoked(gate: Gate, name: str) -> None:
    """A person's signatures are withdrawn, and hold again when the withdrawal goes."""
    signed = gate.approved(chart.config_map(name))
    revocation = {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Revocation",
        "metadata": {"name": "laptop-stolen"},
        "spec": {"entries": [{"kind": "key", "value": "dana", "reason": "stolen"}]},
    }
    with changed(gate, revocation):
        gate.wait_for("revoked", signed)
        denied = gate.apply(signed)

    assert set(denied.reasons) == {"slot_open", "revoked"}
    gate.wait_for("", signed)


def test_one_person_with_two_keys_fills_one_slot(gate: Gate, name: str) -> None:
    """Ravi is senior and service-owner: still one person."""
    text = gate.attest(_written_to_ledger(name))
    once = gate.sign(text, "--trace", "TICKET=PAY-1", "--valid", "5d", by=RAVI)
    twice = gate.sign(
        once, "--trace", "TICKET=PAY-1", "--valid", "5d", by=RAVI, keyless=True
    )
    both = gate.sign(once, "--trace", "TICKET=PAY-1", "--valid", "5d", by=DANA)

    denied = gate.apply(twice)
    admitted = gate.apply(both)

    assert denied.reasons == ("slot_open",)
    assert admitted.bases == ("ledger: signed senior=dana, service-owner=ravi",)


def test_without_the_traceability_a_policy_asks_for(gate: Gate, name: str) -> None:
    """High blast radius asks for a ticket."""
    text = gate.attest(_written_to_ledger(name))
    once = gate.sign(text, "--valid", "5d", by=RAVI)
    denied = gate.apply(gate.sign(once, "--valid", "5d", by=DANA))

    assert set(denied.reasons) == {"slot_open", "traceability_missing"}


def test_a_rejection_outweighs_the_approval(gate: Gate, name: str) -> None:
    """One senior signs, another says no, and both travel with the object."""
    signed = gate.approved(chart.config_map(name))
    denied = gate.apply(gate.sign(signed, "--reject", by=RAVI))

    assert denied.reasons == ("rejected",)


def test_an_on_call_signature_is_no_break_glass(gate: Gate, name: str) -> None:
    """A role for emergencies does not fill a slot."""
    denied = gate.apply(gate.sign(gate.attest(chart.config_map(name)), by=OMAR))

    assert set(denied.reasons) == {"slot_open", "role_missing"}


def test_the_deployer_does_not_sign_in_manual(gate: Gate, name: str) -> None:
    """Where nobody collects provenance, whoever applies must not be who signed."""
    tree = chart.config_map(name)
    tree["metadata"]["namespace"] = "orders"
    signed = gate.sign(_text(gate, tree))
    denied = gate.apply(signed, by=DANA)
    admitted = gate.apply(signed, by=LEE)

    assert "not_independent" in denied.reasons or "forbidden" in denied.out.lower()
    assert admitted.admitted, admitted.out


def _text(gate: Gate, tree: chart.Tree) -> str:
    return gate.write(tree).read_text()
