"""Each form in which an assistant's part is recorded, from ``git commit`` to the verdict.

Real repositories and commands, the real API server. All of a kind are applied at once,
and its audit log tells what became of each.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from countersign.adapters.sign.key import KeySigner, load_key
from tests.support import chart
from tests.support.author import Work
from tests.support.cli import Ran
from tests.support.each import One, apply_each
from tests.support.forms import FORMS, TWINS, Form, spoken
from tests.support.gate import Gate, bundles, carry, documents, written
from tools.stack.people import LEE

DECLARED = "payments: signed declared=lee"
_ASSISTED = ("an AI-assisted change", "an AI-made change")

T = TypeVar("T")


@dataclass(frozen=True)
class Made:
    """What became of a form on its author's and on CI's machine.

    Attributes:
        text: The object with CI's provenance.
        declaring: What ``attest --declare-human`` did.
        declared: The same object with the author's declaration too, however made.
    """

    text: str
    declaring: Ran
    declared: str


@pytest.fixture(scope="module", name="made")
def _made(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Every form, committed, declared and attested."""
    folder = tmp_path_factory.mktemp("recorded")
    plain, hooked = (Work.begin(gate, folder / one) for one in ("plain", "hooked"))
    done = gate.cli("hooks", "install", "--repo", hooked.git.path)
    assert done.code == 0, done.err
    return {
        form.name: _make(form, hooked if "hook" in form.name else plain, folder)
        for form in (*FORMS, *TWINS)
    }


def _make(form: Form, work: Work, folder: Path) -> Made:
    form.begin(work)
    text = work.attest(
        chart.config_map(form.name), images=[], flags=form.flags(work, folder)
    )
    word, declaring = work.declare(check=False)
    raw = word.read_bytes() if declaring.code == 0 else _by_hand(work)
    (tree,) = documents(text)
    carry(tree, [*bundles(tree), json.loads(raw)])
    return Made(text, declaring, written([tree]))


def _by_hand(work: Work) -> bytes:
    """Sign what the command refuses to, with the author's own key."""
    key = load_key(work.gate.stack.key(LEE).read_bytes(), "")
    return asyncio.run(KeySigner(key).sign(spoken(work)))


def test_recorded_assistance_needs_a_senior(gate: Gate, made: dict[str, Made]) -> None:
    """Denied alone, in words that name who helped; admitted with a senior's sign-off."""
    alone = apply_each(gate, [made[form.name].text for form in FORMS])
    signed = gate.sign("---\n".join(made[form.name].text for form in FORMS))
    approved = apply_each(gate, [signed])

    assert {n: one.reasons for n, one in alone.items()} == _all(FORMS, ("slot_open",))
    assert _unnamed(alone) == {}
    assert {n: one.basis for n, one in approved.items()} == _all(
        FORMS, approved["text"].basis
    )
    assert "senior=dana" in approved["text"].basis


def test_recorded_assistance_cannot_be_declared_away(
    gate: Gate, made: dict[str, Made]
) -> None:
    """The command refuses; signed by other means, the author's word counts for nothing.

    What only the forge knows of a request the author's machine does not see. CI does.
    """
    declared = apply_each(gate, [made[form.name].declared for form in FORMS])

    refused = {form.name for form in FORMS if made[form.name].declaring.code == 1}
    assert refused == {form.name for form in FORMS if not form.in_request}
    assert {n: one.reasons for n, one in declared.items()} == _all(
        FORMS, ("declaration_rejected", "slot_open")
    )
    assert _unnamed(declared) == {}
    assert all("assistance was seen in it" in one.said for one in declared.values())


def test_an_unmarked_twin_is_unknown(gate: Gate, made: dict[str, Made]) -> None:
    """Silence proves nothing; together with the author's word it does."""
    alone = apply_each(gate, [made[form.name].text for form in TWINS])
    declared = apply_each(gate, [made[form.name].declared for form in TWINS])

    assert {n: one.reasons for n, one in alone.items()} == _all(TWINS, ("slot_open",))
    assert [n for n, one in alone.items() if "AI-" in one.said] == []
    assert [n for n, one in alone.items() if "unknown" not in one.said] == []
    assert {n: made[n].declaring.code for n in _all(TWINS, 0)} == _all(TWINS, 0)
    assert {n: one.basis for n, one in declared.items()} == _all(TWINS, DECLARED)


def _all(forms: tuple[Form, ...], value: T) -> dict[str, T]:
    return {form.name: value for form in forms}


def _unnamed(found: dict[str, One]) -> dict[str, str]:
    """Return the denials that do not say that an assistant helped, and which one."""
    said = {form.name: found[form.name].said for form in FORMS}
    return {
        form.name: said[form.name]
        for form in FORMS
        if form.agent not in said[form.name]
        or not any(words in said[form.name] for words in _ASSISTED)
    }
