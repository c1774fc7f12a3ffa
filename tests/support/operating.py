"""A real ``countersign operate`` process."""

import http.client
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from countersign.config import variable
from tests.support.lines import events
from tests.support.webhook import write_certificate
from tools.controlplane import ControlPlane
from tools.stack.chart import only, render
from tools.stack.pod import process
from tools.stack.ready import until

LOOPBACK = "127.0.0.1"
_VALUES = {"clusterName": "test", "protectedNamespaces": ["nothing"]}


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
    plane: ControlPlane,
    folder: Path,
    kubeconfig: Path,
    *,
    waits: bool = True,
    **settings: object,
) -> Iterator[Operating]:
    """Run ``countersign operate`` while the block lasts, with no spools by default.

    As the chart's Deployment runs it, but for addresses and what `settings` say.

    Args:
        plane: Its processes include this one.
        folder: For certificates, volumes and log; what is there already stays.
        kubeconfig: As whom it reads and writes.
        waits: Until it records; else it may stand by, and has no port.
        **settings: By path, with ``__`` for the dot.
    """
    authority = trustme.CA()
    certificate, key = write_certificate(authority, folder)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    shown = {"crt": certificate.read_bytes(), "key": key.read_bytes()}
    internal = {
        f"{name}.{kind}": content
        for name in ("recorder", "client")
        for kind, content in shown.items()
    }
    container = process(
        only(render(plane, _VALUES), "Deployment", "countersign-operate"),
        folder,
        secrets={
            "countersign-internal": {"ca.crt": authority.cert_pem.bytes(), **internal}
        },
    )
    told: dict[str, object] = {
        "records.host": LOOPBACK,
        "records.port": 0,
        "records.database": folder / "audit.db",
        "spools.sources": "",
        "cluster.kubeconfig": kubeconfig,
        "lease.name": "",  # alone, unless a test says otherwise
        **{name.replace("__", "."): value for name, value in settings.items()},
    }
    name, log = f"operate-{folder.name}", folder / "operate.log"
    plane.ledger.start(
        name,
        container.command,
        log=log,
        environment={
            **os.environ,
            **container.environment,
            **{variable(path): str(value) for path, value in told.items()},
        },
    )
    try:
        if waits:
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
