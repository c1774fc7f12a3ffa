"""Notes of git-ai, as the standard's examples write them, and as nobody should."""

import json

import pytest

from countersign.core.types.evidence import Assistance, Contributor, Lines, Part
from countersign.provenance.commits import ChangedFile, Gap, Unseen
from countersign.provenance.derive import derive
from countersign.provenance.marks import MarkKind, Tool
from countersign.provenance.notes import MAX_NOTE, read_note
from countersign.provenance.records import Attested, Session
from countersign.provenance.registry import known_agents
from tests.support.commits import commit, history

AGENTS = known_agents()
META = {
    "schema_version": "authorship/3.0.0",
    "git_ai_version": "1.4.5",
    "base_commit_sha": "7734793b756b3921c88db5375a8c156e9532447b",
    "prompts": {
        "abcd1234abcd1234": {
            "agent_id": {"tool": "copilot", "id": "old", "model": "gpt-4"},
            "human_author": "Ravi <Ravi@example.com>",
            "accepted_lines": 20,
        }
    },
    "humans": {"h_31dce776f88375": {"author": "Dana Lee <dana@example.com>"}},
    "sessions": {
        "s_c9883b05a2487d": {
            "agent_id": {
                "tool": "cursor",
                "id": "6ef2299e",
                "model": "claude-sonnet-4-5",
            },
            "human_author": "lee@example.com",
        }
    },
}
LINES = """src/ledger.go
  s_c9883b05a2487d::t_9f8e7d6c5b4a32 1-10,15-20
  s_c9883b05a2487d::t_a1b2c3d4e5f678 25
  h_31dce776f88375 42-50
"src/my file.go"
  abcd1234abcd1234 1-50
"""
NOTE = f"{LINES}---\n{json.dumps(META)}"


def session_note(spans: str, tool: str = "cursor") -> str:
    """Return a note of one session about ``src/ledger.go``."""
    session = {"agent_id": {"tool": tool, "id": "1", "model": "gpt-5"}}
    meta = {"schema_version": "authorship/3.0.0", "sessions": {"s_1": session}}
    return f"src/ledger.go\n  s_1::t_1 {spans}\n---\n{json.dumps(meta)}"


def test_reads_all_three_kinds_of_keys() -> None:
    """Sessions, prompts of older versions, and persons."""
    note = read_note(NOTE)

    assert note.readable
    assert note.sessions == {
        Session("abcd1234abcd1234", "copilot", "gpt-4", "ravi@example.com"),
        Session("s_c9883b05a2487d", "cursor", "claude-sonnet-4-5", "lee@example.com"),
    }
    assert note.lines == {
        Attested("src/ledger.go", 1, 10),
        Attested("src/ledger.go", 15, 20),
        Attested("src/ledger.go", 25, 25),
        Attested("src/my file.go", 1, 50),
    }
    assert note.humans == {"dana@example.com"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("hi\n", id="prose"),
        pytest.param(LINES, id="no metadata"),
        pytest.param(f"{LINES}---\n{{", id="cut off"),
        pytest.param(NOTE.replace("/3.0.0", "/4.0.0"), id="another version"),
        pytest.param(NOTE.replace(" 25\n", " 9-2\n"), id="lines backwards"),
        pytest.param(NOTE.replace(" 25\n", " 9" + "9" * 40 + "\n"), id="a huge line"),
        pytest.param(NOTE.replace(" 25\n", " all\n"), id="lines in words"),
        pytest.param(NOTE + " " * MAX_NOTE, id="too long"),
        pytest.param("---\n[]", id="metadata that is no object"),
        pytest.param("---\n" + "[" * 100_000, id="metadata without a bottom"),
    ],
)
def test_what_it_does_not_understand_it_says(text: str) -> None:
    """What else stands in the note counts all the same."""
    assert not read_note(text).readable
    if "s_c9883b05a2487d::" in text:
        assert any(one.id == "s_c9883b05a2487d" for one in read_note(text).sessions)
    found = derive(history(commit(note=text)), AGENTS)

    assert {one.gap for one in found.unseen} == {Gap.NOTE}


