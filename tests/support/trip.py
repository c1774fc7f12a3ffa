"""The round trip, as people make it: read what was printed, run it, apply again."""

import contextlib
import io
import os
import re
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from countersign.core.questions import DEFAULT_QUESTIONS
from countersign.faces.cli import main
from countersign.faces.cli.session import Session
from tests.support.cli import Ran
from tests.support.gate import Gate
from tools.stack.people import Someone

_PRINTED = re.compile(r"countersign (sign-off --decision [0-9A-Z]{26})")
ANSWERED = "a\nlooked at it\n" * len(DEFAULT_QUESTIONS)
_TYPED = ANSWERED + "y\n"


def printed(denial: str) -> str:
    """Return the command that a denial asks somebody to run."""
    found = _PRINTED.search(denial)
    assert found, denial
    return found[1]


def run(
    gate: Gate,
    command: str,
    *more: str | Path,
    by: Someone,
    typed: str = _TYPED,
    clock: timedelta = timedelta(0),
    kubeconfig: Path | None = None,
    **environ: str,
) -> Ran:
    """Run a command of ``countersign`` at a terminal of somebody's own machine.

    Args:
        gate: The stack.
        command: Without the program's name.
        more: Further arguments.
        by: Whose kubeconfig and key it has.
        typed: On the terminal; by default every question is answered.
        clock: How far that machine's is off.
        kubeconfig: Another one.
        environ: Further variables.
    """
    session = Session(
        environ=os.environ,
        present=lambda: datetime.now(UTC) + clock,
        interactive=True,
    )
    out, err, stdin, before = io.StringIO(), io.StringIO(), sys.stdin, dict(os.environ)
    os.environ.update(gate.stack.environment)
    os.environ.update(
        KUBECONFIG=str(kubeconfig or gate.stack.kubeconfig(by)),
        COUNTERSIGN_KEY=str(gate.stack.key(by)),
        COUNTERSIGN_PASSWORD="",
        **environ,
    )
    sys.stdin = io.StringIO(typed)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(
                [*shlex.split(command), *(str(one) for one in more)], session=session
            )
    finally:
        sys.stdin = stdin
        os.environ.clear()
        os.environ.update(before)
    return Ran(code, out.getvalue(), err.getvalue())
