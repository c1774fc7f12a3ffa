"""Children of StatefulSets: Pods of two templates, claims, and the records of both."""

import json

import pytest
import yaml

from tests.support import chart
from tests.support.chart import NAMESPACE, Tree
from tests.support.gate import Gate
from tests.support.trees import having
from tests.support.workloads import (
    EVIL,
    all_of,
    another,
    created,
    denied_to_controllers,
    owner_of,
    played,
    regions,
    run,
    stateful_set,
    unplaced,
    unprotected,
    until_regions,
)
from tools.stack.ready import until

BY = "statefulset-controller"
STRATEGY = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}


@pytest.fixture(name="app", scope="module")
def _app(gate: Gate) -> str:
    """Apply a signed database; two of its three Pods are of the newer template."""
    name = "stateful"
    first = stateful_set(name, updateStrategy=STRATEGY)
    applied = gate.apply(gate.approved(first, chart.service(name)))
    assert applied.admitted, applied.out
    until_regions(gate, name, "eu", "eu")
    newer = stateful_set(name, "us", replicas=3, updateStrategy=STRATEGY)
    applied = gate.apply(gate.approved(newer))
    assert applied.admitted, applied.out
    run(gate, f"{name}-2")  # before 1.37 the others are not replaced until it does
    until_regions(gate, name, "eu", "us", "us")
    return name


def test_claims_come_with_the_pods(gate: Gate, app: str) -> None:
    """One a Pod, owned by nobody, of the template's spec and labels."""
    claims = all_of(gate, "persistentvolumeclaims", app)

    assert [c["metadata"]["name"] for c in claims] == [f"data-{app}-{n}" for n in "012"]
    assert {owner_of(claim) for claim in claims} == {""}
    assert {claim["metadata"]["labels"]["tier"] for claim in claims} == {"db"}


def test_a_pod_below_the_partition_comes_back_as_it_was(gate: Gate, app: str) -> None:
    """Of the older template, which its record keeps, and people signed for once."""
    before = all_of(gate, "pods", app)[0]["metadata"]["uid"]
    gone = gate.kubectl("delete", "pod", f"{app}-0", "--wait=false", by=None)

    assert gone.doors == {"derived"}, gone.out
    until(
        lambda: (
            "" if _uid(gate, app) not in ("", before) else f"{app}-0 is not there again"
        ),
        what="the same Pod",
    )
    assert regions(gate, app)[f"{app}-0"] == "eu"


def _uid(gate: Gate, app: str) -> str:
    pods = [p for p in all_of(gate, "pods", app) if p["metadata"]["name"] == f"{app}-0"]
    return pods[0]["metadata"]["uid"] if pods else ""


def _fourth(gate: Gate, app: str, like: int) -> Tree:
    """Return the Pod that the next replica would have, as the controller sends it."""
    pod = another(all_of(gate, "pods", app)[like], f"{app}-{like}")
    pod["metadata"]["generateName"] = f"{app}-"
    pod["spec"] = unplaced(pod["spec"])
    text = yaml.safe_dump(pod).replace(f"{app}-{like}", f"{app}-3")
    made: Tree = yaml.safe_load(text.replace("pod-index: '2'", "pod-index: '3'"))
    return made


def test_a_played_controller_makes_nothing_more(gate: Gate, app: str) -> None:
    """Dry runs tell, of a set that asks for one more than there are."""
    set_of = stateful_set(app, "us", replicas=4, updateStrategy=STRATEGY)
    assert gate.apply(gate.approved(set_of)).admitted
    until_regions(gate, app, "eu", "us", "us", "us")
    pod = _fourth(gate, app, 2)
    gate.stack.plane.kubectl("delete", "pod", f"{app}-3", "-n", NAMESPACE).check()
    seen = {
        "as asked for": pod,
        "the host's processes": having(pod, "/spec/hostPID", value=True),
        "another service": having(pod, "/spec/subdomain", "elsewhere"),
        "another image": having(pod, "/spec/containers/0/image", EVIL),
        "a neighbour's data": having(
            pod, "/spec/volumes/0/persistentVolumeClaim/claimName", f"data-{app}-1"
        ),
        "a label": having(pod, "/metadata/labels/tier", "front"),
        "an ordinal beyond the last": _renamed(pod, f"{app}-3", f"{app}-4"),
    }
    told = {
        name: created(gate, tree, BY, "--dry-run=server").reasons
        for name, tree in seen.items()
    }

    assert told.pop("as asked for") == ()
    assert set(told.values()) == {("child_differs",)}, told


