"""Children of real controllers, and everybody who plays one.

Whoever may impersonate has every name there is: none of them opens more than the live,
proven owner asks for.
"""

import json
from typing import Any

import pytest

from tests.support import chart
from tests.support.chart import NAMESPACE, Tree
from tests.support.gate import Gate
from tests.support.workloads import (
    EVIL,
    another,
    created,
    denied_to_controllers,
    unplaced,
    unprotected,
)
from tools.stack.ready import until

POD, SET = "replicaset-controller", "deployment-controller"


@pytest.fixture(name="app", scope="module")
def _app(gate: Gate) -> str:
    """Apply a signed application whose children the tests ask for once more."""
    name = "children"
    tree = chart.deployment(name, replicas=2)
    applied = gate.apply(gate.approved(tree, chart.service(name)))
    assert applied.admitted, applied.out
    gate.pod(name)
    return name


def live(gate: Gate, kind: str, app: str) -> Tree:
    """Return one live object of an application, once there is one."""
    wanted = ("get", kind, "-n", NAMESPACE, "-l", f"app={app}", "-o", "json")
    found: list[Tree] = []

    def missing() -> str:
        found[:] = json.loads(gate.stack.plane.kubectl(*wanted).stdout)["items"]
        return "" if found else "none"

    until(missing, what=f"{kind} of {app}")
    return found[0]


def test_a_played_controller_makes_what_is_asked_for(gate: Gate, app: str) -> None:
    """The name is right, the owner is proven, the object is the template's."""
    pod = another(live(gate, "pods", app))
    pod["spec"] = unplaced(pod["spec"])

    assert created(gate, pod, POD).doors == {"derived"}
    assert gate.kubectl("create", "-f", "-", by=None, stdin=pod).reasons == (
        "owner_unproven",
    )
    assert created(gate, pod, "job-controller").code != 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"hostPID": True}, id="the host's processes"),
        pytest.param({"nodeName": "one"}, id="a node of choice"),
        pytest.param({"serviceAccountName": "default", "priority": 7}, id="before all"),
        pytest.param(
            {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
            id="the host's files",
        ),
        pytest.param({"containers": [{"name": "app", "image": EVIL}]}, id="an image"),
    ],
)
def test_it_makes_nothing_more(gate: Gate, app: str, change: dict[str, Any]) -> None:
    """Denied by the engine, or already by the server."""
    pod = another(live(gate, "pods", app))
    pod["spec"] = {**unplaced(pod["spec"]), **change}
    denied = created(gate, pod, POD)

    assert denied.code != 0
    assert denied.reasons in (("child_differs",), ())
    assert denied.reasons or "priority" in denied.out, denied.out


def test_a_forged_owner_gives_no_rights(gate: Gate, app: str) -> None:
    """A developer's Pod under somebody's ReplicaSet."""
    pod = another(live(gate, "pods", app), "forged")
    pod["spec"]["containers"][0]["image"] = EVIL
    forged = gate.kubectl("create", "-f", "-", stdin=pod)

    assert forged.reasons == ("owner_unproven",)


def test_a_played_deployment_controller_makes_no_other_set(
    gate: Gate, app: str
) -> None:
    """Neither another template, nor another number than the rollout may ask for."""
    original = live(gate, "replicasets", app)
    for path, value in (("image", EVIL), ("replicas", 40)):
        tree = another(original, f"{app}-bcdfgh")
        if path == "image":
            tree["spec"]["template"]["spec"]["containers"][0]["image"] = value
        else:
            tree["spec"]["replicas"] = value
        denied = created(gate, tree, SET)

        assert denied.reasons == ("child_differs",), denied.out


def test_traffic_stays_where_it_is(gate: Gate, app: str) -> None:
    """Whoever plays the endpoint slice controller leads nobody elsewhere."""
    path = f"kubernetes.io/service-name={app}"
    wanted = ("get", "endpointslices", "-n", NAMESPACE, "-l", path, "-o", "json")
    until(
        lambda: (
            ""
            if json.loads(gate.stack.plane.kubectl(*wanted).stdout)["items"]
            else "none"
        ),
        what="a slice",
    )
    (tree,) = json.loads(gate.stack.plane.kubectl(*wanted).stdout)["items"]
    captured = another(tree)
    captured["endpoints"] = [{"addresses": ["192.0.2.66"]}]
    captured["ports"] = [{"name": "http", "port": 80, "protocol": "TCP"}]
    denied = created(gate, captured, "endpointslice-controller")

    assert denied.reasons == ("child_differs",), denied.out


def test_children_may_go_and_come_back(gate: Gate, app: str) -> None:
    """By anyone, also by eviction; but nothing is left behind without an owner."""
    pod = live(gate, "pods", app)["metadata"]["name"]
    replica_set = live(gate, "replicasets", app)["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": NAMESPACE},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"

    orphaned = gate.kubectl(
        "delete", "replicaset", replica_set, "--cascade=orphan", by=None
    )
    evicted = gate.kubectl("create", "--raw", path, "-f", "-", by=None, stdin=eviction)

    assert orphaned.reasons == ("deletion",)
    assert evicted.doors == {"derived"}, evicted.out
    gate.pod(app)


def test_a_number_moves_as_far_as_it_was_signed(gate: Gate, name: str) -> None:
    """The range travels in the sign-off; beyond it nobody scales."""
    attested = gate.attest(chart.deployment(name, replicas=1))
    elastic = f"Deployment/{name}:/spec/replicas=1..2"
    assert gate.apply(gate.sign(attested, "--elastic", elastic)).admitted

    within = gate.kubectl("scale", "deployment", name, "--replicas=2", by=None)
    beyond = gate.kubectl("scale", "deployment", name, "--replicas=3", by=None)
    nothing = gate.kubectl("scale", "deployment", name, "--replicas=0", by=None)

    assert within.doors == {"delta"}, within.out
    assert beyond.reasons == nothing.reasons == ("subresource",)


def test_an_owner_from_before_that_was_signed_for_another_cluster(
    gate: Gate, name: str
) -> None:
    """Nobody of this one stands for it, so nobody for what would come of it."""
    signed = {}
    for cluster in ("local", "elsewhere"):
        app = f"{name}-{cluster}"
        text = gate.attest(chart.deployment(app), flags=("--cluster", cluster))
        signed[app] = gate.sign(text, "--cluster", cluster)
    with unprotected(gate):
        for app, text in signed.items():
            gate.stack.plane.kubectl("apply", "-f", "-", stdin=text).check()
            gate.pod(app)
    made = []
    for app in signed:
        pod = another(live(gate, "pods", app))
        pod["spec"] = unplaced(pod["spec"])
        made.append(created(gate, pod, POD))
    here, elsewhere = made

    assert here.doors == {"derived"}, here.out
    assert elsewhere.reasons == ("owner_unproven",), elsewhere.out


def test_no_controller_was_denied(gate: Gate, app: str) -> None:
    """Whatever the real ones asked for in this session, in the audit log's words."""
    gate.pod(app)
    assert denied_to_controllers(gate) == []
