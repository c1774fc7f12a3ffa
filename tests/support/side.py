"""A Deployment in a protected namespace, and everybody who might go past it."""

from collections.abc import Iterator
from typing import Any

from tests.support import chart
from tests.support.cli import Ran
from tests.support.gate import Gate, Judged, written
from tests.support.trip import printed, run
from tools.stack.people import DANA, DEVELOPERS
from tools.stack.ready import until

Tree = dict[str, Any]

PLACE = "orders"  # any senior signs, whoever made it
NAME = "side"
HPA_CONTROLLER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
CLOUD = "system:serviceaccount:kube-system:cloud-controller-manager"


def placed(tree: Tree) -> Tree:
    """Return an object of `chart` in the namespace of these tests."""
    tree["metadata"]["namespace"] = PLACE
    return tree


def sign(gate: Gate, *trees: Tree, flags: tuple[str, ...] = ()) -> str:
    """Return objects as Dana signed them."""
    return gate.sign(written(trees), *flags)


def decided(gate: Gate, denied: Judged) -> Ran:
    """Let Dana sign what a denial asks for."""
    return run(gate, printed(denied.out), by=DANA)


RIGHTS: dict[str, dict[str, Any]] = {
    "developer": {
        "subject": {"kind": "Group", "name": DEVELOPERS},
        "rules": {"": ["pods/ephemeralcontainers", "pods/resize"]},
    },
    "autoscaler": {
        "subject": {"kind": "User", "name": HPA_CONTROLLER},
        "rules": {"apps": ["deployments", "deployments/scale"]},
    },
    "cloud": {
        "subject": {"kind": "User", "name": CLOUD},
        "rules": {
            "": ["services", "services/status"],
            "networking.k8s.io": ["ingresses", "ingresses/status"],
        },
    },
}
"""What these tests let others do besides: that RBAC forbids it would prove nothing."""


def rights() -> Iterator[Tree]:
    """Yield the roles and their bindings; they are in no namespace."""
    group = "rbac.authorization.k8s.io"
    for who, granted in RIGHTS.items():
        meta = {"name": f"test-subresources-{who}"}
        ref = {"apiGroup": group, "kind": "ClusterRole", "name": meta["name"]}
        yield {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": meta,
            "rules": [
                {
                    "apiGroups": [api],
                    "resources": resources,
                    "verbs": ["get", "patch", "update"],
                }
                for api, resources in granted["rules"].items()
            ],
        }
        yield {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": meta,
            "roleRef": ref,
            "subjects": [{"apiGroup": group, **granted["subject"]}],
        }


def raised(gate: Gate) -> str:
    """Have a Deployment run, with what is usually around it; return one of its Pods."""
    gate.stack.plane.kubectl("apply", "-f", "-", stdin=written([*rights()])).check()
    others = [
        tree
        for tree in chart.everything(NAME)
        if tree["kind"] in ("Service", "Ingress", "ConfigMap")
    ]
    trees = [placed(chart.deployment(NAME)), *map(placed, others)]
    (service,) = (tree for tree in trees if tree["kind"] == "Service")
    service["spec"]["type"] = "LoadBalancer"
    done = gate.apply(sign(gate, *trees))
    assert done.admitted, done.out
    return pods(gate, NAME, 1)[0]


def pods(gate: Gate, app: str, count: int) -> list[str]:
    """Wait for so many Pods of `app`; return their names."""
    get = ("get", "pods", "-n", PLACE, "-l", f"app={app}", "-o", "name")
    found: list[str] = []

    def missing() -> str:
        said = gate.stack.plane.kubectl(*get).stdout.split()
        found[:] = [name.removeprefix("pod/") for name in said]
        return "" if len(found) == count else f"{len(found)}"

    until(missing, what=f"{count} Pods of {app}")
    return found


def kubectl(gate: Gate, *words: str, stdin: str | None = None) -> Judged:
    """Run kubectl as the developer."""
    return gate.kubectl("-n", PLACE, *words, stdin=stdin)
