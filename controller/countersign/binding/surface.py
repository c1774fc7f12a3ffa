"""The surface of the API server: which requests there are, and what judges each.

One table, read in three ways: `rule_for` dispatches a request, `registration` renders
the webhook configuration from it, and a census expects it. The first row that fits
counts, and the last one fits everything: what nobody thought of is refused.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from countersign.core.types.artifacts import GroupKind, ObjectRef
from countersign.core.types.request import AdmissionRequest, Resource, Verb

ANY = "*"
_CREATE, _UPDATE = frozenset({Verb.CREATE}), frozenset({Verb.UPDATE})
_DELETE, _CONNECT = frozenset({Verb.DELETE}), frozenset({Verb.CONNECT})
_WRITES = _CREATE | _UPDATE | _DELETE


class Rule(StrEnum):
    """What judges a request."""

    EXEMPT = "exempt"  # noise that changes nothing that runs: never ours
    OWN = "own"  # our own kinds: parsed by the face, judged by the root roster
    OBJECT = "object"  # a new state: all four doors
    DELETION = "deletion"  # of the object itself
    EVICTION = "eviction"  # a deletion that asks the disruption budget first
    STATUS = "status"  # metadata must stay, or pass `delta`
    SCALE = "scale"  # signed range, or groups that may scale
    BINDING = "binding"  # a Pod to a node
    TOKEN = "token"  # noqa: S105 - of a service account, for a Pod
    FINALIZE = "finalize"  # a namespace that goes
    QUESTION = "question"  # a review of rights: nothing is stored
    EPHEMERAL = "ephemeralContainers"  # a Pod's new state, signed for this one Pod
    RESIZE = "resize"  # the same
    ACCESS = "access"  # past the object, into what runs: break-glass alone
    REFUSED = "refused"  # what nobody thought of: break-glass alone


STATES = frozenset({Rule.OBJECT, Rule.EPHEMERAL, Rule.RESIZE})
"""Rules of requests that show the whole new state of an object."""


class Entry(StrEnum):
    """The webhooks of the configuration."""

    OBJECTS = "objects"
    CLUSTER = "cluster"
    SUBRESOURCES = "subresources"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Row:
    """Requests that one rule judges.

    Attributes:
        group: API group, or `ANY`.
        resource: Plural name, or `ANY`.
        subresource: ``""`` for the object itself, or `ANY` for each subresource.
        verbs: What is done.
        rule: What judges it.
        entry: Where it is registered; None: never.
        kind: Of a cluster-scoped resource that is registered only where a policy
            names it; ``""``: registered always.
    """

    group: str
    resource: str
    subresource: str
    verbs: frozenset[Verb]
    rule: Rule
    entry: Entry | None
    kind: str = ""

    def fits(self, resource: Resource, verb: Verb) -> bool:
        """Tell whether this row is about such a request."""
        return (
            verb in self.verbs
            and self.group in (ANY, resource.group)
            and self.resource in (ANY, resource.name)
            and (
                bool(resource.subresource)
                if self.subresource == ANY
                else self.subresource == resource.subresource
            )
        )


def _states(group: str, resource: str, entry: Entry, kind: str = "") -> tuple[Row, Row]:
    """Return the rows of an ordinary resource: its states, and its deletion."""
    return (
        Row(group, resource, "", _CREATE | _UPDATE, Rule.OBJECT, entry, kind),
        Row(group, resource, "", _DELETE, Rule.DELETION, entry, kind),
    )


_RECOMMENDED = (
    ("", "persistentvolumes", "PersistentVolume"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "apiservices", "APIService"),
    ("certificates.k8s.io", "clustertrustbundles", "ClusterTrustBundle"),
    ("networking.k8s.io", "ingressclasses", "IngressClass"),
    ("node.k8s.io", "runtimeclasses", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "clusterroles", "ClusterRole"),
    ("resource.k8s.io", "deviceclasses", "DeviceClass"),
    ("scheduling.k8s.io", "priorityclasses", "PriorityClass"),
    ("storage.k8s.io", "csidrivers", "CSIDriver"),
    ("storage.k8s.io", "storageclasses", "StorageClass"),
    ("storage.k8s.io", "volumeattributesclasses", "VolumeAttributesClass"),
)

_OURS = "countersign.dev"

ROWS: tuple[Row, ...] = (
    # Noise, by group and resource: a custom resource may be called events, too.
    Row("", "events", "", _WRITES, Rule.EXEMPT, None),
    Row("events.k8s.io", "events", "", _WRITES, Rule.EXEMPT, None),
    Row("coordination.k8s.io", "leases", "", _WRITES, Rule.EXEMPT, None),
    # Our own kinds.
    Row(_OURS, "protectionpolicies", "", _WRITES, Rule.OWN, Entry.CLUSTER),
    Row(_OURS, "rosters", "", _WRITES, Rule.OWN, Entry.CLUSTER),
    Row(_OURS, "trustroots", "", _WRITES, Rule.OWN, Entry.CLUSTER),
    Row(_OURS, "revocations", "", _WRITES, Rule.OWN, Entry.CLUSTER),
    Row(_OURS, "bundlesets", "", _WRITES, Rule.OWN, Entry.OBJECTS),
    # Cluster-scoped: each by name. What is never sent stands in `unseen`.
    *_states("", "namespaces", Entry.CLUSTER),
    Row("", "namespaces", "finalize", _UPDATE, Rule.FINALIZE, Entry.CLUSTER),
    Row("", "namespaces", "status", _UPDATE, Rule.STATUS, Entry.CLUSTER),
    *(
        row
        for group, resource, kind in _RECOMMENDED
        for row in _states(group, resource, Entry.CLUSTER, kind)
    ),
    # Its annotations are more than a status: mount options, in the old way.
    Row(
        "",
        "persistentvolumes",
        "status",
        _UPDATE,
        Rule.STATUS,
        Entry.CLUSTER,
        "PersistentVolume",
    ),
    Row("", "nodes", "proxy", _CONNECT, Rule.ACCESS, Entry.CLUSTER, "Node"),
    # Namespaced objects.
    Row("", "bindings", "", _CREATE, Rule.BINDING, Entry.OBJECTS),
    Row(
        "authorization.k8s.io",
        "localsubjectaccessreviews",
        "",
        _CREATE,
        Rule.QUESTION,
        Entry.OBJECTS,
    ),
    *_states(ANY, ANY, Entry.OBJECTS),
    # Subresources of namespaced objects. The last row is whatever a newer server has.
    Row(ANY, ANY, "status", _UPDATE, Rule.STATUS, Entry.STATUS),
    Row(ANY, ANY, "scale", _UPDATE, Rule.SCALE, Entry.SUBRESOURCES),
    Row("", "pods", "binding", _CREATE, Rule.BINDING, Entry.SUBRESOURCES),
    Row("", "pods", "eviction", _CREATE, Rule.EVICTION, Entry.SUBRESOURCES),
    Row("", "serviceaccounts", "token", _CREATE, Rule.TOKEN, Entry.SUBRESOURCES),
    Row("", "pods", "ephemeralcontainers", _UPDATE, Rule.EPHEMERAL, Entry.SUBRESOURCES),
    Row("", "pods", "resize", _UPDATE, Rule.RESIZE, Entry.SUBRESOURCES),
    *(
        Row("", resource, way, _CONNECT, Rule.ACCESS, Entry.SUBRESOURCES)
        for resource, way in (
            ("pods", "attach"),
            ("pods", "exec"),
            ("pods", "portforward"),
            ("pods", "proxy"),
            ("services", "proxy"),
        )
    ),
    Row(ANY, ANY, ANY, frozenset(Verb), Rule.REFUSED, Entry.SUBRESOURCES),
)

RECOMMENDED = frozenset(GroupKind(group, kind) for group, _, kind in _RECOMMENDED)
"""Cluster-scoped kinds that change what runs in a namespace (rule 19)."""

_PARENTS = {
    ("", "namespaces"): "Namespace",
    ("", "nodes"): "Node",
    ("", "pods"): "Pod",
    ("", "replicationcontrollers"): "ReplicationController",
    ("", "serviceaccounts"): "ServiceAccount",
    ("", "services"): "Service",
    ("apps", "deployments"): "Deployment",
    ("apps", "replicasets"): "ReplicaSet",
    ("apps", "statefulsets"): "StatefulSet",
}
_NAMESPACE = ("", "Namespace")


def rule_for(request: AdmissionRequest) -> Rule:
    """Return what judges `request`; `Rule.REFUSED` where no row fits."""
    row = row_for(request.resource, request.verb)
    return Rule.REFUSED if row is None else row.rule


@lru_cache(maxsize=4096)  # a cluster has some hundred resources
def row_for(resource: Resource, verb: Verb) -> Row | None:
    """Return the first row that fits, or None."""
    return next((row for row in ROWS if row.fits(resource, verb)), None)


def subject_of(request: AdmissionRequest) -> ObjectRef:
    """Return the object that a request is about, whatever it is shown.

    For most subresources the API server shows another kind (Scale, Binding, Eviction,
    TokenRequest, the options of an exec): then it is the parent, as far as its kind
    can be told from the resource.
    """
    resource, ref = request.resource, request.ref
    group, kind = ref.group, ref.kind
    if resource.subresource and (resource.group, resource.name) in _PARENTS:
        group, kind = resource.group, _PARENTS[resource.group, resource.name]
    namespace = "" if (group, kind) == _NAMESPACE else ref.namespace
    return ObjectRef(group, kind, namespace, ref.name, ref.generate_name)


def place_of(subject: ObjectRef) -> str:
    """Return the namespace that decides whether `subject` is protected, or ``""``.

    For a Namespace that is its own name.
    """
    is_namespace = (subject.group, subject.kind) == _NAMESPACE
    return subject.name if is_namespace else subject.namespace
