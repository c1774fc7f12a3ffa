"""The command tree: names, help, exit codes, the form of errors."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from countersign.core.errors import Malformed, Unavailable
from countersign.faces.cli.group import COMMANDS
from countersign.faces.cli.sections import REST, SECTIONS
from countersign.faces.cli.session import Exit, NoInput
from tests.support.cli import Run

HEAVY = ("aiohttp", "kubernetes", "pydantic", "sigstore", "pygit2", "rich", "yaml")


class Broken(Mapping[str, str]):
    """An environment that cannot be read."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __getitem__(self, key: str) -> str:
        raise self._error

    def __iter__(self) -> Iterator[str]:
        raise self._error

    def __len__(self) -> int:
        raise self._error


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_what_the_table_says(name: str, run: Run) -> None:
    """The table is read instead of the modules, so it must not lie."""
    module, said = COMMANDS[name]
    command = import_module(module).command

    assert command.name == name
    assert command.get_short_help_str(limit=200) == said
    assert run(name, "--help").code == Exit.DONE


def test_help_lists_every_command(run: Run) -> None:
    """And nothing that is not there yet."""
    ran = run("--help")

    assert ran.code == Exit.DONE
    assert all(name in ran.out for name in COMMANDS)
    assert "dashboard" not in ran.out.split()


@pytest.mark.parametrize(
    "name",
    ["attest", "audit log", "explain", "gate", "policy impact", "sign-off", "verify"],
)
def test_many_options_have_headings(name: str, run: Run) -> None:
    """Each has one: only what all commands have stands under the last."""
    said = run(*name.split(), "--help").out
    _, first, _ = said.partition(f"\n{next(iter(SECTIONS))}:\n")
    _, last, rest = said.partition(f"\n{REST}:\n")

    assert first
    assert last
    listed = re.findall(r"^  (?:-\w, )?(--[\w-]+)", rest, re.MULTILINE)
    assert listed == ["--help", "--debug"]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_imports_nothing_heavy(name: str) -> None:
    """``--help`` answers in a blink because it does not load the machinery.

    Seen to fail for each command that imports its deed with its options.
    """
    # the options of a process are made of its settings, which are pydantic's
    needed = {"pydantic", "yaml"} if name in {"serve", "operate"} else set()
    heavy = [module for module in HEAVY if module not in needed]
    script = (
        f"import sys; from countersign.faces.cli import main; main({[*name.split(), '--help']!r});"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(["countersign"], id="console script"),
        pytest.param(["kubectl-countersign"], id="kubectl's plug-in"),
        pytest.param([sys.executable, "-m", "countersign"], id="module"),
    ],
)
def test_runs_as_a_process(program: list[str]) -> None:
    """By each of its names, and it calls itself by the one it was called."""
    folder = Path(sys.executable).parent
    first = folder / program[0] if "/" not in program[0] else Path(program[0])
    done = subprocess.run(
        [first, *program[1:], "no-such-command"],
        capture_output=True,
        text=True,
        check=False,
    )

    shown = "kubectl countersign" if "kubectl" in program[0] else "countersign"
    assert done.returncode == Exit.USAGE
    assert done.stdout == ""
    assert f"Usage: {shown} " in done.stderr
    assert "no-such-command" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completes_in_shells(shell: str) -> None:
    """The script that a shell evaluates."""
    done = subprocess.run(
        [Path(sys.executable).parent / "countersign"],
        capture_output=True,
        text=True,
        check=False,
        env={"_COUNTERSIGN_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"},
    )

    assert "_COUNTERSIGN_COMPLETE" in done.stdout


def test_completes_commands_without_importing_them() -> None:
    """A shell asks on every key."""
    script = (
        "import sys; from countersign.faces.cli import cli; import click;"
        "found = cli.shell_complete(click.Context(cli), 's');"
        "print([item.value for item in found]);"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == [
        "['serve', 'sign-off', 'static-admission', 'status']",
        "[]",
    ]


def test_a_reader_that_goes_away_is_no_fault() -> None:
    """``countersign … | head`` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "countersign", "serve", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert done.stderr == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(Malformed("expected a, saw b"), Exit.UNDECIDED, id="malformed"),
        pytest.param(Unavailable("no answer"), Exit.UNDECIDED, id="unavailable"),
        pytest.param(NoInput("expected files"), Exit.NO_INPUT, id="no input"),
        pytest.param(click.UsageError("expected -f"), Exit.USAGE, id="usage"),
        pytest.param(click.Abort(), Exit.UNDECIDED, id="the person stopped it"),
        pytest.param(KeyboardInterrupt(), Exit.UNDECIDED, id="interrupted"),
        pytest.param(ZeroDivisionError("oh"), Exit.UNDECIDED, id="a fault of ours"),
    ],
)
@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
def test_every_error_has_its_code(
    error: BaseException, code: Exit, debug: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    """Doubt is never success, and a traceback is only shown to those who ask."""
    ran = run("keys", "generate", tmp_path / "k", *debug, environ=Broken(error))

    assert ran.code == code
    assert ran.out == ""
    assert str(error) in ran.err
    asked = bool(debug) and not isinstance(
        error, click.UsageError | click.Abort | KeyboardInterrupt
    )
    assert ("Traceback" in ran.err) is asked


def test_a_fault_of_ours_says_so(run: Run, tmp_path: Path) -> None:
    """And how to see more."""
    ran = run(
        "keys", "generate", tmp_path / "k", environ=Broken(ZeroDivisionError("x"))
    )

    assert "ZeroDivisionError: x" in ran.err
    assert "--debug" in ran.err


def test_without_a_command_it_shows_its_help(run: Run) -> None:
    """As usage, since nothing was done."""
    ran = run()

    assert ran.code == Exit.USAGE
    assert "Commands:" in ran.err


def test_tells_its_version(run: Run) -> None:
    """As installed."""
    assert run("--version").out.strip() == version("countersign")


def test_no_log_gets_between_what_people_are_told() -> None:
    """Python prints warnings that nobody handles, as bare as ``registry_unavailable``."""
    told = logging.getLogger("countersign").handlers

    assert any(isinstance(handler, logging.NullHandler) for handler in told)
