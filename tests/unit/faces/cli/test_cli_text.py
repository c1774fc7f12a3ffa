"""Text of others, as it is printed."""

import pytest

from countersign.faces.cli.text import for_runner, one_line
from countersign.faces.cli.words import listed


@pytest.mark.parametrize(
    "name", ["##[error]Lee", "::add-mask::denied", " \n ::stop-commands::x"]
)
def test_a_name_commands_no_runner(name: str) -> None:
    """Wherever its line begins: GitHub's runner reads what steps print."""
    for said in (one_line(name), listed([name]), for_runner(f"error\n{name}")):
        assert "##[" not in said
        assert not any(line.lstrip().startswith("::") for line in said.splitlines())
