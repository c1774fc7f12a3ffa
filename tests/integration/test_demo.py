"""The demo does what it says, and the README shows what it prints."""

import re
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tools.stack.demo import tell

_README = Path(__file__).parents[2] / "README.md"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ")


def test_the_readme_shows_what_the_demo_prints(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of the README's example is printed, in that order."""
    stack = gate.stack
    try:
        tell(stack, folder=stack.folder, colour=False)
    finally:
        stack.mint(stack.history.head)
    printed = iter(_timeless(capsys.readouterr().out))

    missing = [line for line in _example() if line not in printed]

    assert not missing


def _example() -> list[str]:
    text = _README.read_text().partition("```console\n")[2].partition("```")[0]
    assert text
    return _timeless(text)


def _timeless(text: str) -> list[str]:
    return [_TIME.sub("TIME", line) for line in text.splitlines()]
