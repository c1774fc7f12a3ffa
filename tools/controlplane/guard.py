"""Cleans up after a program that was killed before it could do so itself.

The control plane's owner starts this beside its servers and holds the other end of a
pipe. However the owner ends, even by SIGKILL, the kernel closes that end: then the
guard stops what the ledger still names and removes the folder. After an orderly end
there is nothing left to do, and it just ends too.

A signal handler or PR_SET_PDEATHSIG could not do this: the first misses SIGKILL and
belongs to the program that imports us, the second fires when the *thread* ends that
started the server.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from tools.controlplane.processes import Ledger

_CHECKOUT = Path(__file__).parents[2]
_PROGRAM = "from tools.controlplane.guard import main; main()"


class Guard:
    """The owner's end of the pipe."""

    def __init__(self, folder: Path, ledger: Path) -> None:
        """Start guarding `folder`, whose processes are in the file `ledger`."""
        reader, self._writer = os.pipe()  # neither is inherited by other processes
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-c", _PROGRAM, str(folder), str(ledger)],
                {**os.environ, "PYTHONPATH": str(_CHECKOUT)},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, reader, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,
                setsigmask=[],
            )
        except OSError:
            os.close(self._writer)
            raise
        finally:
            os.close(reader)

    def release(self) -> None:
        """End the guard and leave everything as it is."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._writer)

    def dismiss(self) -> None:
        """End the guard; it cleans up what is still there."""
        os.close(self._writer)
        os.waitpid(self._pid, 0)


def main() -> None:
    """Wait until the owner is gone, then leave no trace of it."""
    folder, ledger = map(Path, sys.argv[1:])
    sys.stdin.buffer.read()
    Ledger(ledger).stop_all(grace_s=0)
    shutil.rmtree(folder, ignore_errors=True)
