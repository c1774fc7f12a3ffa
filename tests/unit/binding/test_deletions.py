"""Who may end what without a signature; what is seen in the object counts too."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.deletions import (
    Owner,
    controller_of,
    ends,
    made_again_by,
    orphans,
)
from countersign.binding.tree import ABSENT
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.request import AdmissionRequest, Requester, Verb
from tests.support.recording import find, recorded
from tests.support.trees import having
from tests.support.world import DEVELOPER, Tree, World, controller, delete, node

REQUESTS = list(recorded(World()))
DELETIONS = [r for r in REQUESTS if r.verb is Verb.DELETE]
POD: Any = find(REQUESTS, by="replicaset-controller", kind="Pod").object
JOB_POD: Any = find(REQUESTS, by="job-controller", kind="Pod").object
REPLICA_SET: Any = find(REQUESTS, by="deployment-controller", kind="ReplicaSet").object
JOB: Any = find(REQUESTS, by="cronjob-controller", kind="Job").object
DONE = having(
    having(JOB, "/status/conditions", [{"type": "Complete", "status": "True"}]),
    "/spec/ttlSecondsAfterFinished",
    1,
)
TOKEN: Any = find(REQUESTS, by="kube-controller-manager", kind="Secret").old
OWNERS = "/metadata/ownerReferences"


def _of(tree: Tree, kind: str, version: str = "apps/v1") -> Tree:
    """Return `tree` as a child of another kind of owner."""
    owner = {"apiVersion": version, "kind": kind, "name": "it", "uid": "1"}
    return having(tree, OWNERS, [{**owner, "controller": True}])


def _bare(version: str, kind: str) -> Tree:
    metadata = {"name": "it", "namespace": "payments", "uid": "2"}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


RECORD = _of(_bare("apps/v1", "ControllerRevision"), "DaemonSet")
CLAIM = _of(_bare("v1", "PersistentVolumeClaim"), "StatefulSet")
DEVICES = _bare("resource.k8s.io/v1", "ResourceClaim")


def test_the_recorded_controllers_may() -> None:
    """Whatever the real controllers ended, but for what the namespace's end does."""
    by_controllers = [
        r
        for r in DELETIONS
        if r.requester.name.startswith("system:")
        and not r.requester.name.endswith("namespace-controller")
    ]

    assert by_controllers
    assert all(ends(r) for r in by_controllers)
    assert not any(ends(replace(r, requester=DEVELOPER)) for r in DELETIONS)


@pytest.mark.parametrize(
    ("who", "tree", "may"),
    [
        pytest.param("replicaset-controller", POD, True, id="a ReplicaSet's Pod"),
        pytest.param("replicaset-controller", JOB_POD, False, id="a Job's Pod"),
        pytest.param(
            "replicaset-controller",
            having(POD, OWNERS, ABSENT),
            False,
            id="a Pod that a person made",
        ),
        pytest.param("replicaset-controller", REPLICA_SET, False, id="a ReplicaSet"),
        pytest.param(
            "statefulset-controller", _of(POD, "StatefulSet"), True, id="a set's Pod"
        ),
        pytest.param("statefulset-controller", POD, False, id="not a set's Pod"),
        pytest.param(
            "daemon-set-controller", _of(POD, "DaemonSet"), True, id="a node's Pod"
        ),
        pytest.param("daemon-set-controller", POD, False, id="not a node's Pod"),
        pytest.param(
            "replication-controller",
            _of(POD, "ReplicationController", "v1"),
            True,
            id="a ReplicationController's Pod",
        ),
        pytest.param("replication-controller", POD, False, id="not its Pod"),
        pytest.param(
            "statefulset-controller",
            _of(RECORD, "StatefulSet"),
            True,
            id="an old record of its own",
        ),
        pytest.param(
            "statefulset-controller", RECORD, False, id="a record of a DaemonSet"
        ),
        pytest.param("daemon-set-controller", RECORD, True, id="an old record"),
        pytest.param("statefulset-controller", CLAIM, False, id="a claim, with data"),
        pytest.param(
            "resource-claim-controller",
            _of(DEVICES, "Pod", "v1"),
            True,
            id="devices of a Pod that is done",
        ),
        pytest.param(
            "resource-claim-controller", DEVICES, False, id="devices that people signed"
        ),
        pytest.param("job-controller", JOB_POD, True, id="the Job's Pod"),
        pytest.param("job-controller", POD, False, id="not a Job's Pod"),
        pytest.param("deployment-controller", REPLICA_SET, True, id="an old one"),
        pytest.param(
            "deployment-controller",
            having(REPLICA_SET, OWNERS, ABSENT),
            False,
            id="a ReplicaSet of its own",
        ),
        pytest.param("cronjob-controller", JOB, True, id="a scheduled Job"),
        pytest.param(
            "cronjob-controller", having(JOB, OWNERS, ABSENT), False, id="a signed Job"
        ),
        pytest.param("ttl-after-finished-controller", DONE, True, id="expired"),
        pytest.param(
            "ttl-after-finished-controller",
            having(DONE, "/status/conditions", []),
            False,
            id="still running",
        ),
        pytest.param(
            "ttl-after-finished-controller",
            having(
                DONE, "/status/conditions", [{"type": "Suspended", "status": "True"}]
            ),
            False,
            id="suspended",
        ),
        pytest.param(
            "ttl-after-finished-controller",
            having(DONE, "/status/conditions", [{"type": "Failed", "status": "False"}]),
            False,
            id="not failed",
        ),
        pytest.param(
            "ttl-after-finished-controller",
            having(DONE, "/status/conditions", [{"type": "Failed", "status": "True"}]),
            True,
            id="failed",
        ),
        pytest.param(
            "ttl-after-finished-controller",
            having(DONE, "/spec/ttlSecondsAfterFinished", ABSENT),
            False,
            id="to be kept",
        ),
        pytest.param("generic-garbage-collector", POD, True, id="what has an owner"),
        pytest.param(
            "generic-garbage-collector",
            having(POD, OWNERS, ABSENT),
            False,
            id="what has none",
        ),
        pytest.param("pod-garbage-collector", POD, True, id="a Pod"),
        pytest.param("pod-garbage-collector", JOB, False, id="no Pod"),
        pytest.param("node-controller", POD, True, id="a tainted node's Pod"),
        pytest.param("legacy-service-account-token-cleaner", TOKEN, True, id="a token"),
        pytest.param(
            "legacy-service-account-token-cleaner",
            having(TOKEN, "/type", "Opaque"),
            False,
            id="another Secret",
        ),
        pytest.param("endpointslice-controller", POD, False, id="no slice"),
        pytest.param("horizontal-pod-autoscaler", POD, False, id="who ends nothing"),
        pytest.param("namespace-controller", POD, False, id="looked up elsewhere"),
    ],
)
def test_a_controller_ends_what_it_would(who: str, tree: Tree, *, may: bool) -> None:
    """Its name is not enough (rule 11)."""
    assert bool(ends(delete(tree, by=controller(who)))) is may


