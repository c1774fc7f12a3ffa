"""Waits for a condition by asking again, never by counting time."""

import time
from collections.abc import Callable

from tools.controlplane import ControlPlaneError

_PAUSE_S = 0.05


def until(holds: Callable[[], str], *, what: str, deadline_s: float = 60.0) -> None:
    """Return as soon as `holds` finds nothing wrong.

    Args:
        holds: Asks; returns what is wrong, empty if nothing is.
        what: Is waited for, for the message.
        deadline_s: How long it may take.

    Raises:
        ControlPlaneError: It took longer.
    """
    end = time.monotonic() + deadline_s
    while wrong := holds():
        if time.monotonic() > end:
            raise ControlPlaneError(f"{what}: not within {deadline_s:g} s: {wrong}")
        time.sleep(_PAUSE_S)
