"""A real Kubernetes control plane on this machine, for the tests and the demo.

::

    from tools import controlplane

    with controlplane.running() as plane:
        lee = plane.user("lee", groups=["developers"])
        plane.kubectl("get", "pods", user="lee")

``python -m tools.controlplane`` does the same from a shell. See `launch` for how it
is started and stopped, `plane` for what one does with it, `binaries` for where its
programs come from.
"""

from tools.controlplane.binaries import ensure
from tools.controlplane.commands import Result
from tools.controlplane.errors import (
    CommandFailed,
    ControlPlaneError,
    NotReady,
    Unobtainable,
)
from tools.controlplane.launch import down, running, up
from tools.controlplane.plane import ControlPlane
from tools.controlplane.processes import Ledger, Started
from tools.controlplane.servers import Options

__all__ = [
    "CommandFailed",
    "ControlPlane",
    "ControlPlaneError",
    "Ledger",
    "NotReady",
    "Options",
    "Result",
    "Started",
    "Unobtainable",
    "down",
    "ensure",
    "running",
    "up",
]
