"""What the built-in controllers write into objects that people sign: one closed table.

Who, where, and in which form. A user name is no proof: controllers can be impersonated.
So the edits are harmless by their form, whoever makes them: a number that the next sync
puts right, a finalizer that goes, an owner that is let go. What could do more, as a new
owner or another template, is compared with the live owner (`children`).

What a row lets in may stay in the next signed apply (`inherited`, rule 14); a test holds
the two lists together.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from countersign.binding.actors import (
    ANYBODY,
    API_SERVER,
    CLOUD,
    CONTROLLER_MANAGER,
    SCHEDULER,
    controllers,
)
from countersign.binding.edits import (
    DAY,
    DNS_NAME,
    HASH,
    NUMBER,
    NUMBERS,
    UUID,
    Change,
    Edit,
    Form,
    count,
    filled,
    filled_bytes,
    lets_owners_go,
    removes,
    toggles,
    written,
)
from countersign.binding.inherited import KEPT_ANNOTATIONS
from countersign.binding.surface import ANY
from countersign.binding.tree import find, token
from countersign.core.types.artifacts import Tree
from countersign.core.types.request import AdmissionRequest

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"


def is_token(secret: Tree) -> bool:
    """Tell whether a Secret is one that the server fills for a service account."""
    return secret.get("type") == "kubernetes.io/service-account-token"


def _is_going(tree: Tree) -> bool:
    return type(find(tree, "/metadata/deletionTimestamp")) is str


def _always(_: Tree) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Row:
    """What some users may change in the objects of a resource.

    Attributes:
        rule: Name, for the basis of the admission.
        actors: Exact user names; `ANYBODY` is each.
        resource: ``plural.group/subresource`` as `Resource` writes it; `ANY` stands
            for every object, ``*/status`` for every status.
        edits: May be made, together or not; anything else closes the door.
        given: What must hold of the old object.
    """

    rule: str
    actors: frozenset[str]
    resource: str
    edits: tuple[Edit, ...]
    given: Callable[[Tree], bool] = _always

    def passes(self, request: AdmissionRequest, changed: list[Change]) -> bool:
        """Tell whether this row lets `changed` through."""
        tail = (
            f"/{request.resource.subresource}" if request.resource.subresource else ""
        )
        return (
            (self.actors == ANYBODY or request.requester.name in self.actors)
            and self.resource in (str(request.resource), ANY + tail)
            and self.given(request.old or {})
            and all(any(e.allows(change) for e in self.edits) for change in changed)
        )


def _annotation(key: str, form: Form) -> Edit:
    return Edit("/metadata/annotations/" + token(key), form)


_OWNERS = Edit("/metadata/ownerReferences", lets_owners_go)
_YES = re.compile("yes")


def _finalizers(form: Form) -> Edit:
    return Edit("/metadata/finalizers", form)


ROWS: tuple[Row, ...] = (
    Row("status", ANYBODY, "*/status", ()),
    Row(
        "namespace-finalized",
        controllers("namespace-controller"),
        "namespaces/finalize",
        (Edit("/spec/finalizers", removes("kubernetes")),),
        _is_going,
    ),
    Row(
        "revision",
        controllers("deployment-controller"),
        "deployments.apps/status",
        (_annotation(REVISION, written(NUMBER)),),
    ),
    Row(
        "rollout",
        controllers("deployment-controller"),
        "replicasets.apps",
        (
            Edit("/spec/replicas", count),
            _annotation(REVISION, written(NUMBER)),
            _annotation(REVISION_HISTORY, written(NUMBERS)),
            _annotation(DESIRED_REPLICAS, written(NUMBER)),
            _annotation(MAX_REPLICAS, written(NUMBER)),
        ),
    ),
    Row(
        "collected",
        controllers("generic-garbage-collector"),
        ANY,
        (_finalizers(removes("orphan", "foregroundDeletion")),),
        _is_going,
    ),
    Row("disowned", controllers("generic-garbage-collector"), ANY, (_OWNERS,)),
    Row(
        "released",
        controllers("deployment-controller"),
        "replicasets.apps",
        (_OWNERS,),
    ),
    Row(
        "released",
        controllers("replicaset-controller", "replication-controller"),
        "pods",
        (_OWNERS,),
    ),
    Row("released", controllers("statefulset-controller"), "pods", (_OWNERS,)),
    Row(
        "released",
        controllers("statefulset-controller"),
        "persistentvolumeclaims",
        (_OWNERS,),
    ),
    Row(
        "relabelled",
        controllers("daemon-set-controller"),
        "pods",
        (
            _OWNERS,
            Edit("/metadata/labels/controller-revision-hash", written(HASH)),
        ),
    ),
    Row(
        "renumbered",
        controllers("statefulset-controller", "daemon-set-controller"),
        "controllerrevisions.apps",
        (_OWNERS, Edit("/revision", count)),
    ),
    Row(
        "tracked",
        controllers("job-controller"),
        "pods",
        (_OWNERS, _finalizers(removes("batch.kubernetes.io/job-tracking"))),
    ),
    Row(
        "claim-protected",
        controllers("pvc-protection-controller"),
        "persistentvolumeclaims",
        (_finalizers(toggles("kubernetes.io/pvc-protection")),),
    ),
    Row(
        "claim-bound",
        controllers("persistent-volume-binder"),
        "persistentvolumeclaims",
        (
            Edit("/spec/volumeName", filled(DNS_NAME)),
            *(
                _annotation(key, written(DNS_NAME))
                for key in sorted(KEPT_ANNOTATIONS["v1/PersistentVolumeClaim"])
            ),
        ),
    ),
    Row(
        "volume-bound",
        controllers("persistent-volume-binder"),
        "persistentvolumes",
        (
            Edit("/spec/claimRef/apiVersion", filled(re.compile("v1"))),
            Edit("/spec/claimRef/kind", filled(re.compile("PersistentVolumeClaim"))),
            Edit("/spec/claimRef/namespace", filled(DNS_NAME)),
            Edit("/spec/claimRef/name", filled(DNS_NAME)),
            Edit("/spec/claimRef/uid", filled(UUID)),
            Edit("/spec/claimRef/resourceVersion", filled(NUMBER)),
            _annotation("pv.kubernetes.io/bound-by-controller", filled(_YES)),
        ),
    ),
    Row(
        "claim-placed",
        SCHEDULER,
        "persistentvolumeclaims",
        (_annotation("volume.kubernetes.io/selected-node", written(DNS_NAME)),),
    ),
    Row(
        "devices-claimed",
        SCHEDULER | controllers("resource-claim-controller"),
        "resourceclaims.resource.k8s.io",
        (_finalizers(toggles("resource.kubernetes.io/delete-protection")),),
    ),
    Row(
        "load-balancer",
        controllers("service-controller") | CLOUD,
        "services/status",
        (_finalizers(toggles("service.kubernetes.io/load-balancer-cleanup")),),
    ),
    Row(
        "token-issued",
        CONTROLLER_MANAGER,
        "secrets",
        (
            Edit("/data/ca.crt", filled_bytes),
            Edit("/data/namespace", filled_bytes),
            Edit("/data/token", filled_bytes),
            _annotation("kubernetes.io/service-account.uid", filled(UUID)),
        ),
        is_token,
    ),
    Row(
        "token-used",
        API_SERVER,
        "secrets",
        (
            Edit(
                "/metadata/labels/" + token("kubernetes.io/legacy-token-last-used"),
                written(DAY),
            ),
        ),
        is_token,
    ),
    Row(
        "token-unused",
        controllers("legacy-service-account-token-cleaner"),
        "secrets",
        (
            Edit(
                "/metadata/labels/" + token("kubernetes.io/legacy-token-invalid-since"),
                written(DAY),
            ),
        ),
        is_token,
    ),
)
