"""Each warning and error of the log is named where people look."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LINE = re.compile(r'logger\.(?:warning|error|exception|critical)\(\s*"([a-z_]+)"')


def test_each_trouble_that_is_logged_is_on_a_page() -> None:
    """By its whole name, in code spans."""
    sources = (_ROOT / "controller").rglob("*.py")
    told = {name for file in sources for name in _LINE.findall(file.read_text())}
    pages = " ".join(page.read_text() for page in (_ROOT / "docs").glob("*.md"))

    assert len(told) > 30
    assert not sorted(name for name in told if f"`{name}`" not in pages)
