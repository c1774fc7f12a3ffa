"""Which controller makes what of which owner: one closed table."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from countersign.binding.actors import controllers
from countersign.binding.derivations.daemon_sets import pod_of_daemon_set
from countersign.binding.derivations.endpoints import (
    endpoints,
    slice_of_endpoints,
    slice_of_service,
)
from countersign.binding.derivations.histories import revision
from countersign.binding.derivations.jobs import job
from countersign.binding.derivations.kin import Kin
from countersign.binding.derivations.pod_claims import (
    claim_of_devices,
    claim_of_volume,
    device_template,
)
from countersign.binding.derivations.pods import pod_of_job, pod_of_replica_set
from countersign.binding.derivations.replica_sets import replica_set
from countersign.binding.derivations.stateful_sets import (
    claim_of_stateful_set,
    pod_of_stateful_set,
    sets_of_claim,
)
from countersign.binding.facts import Fact
from countersign.binding.tree import Struct
from countersign.core.types.artifacts import GroupKind, Tree


@dataclass(frozen=True, slots=True)
class Derivation:
    """One way in which an object comes from its owner.

    Attributes:
        rule: Name, for the basis of the admission.
        actors: Users that the controller runs as.
        version: API version of the owner, without its group.
        derive: Computes what the child must be.
        needs_pods: The Pods of the namespace are asked for.
        by_name: The child names no owner; this yields the names that one may have.
        source: Names what else the child is made from, of owner and child.
        remembers: The owner also makes children of templates that it had, and of which
            it keeps a ControllerRevision.
    """

    rule: str
    actors: frozenset[str]
    version: str
    derive: Callable[[Kin], Struct]
    needs_pods: bool = False
    by_name: Callable[[str], Iterator[str]] | None = None
    source: Callable[[Tree, Tree], Fact | None] | None = None
    remembers: bool = False


def _same_name(name: str) -> Iterator[str]:
    yield name


_POD = GroupKind("", "Pod")
_SERVICE = GroupKind("", "Service")
_ENDPOINTS = GroupKind("", "Endpoints")
_CLAIM = GroupKind("", "PersistentVolumeClaim")
_REPLICATION = GroupKind("", "ReplicationController")
_DEPLOYMENT = GroupKind("apps", "Deployment")
_REPLICA_SET = GroupKind("apps", "ReplicaSet")
_STATEFUL_SET = GroupKind("apps", "StatefulSet")
_DAEMON_SET = GroupKind("apps", "DaemonSet")
_REVISION = GroupKind("apps", "ControllerRevision")
_JOB = GroupKind("batch", "Job")
_CRON_JOB = GroupKind("batch", "CronJob")
_SLICE = GroupKind("discovery.k8s.io", "EndpointSlice")
_DEVICES = GroupKind("resource.k8s.io", "ResourceClaim")

DERIVATIONS: Mapping[tuple[GroupKind, GroupKind], Derivation] = {
    (_DEPLOYMENT, _REPLICA_SET): Derivation(
        "deployment-replicaset",
        controllers("deployment-controller"),
        "v1",
        replica_set,
    ),
    (_REPLICA_SET, _POD): Derivation(
        "replicaset-pod",
        controllers("replicaset-controller"),
        "v1",
        pod_of_replica_set,
    ),
    (_REPLICATION, _POD): Derivation(
        "replicationcontroller-pod",
        controllers("replication-controller"),
        "v1",
        pod_of_replica_set,
    ),
    (_STATEFUL_SET, _POD): Derivation(
        "statefulset-pod",
        controllers("statefulset-controller"),
        "v1",
        pod_of_stateful_set,
        remembers=True,
    ),
    (_STATEFUL_SET, _CLAIM): Derivation(
        "statefulset-claim",
        controllers("statefulset-controller"),
        "v1",
        claim_of_stateful_set,
        needs_pods=True,
        by_name=sets_of_claim,
    ),
    (_STATEFUL_SET, _REVISION): Derivation(
        "statefulset-revision",
        controllers("statefulset-controller"),
        "v1",
        revision,
    ),
    (_DAEMON_SET, _POD): Derivation(
        "daemonset-pod",
        controllers("daemon-set-controller"),
        "v1",
        pod_of_daemon_set,
    ),
    (_DAEMON_SET, _REVISION): Derivation(
        "daemonset-revision",
        controllers("daemon-set-controller"),
        "v1",
        revision,
    ),
    (_JOB, _POD): Derivation(
        "job-pod", controllers("job-controller"), "v1", pod_of_job
    ),
    (_CRON_JOB, _JOB): Derivation(
        "cronjob-job", controllers("cronjob-controller"), "v1", job
    ),
    (_POD, _CLAIM): Derivation(
        "pod-claim",
        controllers("ephemeral-volume-controller"),
        "v1",
        claim_of_volume,
    ),
    (_POD, _DEVICES): Derivation(
        "pod-resourceclaim",
        controllers("resource-claim-controller"),
        "v1",
        claim_of_devices,
        source=device_template,
    ),
    (_SERVICE, _ENDPOINTS): Derivation(
        "service-endpoints",
        controllers("endpoint-controller"),
        "v1",
        endpoints,
        needs_pods=True,
        by_name=_same_name,
    ),
    (_SERVICE, _SLICE): Derivation(
        "service-endpointslice",
        controllers("endpointslice-controller"),
        "v1",
        slice_of_service,
        needs_pods=True,
    ),
    (_ENDPOINTS, _SLICE): Derivation(
        "endpoints-endpointslice",
        controllers("endpointslicemirroring-controller"),
        "v1",
        slice_of_endpoints,
    ),
}
"""By the kinds of owner and child."""


def named_after(child: GroupKind, user: str) -> tuple[GroupKind, Derivation] | None:
    """Return the kind of owner by whose name `user` makes a `child`, or None."""
    return next(
        (
            (owner, way)
            for (owner, made), way in DERIVATIONS.items()
            if made == child and way.by_name and user in way.actors
        ),
        None,
    )
