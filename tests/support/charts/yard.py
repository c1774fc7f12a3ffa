"""A place to try charts in: protected as ``orders`` is, with most cluster-scoped kinds.

What the controllers ask for counts as much as what people ask for: `Yard.denials` is
read from the API server's audit log, and names everybody who was told no.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from countersign.binding.registration import webhook_configuration
from countersign.binding.surface import RECOMMENDED
from countersign.wire.manifests import parse_manifests
from countersign.wire.yaml_text import render_yaml
from tests.support.charts.corpus import ChartSet
from tests.support.gate import Gate
from tests.support.lines import events, is_probe
from tools.controlplane.commands import Result
from tools.stack import policies
from tools.stack.people import DANA
from tools.stack.ready import until
from tools.stack.webhook import OWN_NAMESPACE, register

Tree = dict[str, Any]

SPACES = ("charts", "charts-limited")
_RBAC = "rbac.authorization.k8s.io"
CLUSTER_SCOPED = sorted(RECOMMENDED)
_NAME = "charts"
_FINDINGS = "countersign.dev/findings"
_WEBHOOK = "admission webhook"
_WORKLOADS = "deployments,statefulsets,daemonsets,jobs,replicationcontrollers"


@dataclass
class Yard:
    """The gate, seen from the protected namespace of some charts.

    Attributes:
        gate: With the webhook registered for the namespace.
        space: The namespace.
        seen: How many requests were judged, by door.
        extra: What is there besides a chart's own objects, as a manifest.
    """

    gate: Gate
    space: str
    seen: Counter[str] = field(default_factory=Counter)
    extra: str = ""
    _read: int = 0

    def kubectl(
        self, *arguments: str | Path, text: str | None = None, placed: bool = False
    ) -> Result:
        """Run kubectl as the cluster's administrator.

        Args:
            arguments: What follows ``kubectl``.
            text: What ``-f -`` reads.
            placed: The objects say where they live: some elsewhere than here.
        """
        where = () if placed else ("--namespace", self.space)
        return self.gate.stack.plane.kubectl(*where, *arguments, stdin=text)

    def sign(self, text: str, *flags: str) -> str:
        """Return `text` with a senior's sign-off, carried as it comes by default."""
        gate = self.gate
        file, out = gate.folder / "chart.yaml", gate.folder / "chart-signed.yaml"
        file.write_text(text)
        done = gate.cli(
            *("sign-off", "-f", file, "-n", self.space, "--out", out),
            *("--answers", gate.stack.folder / "people" / "answers.yaml"),
            *("--key", gate.stack.key(DANA)),
            *flags,
        )
        assert done.code == 0, done.err
        return out.read_text()

    def approve(self, text: str, *flags: str) -> None:
        """Sign `text` off, and put only the evidence into the cluster."""
        sets = self.sign(text, "--carrier", "bundleset", "--sets-only", *flags)
        self.kubectl("apply", "-f", "-", text=sets, placed=True).check()

    def denials(self) -> list[str]:
        """Return who was denied what since the last call, controllers included."""
        fresh, self._read = events(self.gate.audit, self._read)
        found = []
        for event in fresh:
            said = event.get("annotations", {})
            reasons = [v for k, v in said.items() if k.endswith(_FINDINGS) and v]
            status = event.get("responseStatus", {})
            message = status.get("message", "")
            if (
                status.get("code", 0) >= HTTPStatus.BAD_REQUEST
                and _WEBHOOK in message
                and not reasons
            ):
                reasons = [message[:300]]
            for key, basis in said.items():
                if key.endswith("countersign.dev/basis"):
                    self.seen[" ".join(basis.split()[1:3])] += 1
            if reasons and not is_probe(event):
                found.append(_told(event, reasons))
        return found

    def also(self, text: str) -> None:
        """Remember objects that are there besides the chart's own."""
        self.extra = text

    def folder(self, name: str) -> Path:
        """Make a folder for files."""
        made = self.gate.folder / name
        made.mkdir(exist_ok=True)
        return made

    def settle(self) -> None:
        """Wait until the controllers have made what the workloads here ask for."""
        until(self._unsettled, what=f"the controllers' rest in {self.space}")

    def approve_removal(self, text: str) -> None:
        """Sign the deletion of the live objects that `text` names."""
        self.approve(self._live(text), "--operation", "delete")

    def remove(self, chart: ChartSet) -> None:
        """Sign the deletion of all there is of a chart, and delete it."""
        live = "\n---\n".join(
            found
            for text in (self.extra, chart.text)
            if text and (found := self._live(text))
        )
        self.approve(live, "--operation", "delete")
        self.kubectl("delete", "--timeout=60s", "-f", "-", text=live, placed=True)

    def clear(self, chart: ChartSet) -> None:
        """Leave nothing of a chart behind, whatever a test came to."""
        if self._live(chart.text):
            self.remove(chart)

    def _live(self, text: str) -> str:
        """Return what is there of what `text` names, and of Jobs with made names."""
        trees = parse_manifests(text.encode())
        named = [tree for tree in trees if is_named(tree)]
        flags = ("--ignore-not-found", "-o", "yaml")
        found = self.kubectl("get", *flags, "-f", "-", text=render_yaml(named))
        return found.stdout if found.code == 0 else ""

    def _unsettled(self) -> str:
        live = self.kubectl("get", _WORKLOADS, "-o", "json").check().json()
        return ", ".join(filter(None, map(_waiting, live["items"])))


