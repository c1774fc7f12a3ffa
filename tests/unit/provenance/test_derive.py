"""What a history shows of how it was made."""

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.evidence import Assistance, Contributor, Lines, Part
from countersign.provenance.commits import ChangedFile, Commit, History
from countersign.provenance.derive import derive
from countersign.provenance.marks import Tool
from countersign.provenance.registry import known_agents
from countersign.provenance.trailers import MAX_MESSAGE
from tests.support.commits import commit, history

AGENTS = known_agents()
COPILOT = "198982749+Copilot@users.noreply.github.com"


def test_silence_is_unknown_and_never_human() -> None:
    """Nobody says who wrote a commit without marks."""
    found = derive(history(commit(), commit("Another")), AGENTS)

    assert found.assistance is Assistance.UNKNOWN
    assert found.complete
    assert found.marked == 0
    assert found.lines == Lines(unknown=6)


def test_the_worst_commit_decides() -> None:
    """One assisted commit makes the range assisted."""
    found = derive(
        history(
            commit(),
            commit("x\n\nAI-Assisted: amazon-q/2026-03"),
            commit("Another", files=(ChangedFile("a", 1, 1),)),
        ),
        AGENTS,
    )

    assert found.assistance is Assistance.MIXED
    assert found.marked == 1
    assert found.tools == (Tool("amazon-q", version="2026-03"),)
    assert found.lines == Lines(ai=3, unknown=4)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(commit(author=COPILOT), Assistance.AI, id="author"),
        pytest.param(commit(committer=COPILOT), Assistance.MIXED, id="committer"),
        pytest.param(commit(name="Dev (aider)"), Assistance.MIXED, id="aider's suffix"),
        pytest.param(
            commit("x\n\nGenerated-by: Claude"), Assistance.AI, id="generated"
        ),
    ],
)
def test_identities_count(made: Commit, expected: Assistance) -> None:
    """Agents are seen as authors and committers too."""
    assert derive(history(made), AGENTS).assistance is expected


def test_a_branch_marks_every_commit_of_the_range() -> None:
    """Assistants name the branches they open."""
    found = derive(
        history(commit(), commit("More"), branches=("main", "codex/fix-1")), AGENTS
    )

    assert found.assistance is Assistance.MIXED
    assert found.marked == 2


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(history(commit(), shallow=True), id="a shallow clone"),
        pytest.param(history(commit("x" * (MAX_MESSAGE + 1))), id="a message too long"),
    ],
)
def test_what_was_out_of_sight_is_incomplete(seen: History) -> None:
    """Nobody may take for silence what was not read."""
    assert not derive(seen, AGENTS).complete


def test_an_empty_range_says_nothing() -> None:
    """Zero commits is a failure, never an empty loop."""
    with pytest.raises(Malformed, match="at least one commit"):
        derive(history(), AGENTS)


def test_names_everybody_who_took_part() -> None:
    """Authors, co-authors and committers; assistants are told from persons."""
    message = (
        "x\n\nCo-authored-by: Ravi <Ravi@example.com>\n"
        "Co-authored-by: Claude <noreply@anthropic.com>"
    )
    found = derive(history(commit(message, committer="ci@example.com")), AGENTS)

    assert found.contributors == {
        Contributor(Part.AUTHOR, "dev@example.com"),
        Contributor(Part.AUTHOR, "ravi@example.com"),
        Contributor(Part.AUTHOR, "noreply@anthropic.com", agent=True),
        Contributor(Part.COMMITTER, "ci@example.com"),
    }


def test_beside_an_assistant_a_co_author_is_who_prompted_it() -> None:
    """Copilot's agent commits as itself and names whoever asked for the change."""
    message = "x\n\nCo-authored-by: lee <12345+Lee@users.noreply.github.com>"
    found = derive(
        history(commit(message, author=COPILOT, committer="noreply@github.com")), AGENTS
    )

    assert found.contributors == {
        Contributor(Part.AUTHOR, COPILOT.lower(), agent=True),
        Contributor(Part.PROMPTER, "12345+lee@users.noreply.github.com"),
    }


def test_a_forge_is_nobody() -> None:
    """Whoever pressed the merge button is not named by the forge's address."""
    found = derive(history(commit(committer="noreply@github.com")), AGENTS)

    assert found.contributors == {Contributor(Part.AUTHOR, "dev@example.com")}


def test_an_author_without_address_is_still_an_author() -> None:
    """Nobody drops out of the authors by an empty field."""
    found = derive(history(commit(author=" ", name="Mallory")), AGENTS)

    assert Contributor(Part.AUTHOR, "Mallory") in found.contributors


def test_books_lines_by_file() -> None:
    """Each path tells how many of its lines were changed in which state."""
    both = (ChangedFile("a", 2), ChangedFile("b", 1))
    found = derive(
        history(commit(files=both), commit("x\n\nGenerated-by: Amp", files=both[:1])),
        AGENTS,
    )

    assert found.files() == {
        "a": {Assistance.UNKNOWN: 2, Assistance.AI: 2},
        "b": {Assistance.UNKNOWN: 1},
    }
