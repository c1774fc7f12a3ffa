"""Runs the real kubectl and the real helm, and says what came out."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.controlplane.errors import CommandFailed


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left.

    Attributes:
        command: As it would be typed, the executable by its name.
        code: The exit code.
        stdout: Of the command.
        stderr: Of the command.
    """

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.code == 0

    def check(self) -> "Result":
        """Return this result.

        Raises:
            CommandFailed: The exit code is not 0; the message holds what was printed.
        """
        if not self.ok:
            raise CommandFailed(
                f"{' '.join(self.command)}: exit code {self.code}\n{self.stdout}{self.stderr}"
            )
        return self

    def json(self) -> Any:  # noqa: ANN401 - what the API server says, of any shape
        """Return the parsed output of a command that was given ``-o json``.

        Raises:
            CommandFailed: The exit code is not 0.
            ValueError: The output is not JSON.
        """
        return json.loads(self.check().stdout)


def run(
    executable: Path,
    arguments: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    stdin: str | Mapping[str, Any] | None = None,
    timeout_s: float,
) -> Result:
    """Run `executable` to its end.

    Args:
        executable: Its absolute path.
        arguments: What follows it.
        environment: Added to this process's own.
        stdin: What it reads on its standard input, an object as JSON; nothing if None.
        timeout_s: How long it may take.

    Raises:
        CommandFailed: It took longer than `timeout_s`.
    """
    words = [str(word) for word in arguments]
    text = stdin if isinstance(stdin, str) or stdin is None else json.dumps(stdin)
    command = (executable.name, *words)
    try:
        done = subprocess.run(
            [executable, *words],
            capture_output=True,
            check=False,
            env={**os.environ, **environment},
            input=text or "",
            text=True,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(
            f"{' '.join(command)}: no answer in {timeout_s:g} s"
        ) from error
    return Result(command, done.returncode, done.stdout, done.stderr)
