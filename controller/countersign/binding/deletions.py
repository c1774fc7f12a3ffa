"""Whose deletions need no signature: of what is made again, and by whom it is ended.

Rule 11. The closed table holds, besides the user, what must be seen in the object that
goes: an impersonated controller may end only what that controller would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from countersign.binding.actors import CONTROLLER_MANAGER, SCHEDULER, controllers
from countersign.binding.births import node_of
from countersign.binding.surface import ANY
from countersign.binding.tree import Struct, Value, find
from countersign.binding.writes import is_token
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.request import AdmissionRequest

OWNERS: Mapping[GroupKind, frozenset[GroupKind]] = {
    GroupKind("", "Pod"): frozenset(
        {
            GroupKind("", "ReplicationController"),
            GroupKind("apps", "DaemonSet"),
            GroupKind("apps", "ReplicaSet"),
            GroupKind("apps", "StatefulSet"),
            GroupKind("batch", "Job"),
        }
    ),
    GroupKind("apps", "ReplicaSet"): frozenset({GroupKind("apps", "Deployment")}),
    GroupKind("batch", "Job"): frozenset({GroupKind("batch", "CronJob")}),
    GroupKind("discovery.k8s.io", "EndpointSlice"): frozenset(
        {GroupKind("", "Endpoints"), GroupKind("", "Service")}
    ),
}
"""Which controllers make objects of a kind again when one goes.

Not listed: claims, whose data does not come again, and ControllerRevisions, since only
that of the present template would.
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller that an object names. A claim, until the owner was looked up."""

    version: str
    kind: GroupKind
    name: str
    uid: str


def controller_of(tree: Tree) -> Owner | None:
    """Return the only owner of an object if it is its controller, else None."""
    owners = find(tree, "/metadata/ownerReferences")
    if type(owners) is not list or len(owners) != 1 or type(owners[0]) is not dict:
        return None
    owner: Struct = owners[0]
    group, _, version = str(owner.get("apiVersion", "")).rpartition("/")
    texts = [owner.get(key) for key in ("kind", "name", "uid")]
    if owner.get("controller") is not True or not all(
        type(text) is str and text for text in texts
    ):
        return None
    kind, name, uid = (str(text) for text in texts)
    return Owner(version, GroupKind(group, kind), name, uid)


def made_again_by(kind: GroupKind, tree: Tree) -> Owner | None:
    """Return the controller that would make `tree` again, or None."""
    owner = controller_of(tree)
    return owner if owner and owner.kind in OWNERS.get(kind, frozenset()) else None


def orphans(request: AdmissionRequest) -> bool:
    """Tell whether a deletion leaves the object's own children behind."""
    options = request.options or {}
    eviction = (request.object or {}).get("deleteOptions")
    return any(
        said.get("propagationPolicy") == "Orphan"
        or said.get("orphanDependents") is True
        for said in (options, eviction)
        if isinstance(said, dict)
    )


@dataclass(frozen=True, slots=True)
class Row:
    """What some users may delete.

    Attributes:
        rule: Name, for the basis of the admission.
        actors: Exact user names.
        resource: ``plural.group``, or `ANY`.
        given: What must be seen in the object that goes.
    """

    rule: str
    actors: frozenset[str]
    resource: str
    given: Callable[[Tree], bool]


def _owned_by(kind: str) -> Callable[[Tree], bool]:
    def given(tree: Tree) -> bool:
        owner = controller_of(tree)
        return owner is not None and owner.kind.kind == kind

    return given


def _managed_by(name: str) -> Callable[[Tree], bool]:
    path = "/metadata/labels/endpointslice.kubernetes.io~1managed-by"
    return lambda tree: find(tree, path) == name


def _has_owner(tree: Tree) -> bool:
    owners = find(tree, "/metadata/ownerReferences")
    return type(owners) is list and bool(owners)


def _has_expired(tree: Tree) -> bool:
    conditions: Value = find(tree, "/status/conditions")
    return type(find(tree, "/spec/ttlSecondsAfterFinished")) is int and any(
        condition.get("type") in ("Complete", "Failed")
        and condition.get("status") == "True"
        for condition in (conditions if type(conditions) is list else [])
    )


def _any(_: Tree) -> bool:
    return True


ROWS: tuple[Row, ...] = (
    Row("collected", controllers("generic-garbage-collector"), ANY, _has_owner),
    Row(
        "rolled-out",
        controllers("deployment-controller"),
        "replicasets.apps",
        _owned_by("Deployment"),
    ),
    Row(
        "scaled",
        controllers("replicaset-controller"),
        "pods",
        _owned_by("ReplicaSet"),
    ),
    Row(
        "scaled",
        controllers("replication-controller"),
        "pods",
        _owned_by("ReplicationController"),
    ),
    Row(
        "scaled",
        controllers("statefulset-controller"),
        "pods",
        _owned_by("StatefulSet"),
    ),
    Row("scaled", controllers("daemon-set-controller"), "pods", _owned_by("DaemonSet")),
    Row(
        "forgotten",
        controllers("statefulset-controller"),
        "controllerrevisions.apps",
        _owned_by("StatefulSet"),
    ),
    Row(
        "forgotten",
        controllers("daemon-set-controller"),
        "controllerrevisions.apps",
        _owned_by("DaemonSet"),
    ),
    Row("ended", controllers("job-controller"), "pods", _owned_by("Job")),
    Row(
        "history", controllers("cronjob-controller"), "jobs.batch", _owned_by("CronJob")
    ),
    Row(
        "expired",
        controllers("ttl-after-finished-controller"),
        "jobs.batch",
        _has_expired,
    ),
    Row("pod-collected", controllers("pod-garbage-collector"), "pods", _any),
    Row(
        "tainted",
        controllers("node-controller", "device-taint-eviction-controller"),
        "pods",
        _any,
    ),
    Row("preempted", SCHEDULER, "pods", _any),
    Row(
        "released",
        controllers("resource-claim-controller") | SCHEDULER,
        "resourceclaims.resource.k8s.io",
        _owned_by("Pod"),
    ),
    Row(
        "expired",
        controllers("podcertificaterequestcleaner"),
        "podcertificaterequests.certificates.k8s.io",
        _any,
    ),
    Row("endpoints", controllers("endpoint-controller"), "endpoints", _any),
    Row(
        "endpoints",
        controllers("endpointslice-controller"),
        "endpointslices.discovery.k8s.io",
        _managed_by("endpointslice-controller.k8s.io"),
    ),
    Row(
        "endpoints",
        controllers("endpointslicemirroring-controller"),
        "endpointslices.discovery.k8s.io",
        _managed_by("endpointslicemirroring-controller.k8s.io"),
    ),
    Row(
        "token-withdrawn",
        CONTROLLER_MANAGER | controllers("legacy-service-account-token-cleaner"),
        "secrets",
        is_token,
    ),
)

NAMESPACE_CONTROLLER = controllers("namespace-controller")
"""May end everything in a namespace that is going; the caller looks that up."""


def ends(request: AdmissionRequest) -> str:
    """Return the rule that lets a deletion by a controller pass, or ``""``."""
    old, resource = request.old or {}, str(request.resource)
    node = node_of(request.requester)
    if node and resource == "pods" and find(old, "/spec/nodeName") == node:
        return "kubelet"
    return next(
        (
            row.rule
            for row in ROWS
            if request.requester.name in row.actors
            and row.resource in (ANY, resource)
            and row.given(old)
        ),
        "",
    )
