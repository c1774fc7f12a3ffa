"""Notes of commits that became one: git puts them one after the other."""

import json

from countersign.core.types.evidence import Assistance
from countersign.provenance.notes import MAX_JOINED, read_note
from countersign.provenance.records import MAX_LINE, Attested


def _note(path: str, lines: str, session: str) -> str:
    agent = {"agent_id": {"tool": "claude", "id": "1", "model": "opus"}}
    meta = {"schema_version": "authorship/3.0.0", "sessions": {session: agent}}
    text = json.dumps(meta, indent=2)
    return f"{path}\n  {session}::t_{'0' * 14} {lines}\n---\n{text}\n"


ONE, TWO = _note("a.go", "5-7", "s_1"), _note("b.go", "2", "s_2")


def test_both_are_read() -> None:
    """Sessions of all; of the files that they name any line may be meant."""
    record = read_note(f"{ONE}\n{TWO}")

    assert record.readable
    assert {session.id for session in record.sessions} == {"s_1", "s_2"}
    assert {session.tool for session in record.sessions} == {"claude"}
    assert record.lines == {
        *(*read_note(ONE).lines, *read_note(TWO).lines),
        Attested("a.go", 1, MAX_LINE, Assistance.MIXED),
        Attested("b.go", 1, MAX_LINE, Assistance.MIXED),
    }


def test_the_same_note_twice_is_one() -> None:
    """Two who carry it along are no reason for doubt."""
    assert read_note(f"{ONE}\n{ONE}") == read_note(ONE)
    assert read_note(ONE).lines == {Attested("a.go", 5, 7)}


def test_what_cannot_be_read_behind_a_note_is_said() -> None:
    """And loses nothing of the note before it."""
    record = read_note(f"{ONE}\nwhatever")

    assert not record.readable
    assert {session.id for session in record.sessions} == {"s_1"}
    assert {line.path for line in record.lines} == {"a.go"}


def test_there_is_an_end_to_it() -> None:
    """What is beyond was not seen."""
    many = [_note("a.go", str(number + 1), "s_1") for number in range(MAX_JOINED + 1)]

    assert read_note("\n".join(many[:-1])).readable
    assert not read_note("\n".join(many)).readable
