"""Children of DaemonSets and ReplicationControllers, and who takes them up again."""

import pytest

from tests.support.chart import NAMESPACE, Tree
from tests.support.gate import Gate
from tests.support.trees import having
from tests.support.workloads import (
    EVIL,
    all_of,
    another,
    created,
    daemon_set,
    denied_to_controllers,
    node,
    owner_of,
    played,
    regions,
    replication_controller,
    stateful_set,
    unplaced,
    unprotected,
    until_regions,
)
from tools.stack.ready import until

BY = "daemon-set-controller"
NODES = ("edge-1", "edge-2")


@pytest.fixture(name="app", scope="module")
def _app(gate: Gate) -> str:
    """Apply a signed DaemonSet, of which two nodes have a Pod each."""
    name, plane = "daemons", gate.stack.plane
    for one in NODES:
        plane.kubectl("apply", "-f", "-", stdin=node(one)).check()
    applied = gate.apply(gate.approved(daemon_set(name)))
    assert applied.admitted, applied.out
    until_regions(gate, name, "eu", "eu")
    return name


def _sent(gate: Gate, app: str, by_name: bool = False) -> Tree:  # noqa: FBT001, FBT002
    """Return a Pod as the controller sends it."""
    pod = all_of(gate, "pods", app)[0]
    made = another(pod, pod["metadata"]["name"] if by_name else "")
    return {**made, "spec": unplaced(made["spec"])}


def test_a_played_controller_makes_nothing_more(gate: Gate, app: str) -> None:
    """One Pod of the template for a node, with the tolerations of the server's list."""
    pod = _sent(gate, app)
    tolerations = [*pod["spec"]["tolerations"], {"key": "gpu", "operator": "Exists"}]
    root = {"name": "root", "hostPath": {"path": "/"}}
    terms = "/spec/affinity/nodeAffinity"
    told = {
        name: created(gate, tree, BY, "--dry-run=server").reasons
        for name, tree in {
            "as asked for": pod,
            "the host's files": having(pod, "/spec/volumes", [root]),
            "another image": having(pod, "/spec/containers/0/image", EVIL),
            "another toleration": having(pod, "/spec/tolerations", tolerations),
            "any node": having(pod, terms, {}),
            "a stale template": having(pod, "/spec/containers/0/env/0/value", "ap"),
            "a label": having(pod, "/metadata/labels/tier", "front"),
        }.items()
    }

    assert told.pop("as asked for") == ()
    assert set(told.values()) == {("child_differs",)}, told


def test_a_record_is_of_the_live_template(gate: Gate, app: str) -> None:
    """Whoever asks for it."""
    (record,) = all_of(gate, "controllerrevisions", app)
    again = another(record, f"{app}-{_hash(record)}")
    image = "/data/spec/template/spec/containers/0/image"
    told = [
        created(gate, tree, by, "--dry-run=server").reasons
        for tree, by in (
            (having(again, image, EVIL), BY),
            (having(again, "/data/spec/paused", value=True), BY),
            (again, "statefulset-controller"),
        )
    ]

    assert told == [("child_differs",), ("child_differs",), ("owner_unproven",)]


def _hash(record: Tree) -> str:
    found: str = record["metadata"]["labels"]["controller-revision-hash"]
    return found


def test_a_new_template_rolls_out(gate: Gate, app: str) -> None:
    """Pods go and come; a restart by a group that may is one, too."""
    applied = gate.apply(gate.approved(daemon_set(app, "us")))
    assert applied.admitted, applied.out
    until_regions(gate, app, "us", "us")

    assert len(all_of(gate, "controllerrevisions", app)) > 1


def test_replication_controllers_work_as_ever(gate: Gate) -> None:
    """Also when scaled, and when a Pod is taken from them."""
    name = "replicated"
    assert gate.apply(gate.approved(replication_controller(name))).admitted
    until_regions(gate, name, "eu", "eu")
    pod = all_of(gate, "pods", name)[0]
    sent = another(pod)
    sent["spec"] = unplaced(pod["spec"])
    evil = having(sent, "/spec/containers/0/image", EVIL)
    by = "replication-controller"

    assert created(gate, sent, by, "--dry-run=server").reasons == ()
    assert created(gate, evil, by, "--dry-run=server").reasons == ("child_differs",)
    gone = gate.kubectl("delete", "pod", pod["metadata"]["name"], by=None)
    assert gone.doors == {"derived"}, gone.out
    assert gate.apply(gate.approved(replication_controller(name, 1))).admitted
    until_regions(gate, name, "eu")


@pytest.mark.parametrize("kind", ["daemonset", "statefulset"])
def test_orphans_are_taken_up(gate: Gate, app: str, kind: str) -> None:
    """Pods and records, by a set of that name which was signed; the latter first."""
    name = app if kind == "daemonset" else "adopted"
    tree = daemon_set(name, "us") if kind == "daemonset" else stateful_set(name, "us")
    if kind == "statefulset":
        assert gate.apply(gate.approved(tree)).admitted
        until_regions(gate, name, "us", "us")
    before = {pod["metadata"]["uid"] for pod in all_of(gate, "pods", name)}
    with unprotected(gate):
        plane = gate.stack.plane
        where = (kind, name, "-n", NAMESPACE, "--cascade=orphan")
        plane.kubectl("delete", *where).check()
    assert {owner_of(pod) for pod in all_of(gate, "pods", name)} == {""}

    applied = gate.apply(gate.approved(tree))
    assert applied.admitted, applied.out

    def alone() -> str:
        found = all_of(gate, "pods", name) + all_of(gate, "controllerrevisions", name)
        return "" if all(owner_of(one) for one in found) else "still orphans"

    until(alone, what="adoption")
    assert {pod["metadata"]["uid"] for pod in all_of(gate, "pods", name)} == before


def test_a_foreign_pod_is_not_taken(gate: Gate, app: str) -> None:
    """Who plays the controller gives it neither an unlike Pod nor somebody else's."""
    (owner,) = all_of(gate, "statefulsets", "adopted")
    reference = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": "adopted",
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    labels = {"app": f"not-{app}"}  # else a real controller would take it, or end it
    stray = _sent(gate, app)
    stray["metadata"] = {"name": "stray", "namespace": NAMESPACE, "labels": labels}
    stray["spec"]["containers"][0]["image"] = EVIL
    with unprotected(gate):
        gate.stack.plane.kubectl("create", "-f", "-", stdin=stray).check()
    told, by = [], "statefulset-controller"
    for pod in (*all_of(gate, "pods", app), *all_of(gate, "pods", f"not-{app}")):
        taken = having(pod, "/metadata/ownerReferences", [reference])
        told.append(played(gate, by, "replace", "-f", "-", tree=taken).reasons)
    twice = all_of(gate, "pods", app)[0]
    owners = [*twice["metadata"]["ownerReferences"], reference | {"controller": False}]
    second = having(twice, "/metadata/ownerReferences", owners)
    told.append(played(gate, by, "replace", "-f", "-", tree=second).reasons)

    assert told[:3] == [("owner_unproven",)] * 3
    assert told[3] != ()


def test_no_controller_was_denied(gate: Gate, app: str) -> None:
    """Whatever the real ones asked for in this session, in the audit log's words."""
    assert regions(gate, app)
    assert denied_to_controllers(gate) == []
