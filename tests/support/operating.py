"""A real ``countersign operate`` process."""

import http.client
import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from countersign.config import variable
from tests.support.lines import events
from tests.support.webhook import write_certificate
from tools.controlplane import ControlPlane
from tools.stack.ready import until

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Operating:
    """A process that runs.

    Attributes:
        port: Of the recorder's service.
        authority: PEM of who signed its certificate.
        log: What it said.
    """

    port: int
    authority: bytes
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """GET `path` as nobody; return status and text."""
        context = ssl.create_default_context(cadata=self.authority.decode())
        connection = http.client.HTTPSConnection(
            LOOPBACK, self.port, context=context, timeout=10
        )
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """Return a metric's value; 0 where it was never set."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
        return 0.0


@contextmanager
def operating(
    plane: ControlPlane, folder: Path, kubeconfig: Path, **settings: object
) -> Iterator[Operating]:
    """Run ``countersign operate`` while the block lasts, with no spools by default.

    Args:
        plane: Its processes include this one.
        folder: For certificates, log and database; what is there already stays.
        kubeconfig: As whom it reads and writes.
        **settings: By path, with ``__`` for the dot.
    """
    authority = trustme.CA()
    certificate, key = write_certificate(authority, folder)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    told: dict[str, object] = {
        "records.host": LOOPBACK,
        "records.port": 0,
        "records.certificate_file": certificate,
        "records.key_file": key,
        "records.database": folder / "audit.db",
        "spools.ca_file": folder / "ca.crt",
        "spools.certificate_file": certificate,
        "spools.key_file": key,
        "cluster.kubeconfig": kubeconfig,
        **{name.replace("__", "."): value for name, value in settings.items()},
    }
    name, log = f"operate-{folder.name}", folder / "operate.log"
    plane.ledger.start(
        name,
        [sys.executable, "-m", "countersign", "operate"],
        log=log,
        environment={
            **os.environ,
            **{variable(path): str(value) for path, value in told.items()},
        },
    )
    try:
        until(lambda: "" if _port(log) else "none", what=f"a port (log: {log})")
        yield Operating(_port(log), authority.cert_pem.bytes(), log)
    finally:
        plane.ledger.stop(name)


def _port(log: Path) -> int:
    """Return the port that the log names; 0 if it does not yet."""
    for said in events(log)[0]:
        if said.get("event") == "recorder_listening":
            return int(said["port"])
    return 0
