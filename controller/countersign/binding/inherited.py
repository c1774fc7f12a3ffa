"""What may stay as it was when a signed state is applied over a live object.

Two reasons, both closed lists, and both only on UPDATE, for what the intent does not
say, and where the object under admission has exactly what the old one had:

* apply and patches leave what a manifest omits at its live value, while a default that
  depends on another field would be computed anew for the intent;
* controllers write into objects that people sign. What they were let through to write
  must not be in the way of the next sign-off.

Anything that is not listed here must be in the intent. Deliberately not listed:
``policyTypes`` of a NetworkPolicy (rules added later would not be enforced),
``strategy.rollingUpdate``, security contexts, environment and volumes.
"""

from collections.abc import Mapping

from countersign.binding.comparison import Comparison
from countersign.binding.podspecs import containers, pod_spec
from countersign.binding.tables import kind_key
from countersign.binding.tree import ABSENT, token

_TEMPLATE = "/spec/template/metadata/annotations/"
RESTARTED_AT = _TEMPLATE + token("kubectl.kubernetes.io/restartedAt")

_CA_OF_CONVERSION = "/spec/conversion/webhook/clientConfig/caBundle"
_OF_CLAIM = ("apiVersion", "kind", "resourceVersion", "uid")  # where it is named

KEPT_PATHS: Mapping[str, tuple[str, ...]] = {
    "v1/PersistentVolume": (
        "/spec/claimRef",
        *(f"/spec/claimRef/{field}" for field in _OF_CLAIM),
    ),
    "v1/PersistentVolumeClaim": ("/spec/volumeName", "/spec/storageClassName"),
    "v1/ReplicationController": ("/spec/replicas",),
    "apps/v1/DaemonSet": (RESTARTED_AT,),
    "apps/v1/Deployment": ("/spec/replicas", RESTARTED_AT),
    "apps/v1/ReplicaSet": ("/spec/replicas", RESTARTED_AT),
    "apps/v1/StatefulSet": ("/spec/replicas", RESTARTED_AT),
    "apiextensions.k8s.io/v1/CustomResourceDefinition": (_CA_OF_CONVERSION,),
    "apiregistration.k8s.io/v1/APIService": ("/spec/caBundle",),
}
"""JSON pointers whose value may stay, by kind."""

KEPT_ANNOTATIONS: Mapping[str, frozenset[str]] = {
    "v1/Node": frozenset({"node.alpha.kubernetes.io/ttl"}),
    "v1/PersistentVolume": frozenset({"pv.kubernetes.io/bound-by-controller"}),
    "v1/PersistentVolumeClaim": frozenset(
        {
            "pv.kubernetes.io/bind-completed",
            "pv.kubernetes.io/bound-by-controller",
            "volume.beta.kubernetes.io/storage-provisioner",
            "volume.kubernetes.io/selected-node",
            "volume.kubernetes.io/storage-provisioner",
        }
    ),
    "v1/Pod": frozenset({"kubernetes.io/limit-ranger"}),
    "apps/v1/Deployment": frozenset({"deployment.kubernetes.io/revision"}),
}
"""Annotations of the object itself that controllers write and that may stay, by kind."""

KEPT_FINALIZERS = frozenset(
    {
        "batch.kubernetes.io/job-tracking",
        "foregroundDeletion",
        "kubernetes.io/pv-protection",
        "kubernetes.io/pvc-protection",
        "kubernetes.io/vac-protection",
        "networking.k8s.io/service-cidr-finalizer",
        "orphan",
        "resource.kubernetes.io/delete-protection",
        "scheduling.k8s.io/podgroup-protection",
        "service.kubernetes.io/load-balancer-cleanup",
    }
)
"""Finalizers that the server and its controllers write and that may stay."""

_TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - a type of Secret
TOKEN_PATHS = (
    "/data/ca.crt",
    "/data/namespace",
    "/data/token",
    "/metadata/annotations/" + token("kubernetes.io/service-account.uid"),
    "/metadata/labels/" + token("kubernetes.io/legacy-token-invalid-since"),
    "/metadata/labels/" + token("kubernetes.io/legacy-token-last-used"),
)
"""What the server fills into a Secret of that type, and that may stay in it."""

