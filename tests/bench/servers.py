"""Servers that are measured, and what a process used, as the kernel counts it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.controlplane import ControlPlane
from tools.controlplane.certificates import Authority
from tools.stack import webhook
from tools.stack.ready import until
from tools.stack.stack import Stack

_CHECKOUT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")  # a second
_UTIME, _STIME = 11, 12  # fields of /proc/PID/stat after the name: 14 and 15 of proc(5)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers AdmissionReviews on loopback.

    Attributes:
        pid: Its number.
        port: Where it listens.
        authority: PEM file of who signed its certificate.
    """

    pid: int
    port: int
    authority: Path

    @property
    def cpu_s(self) -> float:
        """Time on processors so far, of all threads, user and system."""
        text = Path(f"/proc/{self.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS

    @property
    def rss_mb(self) -> float:
        """Memory in use now, MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ProcessLookupError(self.pid)


@contextmanager
def floor(
    plane: ControlPlane, folder: Path, *, record: Path | None = None
) -> Iterator[Server]:
    """Run the trivial webhook while the block lasts.

    Args:
        plane: Its processes include this one.
        folder: For certificate and log; made.
        record: Where to write what it is asked.
    """
    folder.mkdir()
    authority = Authority()
    (folder / "ca.crt").write_bytes(authority.certificate)
    authority.server(("127.0.0.1",)).write(folder / "tls")
    log, name = folder / "floor.log", f"floor-{folder.name}"
    started = plane.ledger.start(
        name,
        [
            *(sys.executable, "-m", "tests.bench.floor"),
            *("--certificate", folder / "tls.crt", "--key", folder / "tls.key"),
            *(("--record", record) if record else ()),
        ],
        log=log,
        environment={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
    )
    try:
        until(
            lambda: "" if log.exists() and log.read_text().strip() else "no port",
            what=f"the floor (log: {log})",
        )
        port = int(log.read_text().splitlines()[0])
        yield Server(started.pid, port, folder / "ca.crt")
    finally:
        plane.ledger.stop(name)


def countersign(stack: Stack) -> Server:
    """Return the stack's ``countersign serve``."""
    (pid,) = (e.pid for e in stack.plane.ledger.entries if e.name == webhook.NAME)
    at = stack.addresses
    return Server(pid, int(at.webhook.rpartition(":")[2]), at.authority)
