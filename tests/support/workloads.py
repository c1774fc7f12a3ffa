"""Workloads of every kind, and what tests ask of their children.

No kubelet runs here: Pods stay pending, and what is to be ready is told so.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from tests.support.chart import NAMESPACE, PINNED, Tree
from tests.support.gate import Gate, Judged
from tests.support.lines import events, is_probe
from tools.stack.ready import until
from tools.stack.webhook import register

EVIL = f"registry.k8s.io/evil@sha256:{'6' * 64}"

_LONG_AGO = "2026-01-01T00:00:00Z"


def pod_template(name: str, region: str = "eu", **spec: Any) -> Tree:
    """Return a template of one container, told apart by a variable."""
    container = {
        "name": "app",
        "image": PINNED,
        "env": [{"name": "REGION", "value": region}],
    }
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [container], **spec},
    }


def stateful_set(name: str, region: str = "eu", replicas: int = 2, **spec: Any) -> Tree:
    """Return a StatefulSet with a claim a Pod, all of them at once."""
    template = pod_template(name, region)
    (container,) = template["spec"]["containers"]
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    claim = {
        "metadata": {"name": "data", "labels": {"tier": "db"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    return _workload(
        "StatefulSet",
        name,
        replicas=replicas,
        serviceName=name,
        podManagementPolicy="Parallel",
        selector={"matchLabels": {"app": name}},
        template=template,
        volumeClaimTemplates=[claim],
        **spec,
    )


def daemon_set(name: str, region: str = "eu", **spec: Any) -> Tree:
    """Return a DaemonSet for every node there is, in whatever state."""
    template = pod_template(name, region, tolerations=[{"operator": "Exists"}])
    return _workload(
        "DaemonSet",
        name,
        selector={"matchLabels": {"app": name}},
        template=template,
        **spec,
    )


def replication_controller(name: str, replicas: int = 2) -> Tree:
    """Return a ReplicationController."""
    tree = _workload(
        "ReplicationController",
        name,
        replicas=replicas,
        selector={"app": name},
        template=pod_template(name),
    )
    return {**tree, "apiVersion": "v1"}


def _workload(kind: str, name: str, **spec: Any) -> Tree:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": spec,
    }


def node(name: str) -> Tree:
    """Return a node where nothing runs that does not tolerate everything."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"unschedulable": True},
    }


def all_of(gate: Gate, kind: str, app: str) -> list[Tree]:
    """Return the live objects of an application, by name."""
    wanted = ("get", kind, "-n", NAMESPACE, "-l", f"app={app}", "-o", "json")
    found = json.loads(gate.stack.plane.kubectl(*wanted).check().stdout)["items"]
    there = [one for one in found if "deletionTimestamp" not in one["metadata"]]
    return sorted(there, key=lambda one: str(one["metadata"]["name"]))


def regions(gate: Gate, app: str) -> dict[str, str]:
    """Return of which template each Pod of an application is."""
    return {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["env"][0]["value"]
        for pod in all_of(gate, "pods", app)
    }


def until_regions(gate: Gate, app: str, *wanted: str) -> None:
    """Wait until the Pods of an application are of these templates, by name."""

    def otherwise() -> str:
        seen = regions(gate, app)
        return "" if [*seen.values()] == [*wanted] else f"saw {seen}"

    until(otherwise, what=f"Pods of {app}")


def run(gate: Gate, pod: str) -> None:
    """Say of a Pod, as soon as it is there, what the kubelet of its node would."""
    plane, place = gate.stack.plane, ("pod", pod, "-n", NAMESPACE)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": _LONG_AGO}
    status = json.dumps({"status": {"phase": "Running", "conditions": [ready]}})
    plane.kubectl("wait", "--for=create", *place, "--timeout=60s").check()
    plane.kubectl("patch", *place, "--subresource=status", "-p", status).check()


def owner_of(tree: Tree) -> str:
    """Return the only owner of an object as ``Kind/name``, or ``""``."""
    owners = tree["metadata"].get("ownerReferences", [])
    return ",".join(f"{owner['kind']}/{owner['name']}" for owner in owners)


def another(tree: Tree, name: str = "") -> Tree:
    """Return `tree` as something to be created, with all that it claims."""
    kept = ("labels", "annotations", "ownerReferences", "finalizers", "namespace")
    metadata = {k: v for k, v in tree["metadata"].items() if k in kept}
    metadata |= (
        {"name": name} if name else {"generateName": tree["metadata"]["generateName"]}
    )
    return {k: v for k, v in tree.items() if k != "status"} | {"metadata": metadata}


def unplaced(spec: Tree) -> Tree:
    """Return a Pod's spec as the controller sends it."""
    plain = {k: v for k, v in spec.items() if k != "nodeName"}
    added = [v["name"] for v in spec["volumes"] if "kube-api-access" in v["name"]]
    plain["volumes"] = [v for v in spec["volumes"] if v["name"] not in added]
    plain["containers"] = [
        container
        | {
            "volumeMounts": [
                m for m in container.get("volumeMounts", []) if m["name"] not in added
            ]
        }
        for container in spec["containers"]
    ]
    return plain


def played(gate: Gate, by: str, *arguments: str, tree: Tree | None = None) -> Judged:
    """Do something as a controller that the administrator plays."""
    user = f"--as=system:serviceaccount:kube-system:{by}"
    return gate.kubectl(user, *arguments, by=None, stdin=tree)


def created(gate: Gate, tree: Tree, by: str, *flags: str) -> Judged:
    """Create an object as a controller that the administrator plays."""
    return played(gate, by, "create", *flags, "-f", "-", tree=tree)


@contextlib.contextmanager
def unprotected(gate: Gate) -> Iterator[None]:
    """Be before the webhook was registered."""
    plane, here = gate.stack.plane, "validatingwebhookconfiguration"
    plane.kubectl("delete", here, "countersign").check()
    probe = ("create", "configmap", "probe", "--dry-run=server", "-n", NAMESPACE)
    try:
        until(lambda: plane.kubectl(*probe).stderr, what="the end of protection")
        yield
    finally:
        register(gate.stack)


@contextlib.contextmanager
def denying_controllers(gate: Gate) -> Iterator[None]:
    """Let controllers be denied while the block lasts: that is what it shows."""
    start = gate.audit.stat().st_size
    try:
        yield
    finally:
        gate.meant.update(event["auditID"] for event in events(gate.audit, start)[0])


def denied_to_controllers(gate: Gate) -> list[tuple[str, ...]]:
    """Return what the real controllers were denied in this session.

    Not what was meant to be, nor what the operator's watchdog asks for, to see that it
    is denied.
    """
    return [
        (event["user"]["username"], event["verb"], event.get("requestURI", ""), said)
        for event in events(gate.audit)[0]
        if event["auditID"] not in gate.meant
        and event["user"]["username"].startswith("system:")
        and event.get("objectRef", {}).get("namespace") == NAMESPACE
        and not is_probe(event)
        for key, said in event.get("annotations", {}).items()
        if key.endswith("countersign.dev/verdict")
        and said not in ("allowed", "outside")
    ]
