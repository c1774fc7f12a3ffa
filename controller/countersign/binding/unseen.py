"""What no registration sends us, on purpose: cluster-scoped resources, with reasons.

The other side of `surface`. With the webhook away a cluster must still start, take in
nodes and route, so what it needs for that is never registered (rule 17).
"""

from dataclasses import dataclass

from countersign.binding.surface import ANY
from countersign.core.types.request import Resource


@dataclass(frozen=True, slots=True)
class Unseen:
    """A cluster-scoped resource that is never registered, and why.

    Attributes:
        group, resource: Which; `ANY` stands for each resource of the group.
        subresource: ``""``: the resource itself, and all of its subresources that no
            row of the table names.
        why: For people who ask what stands open.
    """

    group: str
    resource: str
    why: str
    subresource: str = ""

    def fits(self, resource: Resource) -> bool:
        """Tell whether this is about `resource`, or the subresource that it names."""
        return (
            self.group == resource.group
            and self.resource in (ANY, resource.name)
            and self.subresource in ("", resource.subresource)
        )


_STARTS = "the API server writes it while it starts, and exits if it cannot"
_JOINS = "nodes join, and say that they live, by writing it"
_ROUTES = "Services of every namespace, the excluded ones too, get addresses by it"
_ASKS = "a question: nothing is stored, and the webhook itself could not be asked"
_CONFIGURES = "the API server calls no webhook for admission configuration"
_STATE = "a status: what is served is decided by the spec, which is judged"

UNSEEN: tuple[Unseen, ...] = (
    Unseen("", "componentstatuses", "cannot be written"),
    Unseen("", "nodes", _JOINS),
    Unseen("admissionregistration.k8s.io", ANY, _CONFIGURES),
    Unseen("apiextensions.k8s.io", "customresourcedefinitions", _STATE, "status"),
    Unseen("apiregistration.k8s.io", "apiservices", _STATE, "status"),
    Unseen("authentication.k8s.io", ANY, _ASKS),
    Unseen("authorization.k8s.io", "selfsubjectaccessreviews", _ASKS),
    Unseen("authorization.k8s.io", "selfsubjectrulesreviews", _ASKS),
    Unseen("authorization.k8s.io", "subjectaccessreviews", _ASKS),
    Unseen(
        "certificates.k8s.io",
        "certificatesigningrequests",
        "nodes join by it; who may approve for which signer is a right of its own",
    ),
    *(
        Unseen("countersign.dev", kind, "a status for people to read", "status")
        for kind in ("protectionpolicies", "revocations", "rosters", "trustroots")
    ),
    Unseen("flowcontrol.apiserver.k8s.io", ANY, _STARTS),
    Unseen("networking.k8s.io", "ipaddresses", _ROUTES),
    Unseen("networking.k8s.io", "servicecidrs", _ROUTES),
    Unseen(
        "resource.k8s.io",
        "devicetaintrules",
        "like a node's taint: it ends Pods, and changes none",
    ),
    Unseen("resource.k8s.io", "resourceslices", _JOINS),
    Unseen("storage.k8s.io", "csinodes", _JOINS),
    Unseen("storage.k8s.io", "volumeattachments", "nodes get and lose volumes by it"),
    Unseen(
        "storagemigration.k8s.io",
        "storageversionmigrations",
        "writes objects anew as they are: each such write is judged by itself",
    ),
)
"""Cluster-scoped resources that no registration names (rule 17), each with its reason.

A cluster-scoped resource that has neither a row nor a line here is one that nobody has
decided about: a test over what the server offers fails until somebody does.
"""

AGGREGATED = (
    "kube-apiserver passes these requests on without admission: who serves the group "
    "has to judge them"
)
"""Why no webhook sees an API group that an APIService hands to another server."""
