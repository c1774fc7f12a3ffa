"""Asking the git executable: what only it knows, as where hooks are or who wrote a line."""

import os
import subprocess
from pathlib import Path

from countersign.core.errors import Malformed, Unavailable

# No program that a repository configures is started for a look at its work tree.
_QUIET = ("--no-pager", "-c", "core.fsmonitor=false")


def git(folder: Path, *arguments: str) -> bytes:
    """Return what ``git ARGUMENTS…`` prints in `folder`.

    Raises:
        Malformed: git refused; its own words are the reason.
        Unavailable: there is no git.
    """
    try:
        done = subprocess.run(  # noqa: S603 - arguments, never a shell's line
            ["git", *_QUIET, "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except OSError as error:
        raise Unavailable(f"expected a git to run, saw {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        reason = said.removeprefix("fatal: ") or f"exit code {done.returncode}"
        raise Malformed(f"git {_command(arguments)}: {reason}")
    return done.stdout


def _command(arguments: tuple[str, ...]) -> str:
    """Return the word after ``-c NAME=VALUE``."""
    at = 0
    while arguments[at] == "-c":
        at += 2
    return arguments[at]


def git_line(folder: Path, *arguments: str) -> str:
    """Return its output without the line's end; ``""`` where git refuses."""
    try:
        return git(folder, *arguments).decode(errors="surrogateescape").rstrip("\n")
    except Malformed:
        return ""
