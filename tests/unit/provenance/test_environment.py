"""What assistants show to the commands that they run, as data."""

import pytest

from countersign.core.errors import Malformed
from countersign.provenance.environment import Surroundings, known_surroundings
from countersign.provenance.registry import known_agents


def test_each_is_of_a_known_assistant_and_says_something() -> None:
    """And no two are told by the same."""
    all_of_them = known_surroundings()
    names = {agent.name for agent in known_agents().agents}
    told = [
        mark
        for seen in all_of_them
        for mark in (*seen.variables, *seen.values, *seen.processes)
    ]

    assert {seen.agent for seen in all_of_them} <= names
    assert all(seen.variables or seen.values or seen.processes for seen in all_of_them)
    assert len(told) == len(set(told))


def test_what_every_terminal_of_an_editor_has_is_no_sign() -> None:
    """People type there, too."""
    told = {name for seen in known_surroundings() for name in seen.variables}

    assert not told & {"CURSOR_TRACE_ID", "TERM_PROGRAM", "VSCODE_PID", "REPL_ID"}


@pytest.mark.parametrize(
    "bad",
    [
        {"agent": "a b"},
        {"agent": "x", "variables": ("A-B",)},
        {"agent": "x", "variables": ("lower",)},
        {"agent": "x", "values": (("A", "$(touch x)"),)},
        {"agent": "x", "values": (("A B", "x"),)},
        {"agent": "x", "processes": ("a|b",)},
        {"agent": "x", "processes": ("longer-than-linux-keeps",)},
        {"agent": "x", "models": ("A};x",)},
    ],
)
def test_nothing_in_it_means_anything_to_a_shell(bad: dict[str, object]) -> None:
    """It becomes words of a script."""
    with pytest.raises(Malformed, match="in the environment of"):
        Surroundings(**bad)  # type: ignore[arg-type]
