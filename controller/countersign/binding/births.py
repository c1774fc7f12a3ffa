"""What the cluster's own components create or ask for, judged by its form alone.

Part of the door *delta*. Objects that have an owner are judged by `children`.
"""

from collections.abc import Callable, Mapping

from countersign.binding.actors import SCHEDULER, controllers
from countersign.binding.match import same
from countersign.binding.surface import Rule
from countersign.binding.tree import ABSENT, Struct, find
from countersign.core.types.artifacts import Tree
from countersign.core.types.request import AdmissionRequest, Requester, Verb

NODES, _NODE = "system:nodes", "system:node:"
_PLACE_LABELS = frozenset(
    {"topology.kubernetes.io/region", "topology.kubernetes.io/zone"}
)
"""What the PodTopologyLabels plugin copies from the node onto a binding."""


def node_of(requester: Requester) -> str:
    """Return the name of the node whose kubelet asks, or ``""``."""
    if NODES not in requester.groups or not requester.name.startswith(_NODE):
        return ""
    return requester.name.removeprefix(_NODE)


def birth(request: AdmissionRequest, rule: Rule) -> str:
    """Return the rule that lets a request of a component pass, or ``""``."""
    judge = _JUDGES.get(rule)
    return judge(request) if judge and request.object is not None else ""


def _made(request: AdmissionRequest) -> str:
    return _default_account(request) or _certificate(request)


def _certificate(request: AdmissionRequest) -> str:
    """A kubelet asks for the certificate of a Pod.

    That it runs there, as whom, and with which uid, NodeRestriction sees
    (``admitPodCertificateRequest``). It is signed for that Pod alone.
    """
    said = _map(request.object or {}, "/spec")
    for_pod = (
        request.verb is Verb.CREATE
        and str(request.resource) == "podcertificaterequests.certificates.k8s.io"
        and said.get("nodeName") == node_of(request.requester) != ""
        and bool(said.get("podName"))
        and bool(said.get("podUID"))
        and not _map(request.object or {}, "/metadata").get("annotations")
    )
    return "pod-certificate" if for_pod else ""


def _default_account(request: AdmissionRequest) -> str:
    """The account ``default``, bare, as the service account controller makes it."""
    resource, new = request.resource, request.object or {}
    if (
        request.verb is not Verb.CREATE
        or (resource.group, resource.name) != ("", "serviceaccounts")
        or request.requester.name not in controllers("service-account-controller")
    ):
        return ""
    bare: Tree = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": request.ref.namespace},
    }
    return "default-account" if same(bare, new) else ""


def _binding(request: AdmissionRequest) -> str:
    """A Pod goes to a node, and nothing else is said about it."""
    new: Struct = request.object or {}
    metadata, target = _map(new, "/metadata"), _map(new, "/target")
    plain = (
        request.requester.name in SCHEDULER
        and new.keys() <= {"apiVersion", "kind", "metadata", "target"}
        and not metadata.keys() & {"annotations", "finalizers", "ownerReferences"}
        and _map(new, "/metadata/labels").keys() <= _PLACE_LABELS
        and target.get("kind", "Node") == "Node"
        and bool(target.get("name"))
    )
    return "scheduled" if plain else ""


def _token(request: AdmissionRequest) -> str:
    """A kubelet asks for the token of a Pod. That it runs there NodeRestriction sees."""
    bound = _map(request.object or {}, "/spec/boundObjectRef")
    for_pod = (
        node_of(request.requester) != ""
        and bound.get("kind") == "Pod"
        and bool(bound.get("name"))
        and bool(bound.get("uid"))
    )
    return "pod-token" if for_pod else ""


def _question(_: AdmissionRequest) -> str:
    return "question"


def _map(tree: Tree, path: str) -> Struct:
    found = find(tree, path)
    return found if found is not ABSENT and type(found) is dict else {}


MAKERS: Mapping[tuple[str, frozenset[str]], str] = {
    ("serviceaccounts", controllers("service-account-controller")): "default-account",
    ("bindings", SCHEDULER): "scheduled",
    ("pods/binding", SCHEDULER): "scheduled",
    ("podcertificaterequests.certificates.k8s.io", frozenset({NODES})): (
        "pod-certificate"
    ),
    ("serviceaccounts/token", frozenset({NODES})): "pod-token",
}
"""What passes here, by place and by users (`NODES`: any kubelet)."""

_JUDGES: Mapping[Rule, Callable[[AdmissionRequest], str]] = {
    Rule.OBJECT: _made,
    Rule.BINDING: _binding,
    Rule.TOKEN: _token,
    Rule.QUESTION: _question,
}