def _renamed(tree: Tree, name: str, other: str) -> Tree:
    made: Tree = yaml.safe_load(yaml.safe_dump(tree).replace(name, other))
    return made


def test_a_claim_is_the_templates(gate: Gate, app: str) -> None:
    """Not of another class or size, and not of another name."""
    claim = another(all_of(gate, "persistentvolumeclaims", app)[0], f"data-{app}-7")
    claim["spec"].pop("volumeName", None)
    size = "/spec/resources/requests/storage"
    told = [
        created(gate, tree, BY, "--dry-run=server").reasons
        for tree in (
            claim,
            having(claim, "/spec/storageClassName", "fast-and-shared"),
            having(claim, size, "900Gi"),
            having(claim, "/metadata/labels/app", "other"),
            having(claim, "/metadata/name", f"other-{app}-7"),
        )
    ]

    assert told == [(), *[("child_differs",)] * 4]


def test_a_claim_belongs_to_whom_the_policy_says(gate: Gate, app: str) -> None:
    """Retained here: who plays the controller cannot have it go with the set."""
    (owned,) = all_of(gate, "statefulsets", app)
    reference = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": app,
        "uid": owned["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    claim = all_of(gate, "persistentvolumeclaims", app)[0]
    taken = having(claim, "/metadata/ownerReferences", [reference])
    given = played(gate, BY, "replace", "-f", "-", tree=taken)

    assert given.reasons == ("child_differs",), given.out


def test_records_are_of_signed_templates(gate: Gate, app: str) -> None:
    """A forged one is denied, and so are Pods of one that was there before."""
    records = all_of(gate, "controllerrevisions", app)
    record = max(records, key=lambda one: int(one["revision"]))
    (owner,) = all_of(gate, "statefulsets", app)
    copied = owner["metadata"]["annotations"]
    record = having(record, "/metadata/annotations", copied)
    image = "/data/spec/template/spec/containers/0/image"
    forged = having(another(record, f"{app}-bcdfgh"), image, EVIL)
    more = having(another(record, f"{app}-bcdfgh"), "/data/spec/replicas", 9)
    again = another(record, f"{app}-bcdfgh")
    told = [
        created(gate, tree, BY, "--dry-run=server").reasons
        for tree in (again, forged, more)
    ]

    assert told == [(), ("child_differs",), ("child_differs",)]

    with unprotected(gate):
        played(gate, BY, "create", "-f", "-", tree=forged)
        status = json.dumps({"status": {"currentRevision": f"{app}-bcdfgh"}})
        plane = gate.stack.plane
        name = ("statefulset", app, "-n", NAMESPACE, "--subresource=status")
        plane.kubectl("patch", *name, "--type=merge", "-p", status).check()
    pod = _fourth(gate, app, 2)
    label = "/metadata/labels/controller-revision-hash"
    pod = having(pod, label, f"{app}-bcdfgh")
    pod = having(pod, "/spec/containers/0/image", EVIL)
    evil = created(gate, pod, BY, "--dry-run=server")

    assert evil.reasons in (("child_differs",), ("owner_unproven",)), evil.out


def test_back_to_the_first_template_and_gone(gate: Gate, app: str) -> None:
    """Signed anew: its record gets a new number, and all Pods are of it."""
    back = stateful_set(app, replicas=1)
    assert gate.apply(gate.approved(back)).admitted
    until_regions(gate, app, "eu")


def test_no_controller_was_denied(gate: Gate, app: str) -> None:
    """Whatever the real ones asked for in this session, in the audit log's words."""
    assert regions(gate, app)
    assert denied_to_controllers(gate) == []
