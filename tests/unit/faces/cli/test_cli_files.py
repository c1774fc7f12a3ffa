"""What ``-f`` takes, and what a terminal is shown."""

import io
import sys
from pathlib import Path

import pytest

from countersign.core.errors import Malformed, Unavailable
from countersign.faces.cli.files import MAX_FILE, read_file, read_inputs
from countersign.faces.cli.session import NoInput
from countersign.faces.cli.text import one_line, visible


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name in ("b.yaml", "a.yml", "c.json", "notes.txt", "sub/d.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("b.yaml", ["b.yaml"], id="a file"),
        pytest.param("notes.txt", ["notes.txt"], id="a file of any name"),
        pytest.param("", ["a.yml", "b.yaml", "c.json"], id="a folder, not below"),
        pytest.param("*.y*ml", ["a.yml", "b.yaml"], id="a pattern"),
        pytest.param("s*", ["sub/d.yaml"], id="a pattern that names a folder"),
    ],
)
def test_reads_what_kubectl_reads(name: str, expected: list[str], folder: Path) -> None:
    """In an order that does not change."""
    found = read_inputs([f"{folder}/{name}"])

    assert [content.decode() for _, content in found] == expected


def test_reads_folders_below(folder: Path) -> None:
    """As kubectl does with -R; not what is of another name."""
    found = read_inputs([str(folder)], recursive=True)

    assert [content.decode() for _, content in found] == [
        *("a.yml", "b.yaml", "c.json", "sub/d.yaml")
    ]


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what another program rendered."""
    stdin = io.TextIOWrapper(io.BytesIO(b"kind: List"))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert read_inputs(["-"]) == [("-", b"kind: List")]


@pytest.mark.parametrize("name", ["missing.yaml", "*.toml", "empty"])
def test_nothing_is_a_failure(name: str, folder: Path) -> None:
    """Zero files must not pass for zero problems."""
    (folder / "empty").mkdir()

    with pytest.raises(NoInput):
        read_inputs([f"{folder}/{name}"])


def test_bounds_what_it_reads(tmp_path: Path) -> None:
    """A file larger than any manifest is none."""
    with (tmp_path / "big").open("wb") as stream:
        stream.truncate(MAX_FILE + 1)

    with pytest.raises(Malformed, match="at most"):
        read_file(str(tmp_path / "big"))


def test_says_what_it_cannot_read(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(Unavailable, match="could not read"):
        read_file(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("caf\xe9 \u65e5\u672c", "caf\xe9 \u65e5\u672c", id="letters"),
        pytest.param("a\x1b[2Jb", "a\\u{001b}[2Jb", id="a terminal's orders"),
        pytest.param("a\rb", "a\\u{000d}b", id="a line written over"),
        pytest.param("a\u202eb", "a\\u{202e}b", id="turned round"),
        pytest.param("a\u200bb", "a\\u{200b}b", id="of no width"),
        pytest.param("a\u2028b", "a\\u{2028}b", id="another line's end"),
        pytest.param("a\tb\nc", "a\tb\nc", id="layout"),
    ],
)
def test_nothing_hides_in_text(text: str, shown: str) -> None:
    """A reviewer sees what is there (CVE-2021-42574)."""
    assert visible(text) == shown


def test_one_line_is_one_line() -> None:
    """Whatever somebody put into a name."""
    assert one_line("a\n\n  b", 10) == "a b"
    assert one_line("x" * 20, 10) == "x" * 9 + "\u2026"
