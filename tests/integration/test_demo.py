"""The demo does what it says, and the README shows what it prints."""

import re
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tools.stack.demo import tell

_README = Path(__file__).parents[2] / "README.md"
_DIFFERS = {  # from run to run
    "TIME": r"\d{4}-\d\d-\d\dT\d\d:\d\dZ",
    "DECISION": r"\b[0-9A-HJKMNP-TV-Z]{26}\b",
    "SET": r"(?<=-)[0-9a-f]{32}\b",
    "DIGEST": r"\bsha256:[0-9a-f]{12}\b",
}


def test_the_readme_shows_what_the_demo_prints(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of the README's example is printed, in that order."""
    stack = gate.stack
    try:
        tell(stack, folder=stack.folder, colour=False)
    finally:
        stack.mint(stack.history.head)
    printed = iter(_settled(capsys.readouterr().out))

    missing = [line for line in _example() if line not in printed]

    assert not missing


def _example() -> list[str]:
    text = _README.read_text().partition("```console\n")[2].partition("```")[0]
    assert text
    return _settled(text)


def _settled(text: str) -> list[str]:
    """Return the lines of `text`, with names for what is different each time."""
    for name, pattern in _DIFFERS.items():
        text = re.sub(pattern, name, text)
    return text.splitlines()