def test_a_kubelet_ends_its_own_pods() -> None:
    """And nobody else's; neither does it end anything but Pods."""
    placed = having(POD, "/spec/nodeName", "one")

    assert ends(delete(placed, by=node("one")))
    assert not ends(delete(placed, by=node("two")))
    assert not ends(delete(POD, by=node("one")))
    assert not ends(delete(having(JOB, "/spec/nodeName", "one"), by=node("one")))
    assert ends(delete(POD, by=Requester("system:kube-scheduler")))


REFERENCE = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "name": "a",
    "uid": "1",
    "controller": True,
}


@pytest.mark.parametrize(
    ("owners", "found"),
    [
        pytest.param(
            [REFERENCE],
            Owner("v1", GroupKind("apps", "ReplicaSet"), "a", "1"),
            id="a controller",
        ),
        pytest.param([REFERENCE, REFERENCE], None, id="two owners [rule 12]"),
        pytest.param([{**REFERENCE, "controller": False}], None, id="no controller"),
        pytest.param([{**REFERENCE, "controller": "true"}], None, id="a text"),
        pytest.param([{**REFERENCE, "uid": ""}], None, id="no uid"),
        pytest.param([{**REFERENCE, "name": 1}], None, id="no name"),
        pytest.param(["x"], None, id="no reference"),
        pytest.param([], None, id="none"),
        pytest.param(ABSENT, None, id="nothing"),
    ],
)
def test_an_owner_is_one_controller(owners: Any, found: Owner | None) -> None:
    """Exactly one reference, whole, and it controls."""
    tree = {**POD, "metadata": {**POD["metadata"]}}
    tree["metadata"].pop("ownerReferences")
    if owners is not ABSENT:
        tree["metadata"]["ownerReferences"] = owners

    assert controller_of(tree) == found
    kept = found is not None
    assert (made_again_by(GroupKind("", "Pod"), tree) is not None) is kept
    assert made_again_by(GroupKind("", "ConfigMap"), tree) is None


@pytest.mark.parametrize(
    ("options", "left"),
    [
        pytest.param({"propagationPolicy": "Orphan"}, True, id="by policy"),
        pytest.param({"orphanDependents": True}, True, id="in the old way"),
        pytest.param({"propagationPolicy": "Background"}, False, id="background"),
        pytest.param(None, False, id="unsaid"),
    ],
)
def test_children_left_behind_are_seen(options: Tree | None, *, left: bool) -> None:
    """Rule 11: that must be signed for, also where an eviction says so."""
    plain: AdmissionRequest = delete(POD)
    eviction: Tree = {"kind": "Eviction", "deleteOptions": options}

    assert orphans(replace(plain, options=options)) is left
    assert orphans(replace(plain, old=None, object=eviction)) is left
