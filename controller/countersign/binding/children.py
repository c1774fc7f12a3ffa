"""The pure half of the door *derived*: is an object what its owner makes of it?

The user of the request must be the controller that makes such objects, but that is
never enough: a user can be impersonated. So the object is compared with what the owner
makes of it, as if that were a signed intent. Whether the owner is live and authentic is
looked up by the use case.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from countersign.binding.delta import controllers
from countersign.binding.derivations.endpoints import (
    endpoints,
    slice_of_endpoints,
    slice_of_service,
)
from countersign.binding.derivations.jobs import job
from countersign.binding.derivations.kin import Kin, mapping
from countersign.binding.derivations.pods import pod_of_job, pod_of_replica_set
from countersign.binding.derivations.replica_sets import replica_set
from countersign.binding.facts import ClusterFacts
from countersign.binding.match import match
from countersign.binding.normal_form import OWN_PREFIX
from countersign.binding.tree import Struct, Value, token
from countersign.core.types.artifacts import Difference, ObjectRef, Tree
from countersign.core.types.policy import GroupKind
from countersign.core.types.request import AdmissionRequest


@dataclass(frozen=True, slots=True)
class Derivation:
    """One way in which an object comes from its owner.

    Attributes:
        rule: Name, for the basis of the admission.
        actors: Users that the controller runs as.
        version: API version of the owner, without its group.
        derive: Computes what the child must be.
        needs_pods: The Pods of the namespace are asked for.
        by_name: The child has no owner reference; the owner has the child's name.
    """

    rule: str
    actors: frozenset[str]
    version: str
    derive: Callable[[Kin], Struct]
    needs_pods: bool = False
    by_name: bool = False


DERIVATIONS: Mapping[tuple[GroupKind, GroupKind], Derivation] = {
    (GroupKind("apps", "Deployment"), GroupKind("apps", "ReplicaSet")): Derivation(
        "deployment-replicaset",
        controllers("deployment-controller"),
        "v1",
        replica_set,
    ),
    (GroupKind("apps", "ReplicaSet"), GroupKind("", "Pod")): Derivation(
        "replicaset-pod",
        controllers("replicaset-controller"),
        "v1",
        pod_of_replica_set,
    ),
    (GroupKind("batch", "Job"), GroupKind("", "Pod")): Derivation(
        "job-pod", controllers("job-controller"), "v1", pod_of_job
    ),
    (GroupKind("batch", "CronJob"), GroupKind("batch", "Job")): Derivation(
        "cronjob-job", controllers("cronjob-controller"), "v1", job
    ),
    (GroupKind("", "Service"), GroupKind("", "Endpoints")): Derivation(
        "service-endpoints",
        controllers("endpoint-controller"),
        "v1",
        endpoints,
        needs_pods=True,
        by_name=True,
    ),
    (
        GroupKind("", "Service"),
        GroupKind("discovery.k8s.io", "EndpointSlice"),
    ): Derivation(
        "service-endpointslice",
        controllers("endpointslice-controller"),
        "v1",
        slice_of_service,
        needs_pods=True,
    ),
    (
        GroupKind("", "Endpoints"),
        GroupKind("discovery.k8s.io", "EndpointSlice"),
    ): Derivation(
        "endpoints-endpointslice",
        controllers("endpointslicemirroring-controller"),
        "v1",
        slice_of_endpoints,
    ),
}
"""By the kinds of owner and child."""


def named_after(child: GroupKind) -> tuple[GroupKind, Derivation] | None:
    """Return the kind of owner that makes `child` under its own name, or None."""
    return next(
        (
            (owner, way)
            for (owner, made), way in DERIVATIONS.items()
            if made == child and way.by_name
        ),
        None,
    )


def compare(
    derivation: Derivation,
    kin: Kin,
    identity: ObjectRef,
    facts: ClusterFacts | None = None,
) -> tuple[Difference, ...]:
    """Compare a child with what its owner makes of it.

    Our own annotations count here: a controller copies them as they are.

    Args:
        derivation: How the child comes from the owner.
        kin: Owner and child.
        identity: What the request says the child is.
        facts: Answers to `facts_needed` of the child.

    Returns:
        Where they differ, sorted, bounded. Empty: the child is derived.

    Raises:
        Malformed: a kind is not supported, or the child is not `identity`.
    """
    expected = derivation.derive(kin)
    return _differences(expected, kin.child, identity, old=kin.old, facts=facts)


def _differences(
    expected: Tree,
    child: Tree,
    identity: ObjectRef,
    *,
    old: Tree | None = None,
    facts: ClusterFacts | None = None,
) -> tuple[Difference, ...]:
    """Compare as with a signed intent, our own annotations too."""
    wanted, seen = own_annotations(expected), own_annotations(child)
    changed = sorted(k for k in wanted | seen if wanted.get(k) != seen.get(k))
    return match(expected, child, identity=identity, old=old, facts=facts) + tuple(
        Difference(f"/metadata/annotations/{token(key)}", None, None) for key in changed
    )


def comes_from(
    derivation: Derivation, owner: Tree, child: Tree, identity: ObjectRef
) -> bool:
    """Tell whether a live child still is in the state that `owner` gives it.

    What it was let to become meanwhile (replicas, a restart) aside. Its annotations are
    not looked at: they may lag behind the owner's, and say nothing about what runs.

    Raises:
        Malformed: a kind is not supported, or the child is not `identity`.
    """
    expected = derivation.derive(Kin(owner=owner, child=child, old=child))
    annotations = mapping(child, "/metadata/annotations")
    expected["metadata"]["annotations"] = annotations
    return not match(expected, child, identity=identity, old=child)


ROOT_CERTIFICATES = "kube-root-ca.crt"
"""The ConfigMap that tells Pods whom to believe to be the API server."""


def publishes_root(request: AdmissionRequest) -> bool:
    """Tell whether the publisher writes the root certificates of a namespace."""
    return (
        str(request.resource) == "configmaps"
        and request.ref.name == ROOT_CERTIFICATES
        and request.requester.name in controllers("root-ca-cert-publisher")
    )


def compare_roots(
    root: Tree, child: Tree, identity: ObjectRef
) -> tuple[Difference, ...]:
    """Compare the root certificates of a namespace with those of kube-system.

    Raises:
        Malformed: `child` is not `identity`.
    """
    expected: Struct = {
        "apiVersion": root.get("apiVersion"),
        "kind": root.get("kind"),
        "metadata": {
            "name": ROOT_CERTIFICATES,
            "namespace": identity.namespace,
            "annotations": mapping(root, "/metadata/annotations"),
        },
        "data": root.get("data"),
    }
    return _differences(expected, child, identity)


def own_annotations(tree: Struct) -> dict[str, Value]:
    """Return the annotations of an object that are ours."""
    annotations = mapping(tree, "/metadata/annotations")
    return {k: v for k, v in annotations.items() if k.startswith(OWN_PREFIX)}
