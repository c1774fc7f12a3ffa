"""``countersign completion``: a real bash completes by it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from countersign.faces.cli.session import Exit
from tests.support.cli import Run

_BASH = """
set -e
source "$1"
COMP_WORDS=({words}) COMP_CWORD={at} COMPREPLY=()
_countersign_completion countersign
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
_PROGRAMS = str(Path(sys.executable).parent)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("countersign ver", ["verify"], id="a command"),
        pytest.param("countersign verify --poli", ["--policies"], id="an option"),
        pytest.param("countersign keys gen", ["generate"], id="a command of a group"),
        pytest.param("countersign verify -o j", ["json"], id="a value"),
    ],
)
def test_bash_completes(
    words: str, expected: list[str], run: Run, tmp_path: Path
) -> None:
    """By the script that is printed, and the program itself."""
    script = tmp_path / "completion.bash"
    script.write_text(run("completion", "bash").out)
    text = _BASH.format(words=words, at=len(words.split()) - 1)
    done = subprocess.run(
        ["bash", "-c", text, "bash", str(script)],
        env={**os.environ, "PATH": f"{_PROGRAMS}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script(shell: str, run: Run) -> None:
    """It names the program."""
    ran = run("completion", shell)

    assert ran.code == Exit.DONE
    assert "_COUNTERSIGN_COMPLETE" in ran.out


def test_no_other_shell(run: Run) -> None:
    """Saying which there are."""
    ran = run("completion", "csh")

    assert ran.code == Exit.USAGE
    assert "fish" in ran.err
