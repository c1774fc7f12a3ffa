"""Which links are called dead."""

from pathlib import Path

import pytest

from tools.doclinks import anchors, dead_links

_OTHER = """
# The glossary

## `make up`, and *what* it leaves
## Twice
## Twice
<a id="by-hand"></a>
"""


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text(_OTHER)
    (tmp_path / "docs" / "a file.txt").touch()
    return tmp_path


def why_dead(root: Path, text: str) -> list[str]:
    """Return why the links of a document with `text` are dead."""
    (root / "docs" / "one.md").write_text(text)
    return [one.why for one in dead_links(root)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[a](other.md)", id="a file beside it"),
        pytest.param("[a](../docs)", id="a folder"),
        pytest.param("[a](/docs/other.md)", id="from the root"),
        pytest.param("[a](a%20file.txt)", id="an escaped name"),
        pytest.param("[a](<other.md> 'title')", id="brackets and a title"),
        pytest.param("[a](other.md#the-glossary)", id="a heading"),
        pytest.param("[a](other.md#make-up-and-what-it-leaves)", id="with marks"),
        pytest.param("[a](other.md#twice-1)", id="the second of its name"),
        pytest.param("[a](other.md#by-hand)", id="an anchor in HTML"),
        pytest.param("# Here\n[a](#here)", id="in the same file"),
        pytest.param("[a](https://example.com/gone)", id="on the network"),
        pytest.param("`[a](gone.md)`", id="in code"),
        pytest.param("```\n[a](gone.md)\n```", id="in a fence"),
        pytest.param("[a]: other.md", id="a definition"),
    ],
)
def test_passes_what_is_alive(root: Path, text: str) -> None:
    """As GitHub would follow it."""
    assert why_dead(root, text) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("[a](gone.md)", "no such file", id="a file"),
        pytest.param("![a](gone.png)", "no such file", id="a picture"),
        pytest.param("[a](other.md#gone)", "no such heading", id="a heading"),
        pytest.param("[a](#gone)", "no such heading", id="in the same file"),
        pytest.param("[a]: gone.md", "no such file", id="a definition"),
        pytest.param("```\n```\n[a](gone.md)", "no such file", id="after a fence"),
        pytest.param("``` x\n~~~\n```\n[a](gone.md)", "no such file", id="other fence"),
        pytest.param("`a` [a](gone.md) `b`", "no such file", id="between code"),
        pytest.param("[a](other.md) [b](gone.md)", "no such file", id="the second"),
    ],
)
def test_finds_what_is_dead(root: Path, text: str, why: str) -> None:
    """And says what is not there."""
    assert why_dead(root, text) == [why]


def test_says_where(root: Path) -> None:
    """As editors can follow it."""
    (root / "docs" / "one.md").write_text("\n\n[a](gone.md)")

    assert [str(one) for one in dead_links(root)] == [
        "docs/one.md:3: gone.md: no such file"
    ]


def test_leaves_hidden_folders_alone(root: Path) -> None:
    """Other people's packages are in there."""
    (root / ".venv").mkdir()
    (root / ".venv" / "readme.md").write_text("[a](gone.md)")

    assert dead_links(root) == []


def test_knows_the_anchors_of_a_document(root: Path) -> None:
    """Of headings as GitHub makes them."""
    assert anchors(root / "docs" / "other.md") == {
        "the-glossary",
        "make-up-and-what-it-leaves",
        "twice",
        "twice-1",
        "by-hand",
    }
