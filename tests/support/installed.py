"""A release of the chart with people, policies and a repository: with nodes or without.

On a cluster its Pods are the cluster's. On a control plane of our own, which has no
nodes, what they would run are processes; all else is the same.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.kubelet import Kubelet
from tools.controlplane import ControlPlane
from tools.controlplane.servers import LOOPBACK
from tools.stack import access, addresses, build, policies
from tools.stack.addresses import Addresses, port
from tools.stack.chart import CHART, OWN_NAMESPACE, RELEASE
from tools.stack.people import DEVELOPERS, SIGNERS
from tools.stack.ready import until
from tools.stack.stack import Stack

Tree = dict[str, Any]

SPACES = (*policies.PROTECTED, policies.OPEN)
OWN = ("-n", OWN_NAMESPACE)
AT_ONCE = ("--force", "--grace-period=0")
_STRICT = {"pod-security.kubernetes.io/enforce": "restricted"}
_INTERNAL = "countersign-of-the-test"
_PROBE = ("create", "configmap", "countersign-probe", "--dry-run=server")


@dataclass(frozen=True, slots=True)
class Installed(Stack):
    """The release, and everybody around it.

    Attributes:
        image: What its Pods run; empty where there are no nodes.
    """

    image: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """As people have it: on a cluster they reach the recorder by its Service."""
        told = super(Installed, self).environment
        if not self.image:
            return told
        return {k: v for k, v in told.items() if "_RECORDER" not in k}

    def upgrade(self, *more: str) -> str:
        """``helm upgrade --install`` the chart; return what helm printed.

        Args:
            more: Further arguments.
        """
        waits = ("--wait", "--timeout=5m") if self.image else ()
        done = self.plane.helm(
            *("upgrade", "--install", RELEASE, CHART, *OWN, "--values", "-"),
            *(*waits, *more),
            stdin=json.dumps(self.values),
            timeout_s=330,
        )
        return done.check().stdout

    @property
    def values(self) -> Tree:
        """Of the chart."""
        common = {**policies.VALUES, "readers": [SIGNERS, DEVELOPERS]}
        if not self.image:
            bundle = self.addresses.authority.read_text()
            return {
                **common,
                "tls": {"internalSecretName": _INTERNAL, "internalCaBundle": bundle},
            }
        look = {"name": "COUNTERSIGN_CERTIFICATES_EVERY_S", "value": "5"}
        return {
            **common,
            "image": _image(self.image),
            "extra": {"operate": {"env": [look]}},
        }


def install(plane: ControlPlane, image: str) -> Installed:
    """Install the chart and all around it; return when it denies what it must.

    Args:
        plane: A cluster with none of our namespaces.
        image: As nodes know it; empty: there are none.

    Raises:
        ControlPlaneError: Something is there already, or does not come up.
    """
    folder = plane.folder / "run"
    made = build.furnish(plane, folder, say=lambda _: None)
    made.write(folder)
    at = addresses.choose(folder / "tls")
    stack = Installed(folder, plane, made.history, made.sigstore, at, [], image)
    plane.create_namespace(OWN_NAMESPACE, _STRICT)
    for space in SPACES:
        plane.create_namespace(space)
    bindings = {
        "apiVersion": "v1",
        "kind": "List",
        "items": access.bindings(SPACES),
    }
    plane.kubectl("apply", "-f", "-", stdin=bindings).check()
    build.tools(plane, folder)
    build.people(stack)
    if not image:
        plane.kubectl("create", "-f", "-", stdin=_secret(at.secrets())).check()
    stack.upgrade()
    if not image:
        _run(plane, at)
    for space in policies.PROTECTED:
        until(lambda space=space: _open(plane, space), what=f"a denial in {space}")  # type: ignore[misc]
    plane.kubectl("apply", "-f", folder / "policies").check()
    ready = ("wait", "--for=condition=Ready", "--timeout=60s", "--all")
    plane.kubectl(*ready, "protectionpolicies,rosters,trustroots").check()
    stack.write_environment()
    return stack


def remove(stack: Installed) -> None:
    """Take all of it away again, the CRDs and the record among it."""
    plane = stack.plane
    plane.helm("uninstall", RELEASE, *OWN, "--wait").check()
    # gone at once for the API server, in a moment for its admission
    until(lambda: plane.kubectl(*_PROBE, "-n", SPACES[0]).stderr, what="an admission")
    ending = ("delete", "namespace", OWN_NAMESPACE, *SPACES)
    plane.kubectl(*ending, "--ignore-not-found", "--wait=false").check()
    # an image that cannot be pulled holds up the end of its Pod for minutes; from here
    # on nothing makes another one
    for space in SPACES:
        plane.kubectl("delete", "pods", "--all", "-n", space, *AT_ONCE).check()
    gone = ("delete", "--ignore-not-found", "--timeout=180s")
    plane.kubectl(*gone, *ending[1:], timeout_s=200).check()
    plane.kubectl(*gone, "-f", CHART / "crds", timeout_s=200).check()
    looking = (f"{group}-looking" for group in (SIGNERS, DEVELOPERS))
    plane.kubectl(*gone, "clusterrolebinding", *looking).check()


def _open(plane: ControlPlane, space: str) -> str:
    """Return what is wrong with a gate that should deny in `space`."""
    said = plane.kubectl(*_PROBE, "-n", space).stderr
    return "" if "denied the request" in said else f"saw {said!r}"


def _image(name: str) -> Tree:
    """Split ``REPOSITORY:TAG`` or ``REPOSITORY@DIGEST`` as the chart wants it."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return {"repository": repository, "digest": digest}
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return {"repository": f"{head}{slash}{last}", "tag": tag}


def _secret(held: Mapping[str, Mapping[str, bytes]]) -> Tree:
    """Return what the processes show each other, valid for this machine, too."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _INTERNAL, "namespace": OWN_NAMESPACE},
        "data": {
            key: base64.b64encode(value).decode()
            for key, value in held["countersign-internal"].items()
        },
    }


def _run(plane: ControlPlane, at: Addresses) -> None:
    """Run what the Pods would, and have the API server find it by the Service."""
    folder = plane.folder / "pods"
    folder.mkdir()
    kubelet = Kubelet(plane, folder, OWN_NAMESPACE)
    kubelet.run(
        "countersign",
        LISTEN_HOST=LOOPBACK,
        LISTEN_PORT=port(at.webhook),
        SPOOL_HOST=LOOPBACK,
        SPOOL_PORT=port(at.spool),
    )
    kubelet.run(
        "countersign-operate",
        RECORDS_HOST=LOOPBACK,
        RECORDS_PORT=port(at.recorder),
        SPOOLS_SOURCES=at.spool,
    )
    kubelet.route("countersign", int(port(at.webhook)))