def is_named(tree: Mapping[str, Any]) -> bool:
    """Tell whether an object has a name before the server makes one."""
    return "name" in (tree.get("metadata") or {})


def _waiting(tree: Tree) -> str:
    """Name a workload whose controller has something to do; no node runs its Pods."""
    spec, status, kind = tree["spec"], tree.get("status", {}), tree["kind"]
    wanted = spec.get("replicas", 0)
    match kind:
        case "Job":
            rests = bool(status) or spec.get("suspend")
        case "DaemonSet":
            rests = "observedGeneration" in status
        case "StatefulSet" if spec["podManagementPolicy"] == "OrderedReady":
            rests = status.get("replicas", 0) >= min(wanted, 1)
        case _:
            rests = status.get("replicas", 0) >= wanted
    return "" if rests else f"{kind}/{tree['metadata']['name']}"


def _told(event: Tree, reasons: Sequence[str]) -> str:
    at = event.get("objectRef", {})
    what = "/".join(
        at[key] for key in ("resource", "subresource", "name") if at.get(key)
    )
    who = event["user"]["username"]
    return f"{who} {event['verb']} {what}: {'; '.join(reasons)}"


@contextlib.contextmanager
def protected(gate: Gate) -> Iterator[None]:
    """Protect `SPACES` for a while, and `CLUSTER_SCOPED`."""
    plane = gate.stack.plane
    for space in (*SPACES, OWN_NAMESPACE):
        there = plane.kubectl("get", "namespace", space, "--ignore-not-found")
        if not there.check().stdout:
            plane.create_namespace(space)
    policy: Tree
    (policy,) = (
        dict(p) for p in policies.policies("", "0" * 40) if _name(p) == "orders"
    )
    protect: Tree = {
        "namespaces": list(SPACES),
        "clusterScoped": [{"group": k.group, "kind": k.kind} for k in CLUSTER_SCOPED],
    }
    spec: Any = policy["spec"]
    policy = {
        **policy,
        "metadata": {"name": _NAME},
        "spec": {**spec, "protect": protect},
    }
    plane.kubectl("apply", "-f", "-", stdin=policy).check()
    live = plane.kubectl(
        "get", "validatingwebhookconfiguration", "countersign", "-o", "json"
    ).json()
    configuration = webhook_configuration(
        name="countersign",
        protected=(*policies.PROTECTED, *SPACES),
        own_namespace=OWN_NAMESPACE,
        client_config=live["webhooks"][0]["clientConfig"],
        cluster_scoped=CLUSTER_SCOPED,
    )
    plane.kubectl("apply", "-f", "-", stdin=configuration).check()
    for space in SPACES:
        admitted = partial(_admitted, gate, space)
        until(admitted, what=f"the first denial in {space}")
    try:
        yield
    finally:
        register(gate.stack)
        plane.kubectl("delete", "protectionpolicy", _NAME).check()


def _name(tree: Tree) -> str:
    return str(tree["metadata"]["name"])


def _admitted(gate: Gate, space: str) -> str:
    probe = ("create", "configmap", "probe", "--dry-run=server", "-n", space)
    done = gate.stack.plane.kubectl(*probe)
    return "" if _NAME in done.stderr and done.code else done.stdout + done.stderr
