"""A real ``countersign serve`` process, and a wire to the API server that can be cut."""

import http.client
import json
import os
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
_TURN_S = 0.05  # between looks whether the wire was cut, mended or closed


class Wire:
    """A TCP proxy in front of the API server.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, to: str) -> None:
        address = urlsplit(to)
        self._to = (address.hostname or LOOPBACK, address.port or 443)
        self._whole = threading.Event()
        self._whole.set()
        self._closed = False
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.settimeout(_TURN_S)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def cut(self) -> None:
        """Let nothing through any more; connections stand, and new ones are taken."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything through again, what was held back first."""
        self._whole.set()

    def close(self) -> None:
        """Drop all connections, and take no more."""
        self._closed = True
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def kubeconfig(self, original: Path, folder: Path) -> Path:
        """Write a copy of `original` that goes through this wire."""
        config = json.loads(original.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://{LOOPBACK}:{self.port}"
        copy = folder / "through-the-wire.kubeconfig"
        copy.write_text(json.dumps(config))
        return copy

    def _start(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            with suppress(TimeoutError):
                near, _ = self._listener.accept()
                self._start(self._carry, near)

    def _carry(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(self._to) as far:
            ends = {near: far, far: near}
            while not self._closed:
                if not self._whole.wait(_TURN_S):
                    continue
                for end in select.select([near, far], [], [], _TURN_S)[0]:
                    if not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)


@dataclass(frozen=True)
class Serving:
    """A webhook that runs.

    Attributes:
        url: Without path.
        authority: PEM of who signed its certificate.
        log: What it said.
    """

    url: str
    authority: bytes
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """GET `path`; return status and text."""
        return self.request("GET", path)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> tuple[int, str]:
        """Send any request; return status and text."""
        address = urlsplit(self.url)
        context = ssl.create_default_context(cadata=self.authority.decode())
        connection = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=context, timeout=10
        )
        try:
            connection.request(method, path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """Return a metric's value."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
        raise AssertionError(f"no metric {name}")

    def ready(self) -> None:
        """Wait until it is."""

        def unready() -> str:
            status, text = self.get("/readyz")
            return "" if status == http.client.OK else text

        until(unready, what=f"the webhook (log: {self.log})")


@contextmanager
def serving(
    plane: ControlPlane, folder: Path, kubeconfig: Path, **settings: object
) -> Iterator[Serving]:
    """Run ``countersign serve`` while the block lasts, ready or not.

    As the chart's Deployment runs it, but for addresses and what `settings` say; with
    nothing protected, and with a spool that nobody takes from.

    Args:
        plane: Its processes include this one.
        folder: For certificate, volumes and log.
        kubeconfig: As whom it reads.
        **settings: By path, with ``__`` for the dot.
    """
    authority = trustme.CA()
    certificate, key = write_certificate(authority, folder)
    shown = {"tls.crt": certificate.read_bytes(), "tls.key": key.read_bytes()}
    spool = {f"spool.{kind}": shown[f"tls.{kind}"] for kind in ("crt", "key")}
    container = process(
        only(render(plane, _VALUES), "Deployment", "countersign"),
        folder,
        secrets={
            "countersign-tls": shown,
            "countersign-internal": {"ca.crt": authority.cert_pem.bytes(), **spool},
        },
    )
    told: dict[str, object] = {
        "protected_namespaces": "",
        "listen.host": LOOPBACK,
        "listen.port": 0,
        "spool.host": LOOPBACK,
        "spool.port": 0,
        "spool.handover_s": 0,
        "limits.drain_s": 0,
        "cluster.kubeconfig": kubeconfig,
        **{name.replace("__", "."): value for name, value in settings.items()},
    }
    name, log = f"serve-{folder.name}", folder / "serve.log"
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
        until(lambda: "" if _port(log) else "none", what=f"a port (log: {log})")
        yield Serving(
            f"https://{LOOPBACK}:{_port(log)}", authority.cert_pem.bytes(), log
        )
    finally:
        plane.ledger.stop(name)


def _port(log: Path) -> int:
    """Return the port that the log names; 0 if it does not yet."""
    for said in events(log)[0]:
        if said.get("event") == "listening":
            return int(said["port"])
    return 0
