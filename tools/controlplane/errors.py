"""What can go wrong with a control plane, cut by what the caller should do.

::

    ControlPlaneError
    ├── Unobtainable    a program could not be had: nothing can run here yet
    ├── NotReady        it was started and did not come up, or ended by itself
    └── CommandFailed   kubectl or helm said no, and the caller had asked for a yes
"""

import subprocess


class ControlPlaneError(Exception):
    """Any failure of this tool; the message is for the person at the terminal."""


class Unobtainable(ControlPlaneError):  # noqa: N818 - reads as what is so
    """A program is neither here, nor to be downloaded, nor to be built."""


class NotReady(ControlPlaneError):  # noqa: N818
    """A server did not answer in time or ended; the message shows where its log is."""


class CommandFailed(ControlPlaneError):  # noqa: N818
    """A command that had to succeed did not; the message holds what it printed."""


def last_line(error: Exception) -> str:
    """Return the line that says most about `error`: the last one, as tools print it."""
    printed = error.stderr if isinstance(error, subprocess.CalledProcessError) else ""
    lines = [*str(error).splitlines(), *(printed or "").splitlines()]
    return next((line.strip() for line in reversed(lines) if line.strip()), "no reason")
