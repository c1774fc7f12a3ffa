"""Runs a person's commands as they stand, and shows them with what they print."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.stack.people import Someone
from tools.stack.stack import Stack

_DIM, _BOLD, _OFF = "\033[2m", "\033[1m", "\033[0m"
_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did.

    Attributes:
        code: Its exit code.
        output: Standard output and error together, as a terminal shows them.
    """

    code: int
    output: str


class UnexpectedError(Exception):
    """A command did not do what the story says: the demo must not go on as if it had."""


class Shell:
    """A terminal in the demo's folder.

    Args:
        stack: Where the people and their files are.
        folder: Working directory.
        colour: Whether to use bold and dim text.
    """

    def __init__(self, stack: Stack, folder: Path, *, colour: bool) -> None:
        self._stack = stack
        self._folder = folder
        self._colour = colour

    def say(self, text: str) -> None:
        """Print a line of the story."""
        print(f"\n{self._styled(_BOLD, text)}", flush=True)

    def run(
        self, command: str, *, by: Someone, expect: int | None = 0, show: bool = True
    ) -> Ran:
        """Run `command` as `by`, show it and its output.

        Args:
            command: As one would type it; no pipes.
            by: Whose kubeconfig is in the environment.
            expect: The exit code the story needs; None takes any but 0.
            show: Whether it is part of the story; if not, only a failure is shown.

        Raises:
            UnexpectedError: It ended with another.
        """
        if show:
            print(self._styled(_DIM, f"{by.id}$ {command}"), flush=True)
        done = subprocess.run(
            shlex.split(command),
            cwd=self._folder,
            env=self._environment(by),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_LIMIT_S,
        )
        fits = done.returncode == expect if expect is not None else done.returncode
        if show or not fits:
            print(done.stdout, end="", flush=True)
        if not fits:
            wanted = "a failure" if expect is None else str(expect)
            raise UnexpectedError(
                f"expected {wanted} of `{command}`, saw {done.returncode}"
            )
        return Ran(done.returncode, done.stdout)

    def _environment(self, by: Someone) -> Mapping[str, str]:
        stack = self._stack
        path = os.pathsep.join([*stack.path, os.environ.get("PATH", os.defpath)])
        own = {"KUBECONFIG": str(stack.kubeconfig(by)), "PATH": path, "NO_COLOR": "1"}
        return {**os.environ, **stack.environment, **own}

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{_OFF}" if self._colour else text
