"""Several replicas of ``countersign serve`` beside a stack, and the registration of them.

Each is a process of the rendered Deployment, as the stack's own is; what a Service does
in a cluster, a balancer does here.
"""

import base64
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.balanced import LOOPBACK
from tests.support.lines import events
from tests.support.serving import Serving
from tools.stack import access
from tools.stack.chart import only
from tools.stack.pod import process
from tools.stack.ready import until
from tools.stack.stack import Stack
from tools.stack.webhook import variables

Tree = dict[str, Any]
_HERE: Mapping[str, object] = {
    "LISTEN_HOST": LOOPBACK,
    "LISTEN_PORT": 0,
    "SPOOL_HOST": LOOPBACK,
    "SPOOL_PORT": 0,
    "SPOOL_HANDOVER_S": 0,  # nobody takes from it
    "LIMITS_DRAIN_S": 1,
}
_CONFIGURATION = ("validatingwebhookconfiguration", "countersign")


@dataclass(frozen=True)
class Replica(Serving):
    """A replica that runs, or ran.

    Attributes:
        name: In the ledger.
        pid: Of its process.
        tls: Folder of its certificate and key, as the Secret is mounted.
    """

    name: str
    pid: int
    tls: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def said(self, event: str) -> list[Tree]:
        """Return what it logged under that name."""
        return [one for one in events(self.log)[0] if one["event"] == event]

    @property
    def rss_mib(self) -> float:
        """Memory in use now."""
        return self._memory("VmRSS:")

    @property
    def peak_mib(self) -> float:
        """Memory in use at the most, ever."""
        return self._memory("VmHWM:")

    def _memory(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        raise ProcessLookupError(self.pid)


@dataclass
class Fleet:
    """Replicas of one stack."""

    stack: Stack
    folder: Path
    running: list[Replica] = field(default_factory=list)
    _made: int = 0

    def start(
        self,
        *,
        wrapped: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        **settings: object,
    ) -> Replica:
        """Start a replica; return when it listens, ready or not.

        Args:
            wrapped: A program that runs it, and its arguments.
            environment: Beside the container's.
            **settings: Further ones, by the names of their variables.
        """
        self._made += 1
        name = f"replica-{self._made}"
        folder, plane = self.folder / name, self.stack.plane
        folder.mkdir(mode=0o700)
        at = self.stack.addresses
        container = process(
            only(self.stack.rendered, "Deployment", "countersign"),
            folder,
            secrets=at.secrets(),
        )
        user = plane.user(access.SERVE, to=folder / "kubeconfig")
        log = folder / "serve.log"
        told = {"CLUSTER_KUBECONFIG": user, **_HERE, **settings}
        started = plane.ledger.start(
            name,
            (*wrapped, *container.command),
            log=log,
            environment={
                **os.environ,
                **container.environment,
                **variables(told),
                **(environment or {}),
            },
        )

        def silent() -> str:
            return "" if _port(log) else f"no port (log: {log})"

        until(silent, what=name)
        url = f"https://{LOOPBACK}:{_port(log)}"
        tls = container.file("/etc/countersign/tls")
        made = Replica(url, at.authority.read_bytes(), log, name, started.pid, tls)
        self.running.append(made)
        return made

    def terminate(self, replica: Replica) -> None:
        """Send SIGTERM, as the kubelet does; return at once."""
        os.kill(replica.pid, signal.SIGTERM)

    def kill(self, replica: Replica) -> None:
        """Send SIGKILL; return when it is gone."""
        self.stack.plane.ledger.stop(replica.name, grace_s=0)

    def gone(self, replica: Replica) -> None:
        """Wait until a replica has ended."""
        ledger = self.stack.plane.ledger
        until(
            lambda: "runs" if ledger.alive(replica.name) else "",
            what=f"the end of {replica.name}",
        )

    def stop(self) -> None:
        """Stop all that runs."""
        for replica in self.running:
            self.stack.plane.ledger.stop(replica.name)


@contextmanager
def fleet(stack: Stack, folder: Path) -> Iterator[Fleet]:
    """Give a fleet without replicas; stop those that it has at the end."""
    made = Fleet(stack, folder)
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def registered(
    stack: Stack, port: int, *, authority: bytes = b"", timeout_s: int = 30
) -> Iterator[None]:
    """Have the API server ask `port` while the block lasts, and the stack's own after.

    Args:
        stack: Whose registration is changed.
        port: On loopback.
        authority: Who is trusted beside the stack's own, in PEM.
        timeout_s: The server's patience: the longest, since the machine may be busy.
    """
    plane = stack.plane
    found = plane.kubectl("get", *_CONFIGURATION, "-o", "json").check().stdout
    before = json.loads(found)
    after = json.loads(found)
    for webhook in after["webhooks"]:
        webhook["clientConfig"] = {
            "url": f"https://{LOOPBACK}:{port}/validate",
            "caBundle": base64.b64encode(
                stack.addresses.authority.read_bytes() + authority
            ).decode(),
        }
        webhook["timeoutSeconds"] = timeout_s
    _replace(stack, after)
    try:
        yield
    finally:
        _replace(stack, before)


def _replace(stack: Stack, tree: Tree) -> None:
    tree["metadata"] = {
        key: tree["metadata"].get(key, {}) for key in ("name", "labels", "annotations")
    }
    stack.plane.kubectl("replace", "-f", "-", stdin=tree).check()


def _port(log: Path) -> int:
    return next(
        (
            int(one["port"])
            for one in events(log)[0]
            if one.get("event") == "listening" and "port" in one
        ),
        0,
    )
