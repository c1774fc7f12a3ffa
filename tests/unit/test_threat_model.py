"""What docs/threat-model.md says is shown by a test, is shown by one that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_DOC = ROOT / "docs" / "threat-model.md"
_NAMED = re.compile(r"`([\w./*-]+)`")
_SHOWS = ("tests/", "test_", "docs/", "controller/")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of each row of the first table whose header is this."""
    lines = iter(_DOC.read_text().splitlines())
    assert any(line.startswith(heading) for line in lines), heading
    next(lines)
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("| ").split(" | ")])
    return found


def missing(cell: str) -> list[str]:
    """Return what a cell names and is not there; a bare name is beside the last one."""
    folder, lost = ROOT, []
    for name in _NAMED.findall(cell):
        if not name.startswith(_SHOWS):
            continue
        base = folder if name.startswith("test_") else ROOT
        there = sorted(base.glob(name))
        if not there:
            lost.append(name)
        else:
            folder = there[0].parent
    return lost


def test_every_way_round_names_what_shows_it() -> None:
    """Nobody has to believe the table."""
    ways = rows("| the attacker … |")

    assert len(ways) > 50
    for cells in ways:
        *_, shown = cells
        assert len(cells) == 3, cells
        assert missing(shown) == [], cells[0]
        named = any(name.startswith(_SHOWS) for name in _NAMED.findall(shown))
        assert named or shown.startswith("the same"), cells[0]


def test_each_kind_of_threat_names_tests() -> None:
    """All six of them."""
    kinds = {cells[0]: cells[-1] for cells in rows("| | who, by which path |")}

    assert [*kinds] == [
        "spoofing",
        "tampering",
        "repudiation",
        "disclosure",
        "denial of service",
        "elevation",
    ]
    for kind, shown in kinds.items():
        assert len(_NAMED.findall(shown)) > 1, kind
        assert missing(shown) == [], kind


def test_a_test_that_is_not_there_is_found() -> None:
    """The check itself."""
    assert missing("`tests/unit/test_threat_model.py`, `test_nothing.py`") == [
        "test_nothing.py"
    ]