def test_no_note_says_nothing() -> None:
    """Most commits have none."""
    assert derive(history(commit()), AGENTS).complete


def test_counts_the_lines_that_a_session_wrote() -> None:
    """The rest is of nobody knows whom, whoever is said to have typed it."""
    made = commit(
        files=(ChangedFile("src/ledger.go", 60), ChangedFile("README", 1)), note=NOTE
    )

    found = derive(history(made), AGENTS)

    assert found.lines == Lines(ai=17, unknown=44)
    assert found.assistance is Assistance.MIXED
    assert found.tools == (
        Tool("copilot", model="gpt-4"),
        Tool("cursor", model="claude-sonnet-4-5"),
    )


def test_names_who_prompted_and_who_typed() -> None:
    """Nobody of them may approve alone."""
    found = derive(history(commit(note=NOTE)), AGENTS)

    assert found.contributors >= {
        Contributor(Part.PROMPTER, "lee@example.com"),
        Contributor(Part.PROMPTER, "ravi@example.com"),
        Contributor(Part.AUTHOR, "dana@example.com"),
    }


@pytest.mark.parametrize(
    ("spans", "claims"),
    [
        pytest.param("1-3", Assistance.AI, id="all lines"),
        pytest.param("1,2,3", Assistance.AI, id="one by one"),
        pytest.param("1-2", Assistance.MIXED, id="some lines"),
        pytest.param("7-9", Assistance.MIXED, id="lines that are not there"),
    ],
)
def test_all_lines_or_some(spans: str, claims: Assistance) -> None:
    """AI where every new line is a session's, else mixed."""
    found = derive(history(commit(note=session_note(spans))), AGENTS)

    assert found.assistance is claims
    assert [m.kind for judged in found.commits for m in judged.marks] == [MarkKind.NOTE]


def test_a_session_whose_lines_are_gone_had_a_hand_in_it() -> None:
    """It is described, and attested nowhere."""
    note = f"---\n{json.dumps(META)}"

    assert derive(history(commit(note=note)), AGENTS).assistance is Assistance.MIXED


def test_a_note_of_persons_makes_nothing_human() -> None:
    """Whoever may push notes may write that everything was typed."""
    meta = {**META, "sessions": {}, "prompts": {}}
    note = f"src/ledger.go\n  h_31dce776f88375 1-3\n---\n{json.dumps(meta)}"

    found = derive(history(commit(note=note)), AGENTS)

    assert found.assistance is Assistance.UNKNOWN
    assert found.lines == Lines(unknown=3)


def test_a_note_never_takes_lines_from_a_mark() -> None:
    """A trailer speaks of the whole commit; a forged note would make it look small."""
    message = "x\n\nAssisted-by: Cursor:gpt-5"

    found = derive(history(commit(message, note=session_note("1"))), AGENTS)

    assert found.lines == Lines(ai=3)
    assert found.files()["src/ledger.go"] == {Assistance.AI: 1, Assistance.MIXED: 2}


def test_lines_follow_their_commit() -> None:
    """A note is about its commit's version; later commits move the lines."""
    first = commit(files=(ChangedFile("src/ledger.go", 10),), note=session_note("1-4"))
    second = commit("On top", files=(ChangedFile("src/ledger.go", 5),))
    third = commit("Over it", files=(ChangedFile("src/ledger.go", 1, 7),))

    found = derive(history(first, second, third), AGENTS)

    # the third replaces five lines of the second and two of the session's
    assert found.lines == Lines(ai=2, unknown=7)


def test_unreadable_names_its_commit() -> None:
    """So that somebody can look at it."""
    made = commit(note="?")

    found = derive(history(made), AGENTS)

    assert found.unseen == (Unseen(Gap.NOTE, made.digest.value),)
