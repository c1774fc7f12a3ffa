"""Marks that somebody tries to be rid of: none of it opens the gate.

`tests.support.laundered` has the ways. Here each is collected from by CI, and shown to
the real API server, with a word of the author's that the command itself refuses to sign.

What `test_human` shows is not shown again: a statement that says *human*, a shallow
clone, a range that begins at what nobody approved, a collector whom no policy names.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from countersign.adapters.sign.key import KeySigner, load_key
from tests.support import chart
from tests.support.author import Work
from tests.support.each import One, apply_each
from tests.support.forms import spoken
from tests.support.gate import Gate, bundles, carry, documents, written
from tests.support.laundered import WAYS, Left, Way
from tools.stack.people import DANA, LEE, Someone

_WHY = {
    Left.SEEN: "assistance was seen in it",
    Left.GONE: "takes the role developer",
    Left.CUT: "does not see the whole range",
}
_REASONS = {
    Left.SEEN: ("declaration_rejected", "slot_open"),
    Left.GONE: ("declaration_rejected", "slot_open"),
    Left.CUT: ("authors_unknown", "declaration_rejected", "slot_open"),
}


@dataclass(frozen=True)
class Washed:
    """An object made of commits that lost their mark, or seem to have.

    Attributes:
        text: With CI's provenance.
        declared: With a declaration besides: of the author, where a collector has to
            speak against it; of a senior, where nothing is left to be seen. (There the
            author's own would count: a lie, signed by name.)
    """

    text: str
    declared: str


@pytest.fixture(scope="module", name="washed")
def _washed(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Washed]:
    """Every way, tried."""
    work = Work.begin(gate, tmp_path_factory.mktemp("laundered") / "work")
    return {way.name: _wash(way, work) for way in WAYS}


def _wash(way: Way, work: Work) -> Washed:
    seen = Work(work.gate, way.begin(work), work.base)
    text = seen.attest(chart.config_map(way.name), images=[], environ=dict(way.environ))
    (tree,) = documents(text)
    by = DANA if way.left is Left.GONE else LEE
    carry(tree, [*bundles(tree), json.loads(_signed(seen, by))])
    return Washed(text, written([tree]))


def _signed(work: Work, by: Someone) -> bytes:
    key = load_key(work.gate.stack.key(by).read_bytes(), "")
    return asyncio.run(KeySigner(key).sign(spoken(work)))


def test_no_way_opens_the_gate(gate: Gate, washed: dict[str, Washed]) -> None:
    """Without a senior each is denied: for the mark, or since nothing proves a human."""
    alone = apply_each(gate, [one.text for one in washed.values()])

    for way in WAYS:
        first = alone[way.name].said.partition("\n")[0]
        assert "slot_open" in alone[way.name].reasons, way.name
        assert ("an AI-" in first) is (way.left is Left.SEEN), alone[way.name].said
    assert not any(one.basis for one in alone.values())


def test_no_word_opens_the_gate(gate: Gate, washed: dict[str, Washed]) -> None:
    """A mark that is seen, and a clone that cannot see, outweigh what an author signs."""
    declared = apply_each(gate, [one.declared for one in washed.values()])

    assert {name: one.reasons for name, one in declared.items()} == {
        way.name: _REASONS[way.left] for way in WAYS
    }
    assert _other_words(declared) == {}


def test_a_shallow_clone_cannot_begin(gate: Gate, tmp_path: Path) -> None:
    """Where the clone has no approved commit, nothing is attested from one."""
    work = Work.begin(gate, tmp_path / "work")
    work.commit("1", "By machine\n\nAI-Assisted: claude")
    work.commit("2")
    cut = tmp_path / "cut"
    work.git.git("clone", "-q", "--depth=1", f"file://{work.git.path}", str(cut))

    refused = gate.cli(
        *("attest", f"{work.base}..HEAD", "--repo", cut, "--cluster", "local"),
        *("--key", gate.stack.key(LEE), "--out", tmp_path / "out"),
    )

    assert refused.code == 1
    assert "the clone is shallow: fetch more" in refused.err


def _other_words(found: dict[str, One]) -> dict[str, str]:
    """Return the denials that give another reason than the way's own."""
    return {
        way.name: found[way.name].said
        for way in WAYS
        if _WHY[way.left] not in found[way.name].said
    }
