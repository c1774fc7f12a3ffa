"""What tests do to nodes, and to the Pods of a release on them."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.installed import AT_ONCE, OWN, SPACES, Installed
from tools.stack.ready import until

Tree = dict[str, Any]

SERVE = "app.kubernetes.io/name=countersign"
_HELPERS = "countersign-e2e"
_PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}
# our image has no shell and no kill; it has Python
_KILL = """
import os, pathlib
for one in pathlib.Path('/proc').glob('[0-9]*'):
    try:
        words = (one / 'cmdline').read_bytes().split(b'\\0')
    except OSError:
        continue
    if words[1:4] == [b'-m', b'countersign', b'serve']:
        os.kill(int(one.name), 9)
        print('killed', one.name, flush=True)
"""


def pods(stack: Installed, selector: str = SERVE) -> list[Tree]:
    """Return the Pods of the release, by default the webhook's, that are not ending."""
    done = stack.plane.kubectl("get", "pods", *OWN, "-l", selector, "-o", "json")
    found = json.loads(done.check().stdout)["items"]
    return [one for one in found if "deletionTimestamp" not in one["metadata"]]


def nodes_of(found: list[Tree]) -> list[str]:
    """Return where Pods are, sorted."""
    return sorted(one["spec"]["nodeName"] for one in found)


def restarts(stack: Installed) -> int:
    """Return how often containers of the webhook started again."""
    statuses = (one["status"].get("containerStatuses", []) for one in pods(stack))
    return sum(one["restartCount"] for listed in statuses for one in listed)


def settle(stack: Installed) -> None:
    """Wait until all of the release is there and ready."""
    for name in ("countersign", "countersign-operate"):
        stack.plane.kubectl(
            *("rollout", "status", f"deployment/{name}", *OWN, "--timeout=180s"),
            timeout_s=200,
        ).check()


def spread(stack: Installed) -> None:
    """Have replicas on more than one node again, after one was away."""
    found = pods(stack)
    if len(set(nodes_of(found))) == 1:
        name = found[0]["metadata"]["name"]
        stack.plane.kubectl("delete", "pod", name, *OWN, timeout_s=120).check()
        settle(stack)


def kill(stack: Installed, node: str) -> int:
    """SIGKILL every ``countersign serve`` of a node; return how many there were."""
    kubectl = stack.plane.kubectl
    here = ("-n", _HELPERS)
    if not kubectl("get", "namespace", _HELPERS).ok:
        stack.plane.create_namespace(_HELPERS, _PRIVILEGED)
    container = {
        "name": "kill",
        "image": stack.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", _KILL],
        "securityContext": {"privileged": True, "runAsUser": 0},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kill", "namespace": _HELPERS},
        "spec": {
            "nodeName": node,
            "hostPID": True,
            "restartPolicy": "Never",
            "containers": [container],
        },
    }
    kubectl("create", "-f", "-", stdin=pod).check()
    over = "--for=jsonpath={.status.phase}=Succeeded"
    kubectl("wait", over, "pod/kill", *here, "--timeout=55s").check()
    said = kubectl("logs", "kill", *here).check().stdout
    kubectl("delete", "namespace", _HELPERS, "--timeout=55s").check()
    return said.count("killed")


@contextmanager
def drained(stack: Installed, node: str) -> Iterator[str]:
    """Empty a node, as `kubectl drain` does; what it said. Afterwards it is back.

    A kubelet that pulls an image which nobody has ends its Pod when it gives up, minutes
    later: such Pods are taken off before.
    """
    try:
        stack.plane.kubectl("cordon", node).check()
        stuck = f"--field-selector=spec.nodeName={node},status.phase=Pending"
        for space in SPACES:
            stack.plane.kubectl("delete", "pods", "-n", space, stuck, *AT_ONCE).check()
        yield (
            stack.plane.kubectl(
                *("drain", node, "--ignore-daemonsets", "--delete-emptydir-data"),
                "--timeout=150s",
                timeout_s=160,
            )
            .check()
            .stdout
        )
    finally:
        stack.plane.kubectl("uncordon", node).check()


def shown(stack: Installed, pod: str) -> str:
    """Return the certificate that a replica shows, PEM."""
    kubectl = stack.plane.binaries["kubectl"]
    forward = ("port-forward", f"pod/{pod}", ":8443", *OWN, "--address=127.0.0.1")
    with subprocess.Popen(
        [kubectl, f"--kubeconfig={stack.plane.admin}", *forward],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            port = int(line.partition(" -> ")[0].rpartition(":")[2])
            return ssl.get_server_certificate(("127.0.0.1", port))
        finally:
            process.terminate()


def until_shown(stack: Installed, old: dict[str, str], *, deadline_s: float) -> None:
    """Wait until each of these Pods shows another certificate than it did."""

    def same() -> str:
        left = [name for name, pem in old.items() if shown(stack, name) == pem]
        return f"the old one by {left}" if left else ""

    until(same, what="a new certificate", deadline_s=deadline_s)