_CLUSTER_ROLE = "rbac.authorization.k8s.io/v1/ClusterRole"
_LABELLED_BY_TEMPLATE = frozenset({"v1/ReplicationController", "batch/v1/Job"})
_WEBHOOKS = frozenset(
    f"admissionregistration.k8s.io/v1/{kind}WebhookConfiguration"
    for kind in ("Mutating", "Validating")
)
_KEPT_PULL_POLICIES = ("Always", "IfNotPresent")


def keep_inherited(sides: Comparison) -> None:
    """Let stay what may stay; without an old object nothing may."""
    if sides.old is None:
        return
    kind = kind_key(sides.wanted)
    for path in KEPT_PATHS.get(kind, ()):
        sides.keep(path)
    for key in KEPT_ANNOTATIONS.get(kind, ()):
        sides.keep("/metadata/annotations/" + token(key))
    sides.keep("/metadata/ownerReferences")
    if sides.seen.get("type") == _TOKEN_TYPE:
        for path in TOKEN_PATHS:
            sides.keep(path)
    _keep_finalizers(sides)
    _keep_pull_policies(sides)
    _keep_labels_of_template(sides)
    _keep_aggregated_rules(sides)
    _keep_authorities(sides)


def _keep_finalizers(sides: Comparison) -> None:
    seen = sides.seen["metadata"].get("finalizers", [])
    said = sides.wanted["metadata"].get("finalizers", [])
    before = sides.before("/metadata/finalizers")
    if before is ABSENT:
        return
    kept = [n for n in seen if n in KEPT_FINALIZERS and n in before and n not in said]
    once = len(kept) == len(set(kept))
    if kept and once and [name for name in seen if name not in kept] == said:
        sides.wanted["metadata"]["finalizers"] = seen


def _keep_pull_policies(sides: Comparison) -> None:
    """Let a policy stay that a container got when its image had another tag.

    Containers are found by name, as the server's merges do.
    """
    sources = [
        pod_spec(tree) or {} for tree in (sides.written, sides.wanted, sides.seen)
    ]
    policies = {
        container.get("name"): container.get("imagePullPolicy")
        for container in containers(pod_spec(sides.old or {}) or {})
    }
    for field in ("initContainers", "containers"):
        lists = (source.get(field, []) for source in sources)
        for written, wanted, seen in zip(*lists, strict=False):
            policy = seen.get("imagePullPolicy")
            if (
                "imagePullPolicy" not in written
                and policy in _KEPT_PULL_POLICIES
                and policy == policies.get(written.get("name"))
            ):
                wanted["imagePullPolicy"] = policy


def _keep_labels_of_template(sides: Comparison) -> None:
    """Let labels stay that a Job, or a ReplicationController, got from its template.

    It gets them where it has none of its own, with those that the server generates.
    """
    if kind_key(sides.wanted) not in _LABELLED_BY_TEMPLATE:
        return
    said, seen, old = (
        side["metadata"].get("labels", {})
        for side in (sides.written, sides.seen, sides.old or sides.seen)
    )
    given = sides.before("/spec/template/metadata/labels") or {}
    kept = {
        key: value
        for key, value in seen.items()
        if key not in said and value == old.get(key) == given.get(key)
    }
    if said and kept:
        sides.wanted["metadata"]["labels"] = {**said, **kept}
    elif kept == seen == old and kept:
        sides.wanted["metadata"]["labels"] = kept


def _keep_aggregated_rules(sides: Comparison) -> None:
    """Let the rules stay that the controller gathered for an aggregated ClusterRole.

    It gathers them anew whenever the role changes, so leftovers do not last.
    """
    if kind_key(sides.wanted) == _CLUSTER_ROLE and all(
        side.get("aggregationRule") for side in (sides.wanted, sides.old or {})
    ):
        sides.keep("/rules")


def _keep_authorities(sides: Comparison) -> None:
    """Let stay which authority a webhook's server is believed by.

    Injectors write it (`countersign.binding.delta` says who may). Webhooks are found by
    name, as the server's merges do.
    """
    if kind_key(sides.wanted) not in _WEBHOOKS:
        return
    said, wanted, seen, old = (
        {
            hook.get("name"): hook.setdefault("clientConfig", {})
            for hook in side.get("webhooks", [])
        }
        for side in (sides.written, sides.wanted, sides.seen, sides.old or {})
    )
    for name in said.keys() & seen.keys() & old.keys():
        kept = seen[name].get("caBundle")
        if kept and "caBundle" not in said[name] and kept == old[name].get("caBundle"):
            wanted[name]["caBundle"] = kept
