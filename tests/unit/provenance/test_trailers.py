"""Marks in commit messages, against messages as assistants really write them."""

from pathlib import Path

import pytest

from countersign.core.types.evidence import Assistance
from countersign.provenance.marks import MAX_VALUE, MarkKind, Tool
from countersign.provenance.registry import known_agents
from countersign.provenance.trailers import co_authors, marks_in

AGENTS = known_agents()
MESSAGES = Path(__file__).parent / "messages"


def tools_in(message: str) -> set[str]:
    """Return the names of the assistants that `message` marks."""
    return {mark.tool.name for mark in marks_in(message, AGENTS)}


@pytest.mark.parametrize("file", sorted(MESSAGES.glob("*.txt")), ids=lambda f: f.stem)
def test_recognises_what_assistants_write(file: Path) -> None:
    """Each file is named for the assistant it must be recognised as, or for nobody."""
    expected = file.stem.partition(".")[0]

    found = tools_in(file.read_text("utf-8"))

    assert found == (set() if expected == "nobody" else {expected})


@pytest.mark.parametrize(
    ("line", "claims", "tool"),
    [
        pytest.param(
            "Assisted-by: Claude:claude-opus-4.5 coccinelle sparse",
            Assistance.MIXED,
            Tool("claude", model="claude-opus-4.5"),
            id="the kernel's form",
        ),
        pytest.param(
            "Assisted-by: gemini-cli/2.5",
            Assistance.MIXED,
            Tool("gemini", version="2.5"),
            id="agent and version",
        ),
        pytest.param(
            "assisted-BY: a friendly robot",
            Assistance.MIXED,
            Tool("a friendly robot"),
            id="free text, keys in any case",
        ),
        pytest.param(
            "AI-Assisted: amazon-q/2026-03",
            Assistance.MIXED,
            Tool("amazon-q", version="2026-03"),
            id="tool and version",
        ),
        pytest.param("AI-Assisted: true", Assistance.MIXED, Tool(""), id="a bare yes"),
        pytest.param(
            "AI-Assisted-by: Qwen", Assistance.MIXED, Tool("qwen-coder"), id="an alias"
        ),
        pytest.param(
            "Generated-by: ChatGPT (gpt-5)",
            Assistance.AI,
            Tool("codex", model="gpt-5"),
            id="generated, with a model",
        ),
        pytest.param(
            "Generated-by: https://ai.example/thing",
            Assistance.AI,
            Tool("https://ai.example/thing"),
            id="an address is no version",
        ),
    ],
)
def test_reads_the_grammar(line: str, claims: Assistance, tool: Tool) -> None:
    """Each form of the grammar gives its tool and its claim."""
    (mark,) = marks_in(f"Fix the ledger\n\n{line}\n", AGENTS)

    assert (mark.kind, mark.claims, mark.tool) == (MarkKind.TRAILER, claims, tool)


@pytest.mark.parametrize("word", ["none", "false", "No", "n/a", "0", ""])
@pytest.mark.parametrize("key", ["AI-Assisted", "Assisted-by", "Generated-by"])
def test_a_no_is_no_mark_and_takes_none_away(key: str, word: str) -> None:
    """``none`` and ``false`` say nothing, whatever stands beside them."""
    message = f"Fix\n\n{key}: {word}\nAssisted-by: Claude:opus\n"

    assert marks_in(f"Fix\n\n{key}: {word}\n", AGENTS) == ()
    assert tools_in(message) == {"claude"}


@pytest.mark.parametrize(
    "message",
    [
        "* Fix (#1)\n\n  Co-authored-by: x <noreply@anthropic.com>\n\n* More\n\nBye",
        "> Co-Authored-By: x <noreply@anthropic.com>\n\nquoted, then prose",
        "* Co-authored-by: x <NoReply@Anthropic.com>",
        "Fix\n\nCo-authored-by: a very long name\n <noreply@anthropic.com>\n",
        "Fix\n\nCo-authored-by:\n a name\n\tof many words\n <noreply@anthropic.com>\n",
        "Fix\r\n\r\nCo-authored-by: x <noreply@anthropic.com>\r\n\r\nSigned-off-by: y",
        "Fix\n\nCo-authored-by: x <noreply@anthropic.com>\n(cherry picked from commit 1d)",
        'Revert "Fix"\n\nThis reverts commit 1d:\n\n  Co-authored-by: x <noreply@anthropic.com>',
        "Merge branch 'x'\n\n* x:\n  Fix\n  Signed-off-by: x <noreply@anthropic.com>",
        "**Co-Authored-By:** x <noreply@anthropic.com>",
        "_Assisted-by: x <noreply@anthropic.com>_",
        "Gr\xfc\xdfe\n\n\uff23o-authored-by\uff1a \u540d\u524d <noreply@anthropic.com>",
        "Fix\n\n\ufeffCo-\u00adauthored-by: x <noreply@\u200banthropic.com>",
        "Fix\n\n\xa0\u3000Co-authored-by: x <noreply@anthropic.com>",
        "Fix\n\nCo-developed-by: x <noreply@anthropic.com>",
    ],
    ids=[
        "in a squash",
        "quoted",
        "a list item",
        "folded",
        "folded thrice",
        "with CRLF",
        "cherry-picked",
        "reverted",
        "in a merge's log",
        "in bold",
        "in italics",
        "in full width",
        "with what nobody sees",
        "behind odd spaces",
        "as the kernel names it",
    ],
)
def test_finds_trailers_anywhere(message: str) -> None:
    """Trailers count wherever in the message they ended up."""
    assert tools_in(message) == {"claude"}


def test_who_reviewed_had_no_hand_in_it() -> None:
    """A robot that looks at code wrote none of it."""
    message = "Fix\n\nReviewed-by: Copilot <copilot@github.com>\n"

    assert marks_in(message, AGENTS) == ()


def test_a_display_name_is_no_assistant() -> None:
    """Anyone may be called Claude."""
    message = "Fix\n\nCo-authored-by: Claude <claude.monet@example.com>\n"

    assert marks_in(message, AGENTS) == ()
    assert co_authors(message) == ("claude.monet@example.com",)


def test_prose_about_tools_is_no_mark() -> None:
    """Words that happen to be names of assistants do not raise a change."""
    message = "Continue the cursor work\n\nGenerated with cursor-pagination, see Amp."

    assert marks_in(message, AGENTS) == ()


def test_keeps_the_session() -> None:
    """What the trailer of a session names can be looked up later."""
    thread = "https://ampcode.com/threads/T-1"

    (mark,) = marks_in(f"x\n\nAmp-Thread-ID: {thread}\n", AGENTS)

    assert (mark.kind, mark.session) == (MarkKind.SESSION, thread)


def test_what_is_kept_is_bounded() -> None:
    """A mark as long as a message does not make a statement as long."""
    (mark,) = marks_in("Assisted-by: " + "x" * 100_000, AGENTS)

    assert len(mark.value) == MAX_VALUE
    assert len(mark.tool.name) <= MAX_VALUE
