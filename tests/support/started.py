"""Programs that run while a block lasts, and are gone after it whatever happened."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane.guard import Guard
from tools.controlplane.processes import Ledger
from tools.stack.ready import until

_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, and the programs that run in it.

    Attributes:
        folder: Gone after the block.
    """

    folder: Path
    _ledger: Ledger

    def start(self, name: str, command: Sequence[str | Path]) -> Path:
        """Start a program; return the file that takes what it says."""
        log = self.folder / f"{name}.log"
        self._ledger.start(
            name,
            command,
            log=log,
            environment={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
        )
        return log

    def python(self, name: str, *arguments: str | Path) -> Path:
        """Start a Python program of this checkout."""
        return self.start(name, [sys.executable, *arguments])


@contextmanager
def place(prefix: str) -> Iterator[Place]:
    """Give a folder; at the end, also if this process is killed, it and all go."""
    folder = Path(tempfile.mkdtemp(prefix=f"countersign-{prefix}-"))
    ledger = folder / "processes.json"
    guard = Guard(folder, ledger)
    try:
        yield Place(folder, Ledger(ledger))
    finally:
        guard.dismiss()


def said(log: Path) -> str:
    """Return what a program said so far."""
    return log.read_text() if log.exists() else ""


def until_said(log: Path, word: str) -> str:
    """Wait until a program said `word`; return all it said."""
    until(
        lambda: "" if word in said(log) else f"it said {said(log)!r}",
        what=f"{word!r} of {log.stem}",
    )
    return said(log)
