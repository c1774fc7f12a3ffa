"""The pure half of the door *derived*: is an object what its owner makes of it?

The user of the request must be the controller that makes such objects, but that is
never enough: a user can be impersonated. So the object is compared with what the owner
makes of it, as if that were a signed intent. Whether the owner is live and authentic is
looked up by the use case.
"""

from countersign.binding.actors import controllers
from countersign.binding.besides import NOTHING, Besides
from countersign.binding.deletions import controller_of
from countersign.binding.derivations.kin import Kin, listing, mapping
from countersign.binding.derivations.table import (
    DERIVATIONS,
    Derivation,
    named_after,
)
from countersign.binding.edits import changes
from countersign.binding.facts import ClusterFacts
from countersign.binding.match import match
from countersign.binding.normal_form import OWN_PREFIX
from countersign.binding.selectors import selected
from countersign.binding.tree import Struct, Value, token
from countersign.core.types.artifacts import Difference, ObjectRef, Tree
from countersign.core.types.request import AdmissionRequest

__all__ = [
    "DERIVATIONS",
    "ROOT_CERTIFICATES",
    "Derivation",
    "adopts",
    "changes_hands",
    "comes_from",
    "compare",
    "compare_classed",
    "compare_roots",
    "gets_class",
    "named_after",
    "own_annotations",
    "publishes_root",
    "selects",
]


def compare(
    derivation: Derivation,
    kin: Kin,
    identity: ObjectRef,
    facts: ClusterFacts | None = None,
    besides: Besides = NOTHING,
) -> tuple[Difference, ...]:
    """Compare a child with what its owner makes of it.

    Our own annotations count here: a controller copies them as they are.

    Args:
        derivation: How the child comes from the owner.
        kin: Owner and child.
        identity: What the request says the child is.
        facts: Answers to `facts_needed` of the child.
        besides: What policies let be in a child.

    Returns:
        Where they differ, sorted, bounded. Empty: the child is derived.

    Raises:
        Malformed: a kind is not supported, or the child is not `identity`.
    """
    expected = derivation.derive(kin)
    return _differences(
        expected, kin.child, identity, old=kin.old, facts=facts, besides=besides
    )


def _differences(
    expected: Tree,
    child: Tree,
    identity: ObjectRef,
    *,
    old: Tree | None = None,
    facts: ClusterFacts | None = None,
    besides: Besides = NOTHING,
) -> tuple[Difference, ...]:
    """Compare as with a signed intent, our own annotations too."""
    wanted, seen = own_annotations(expected), own_annotations(child)
    changed = sorted(k for k in wanted | seen if wanted.get(k) != seen.get(k))
    found = match(
        expected, child, identity=identity, old=old, facts=facts, besides=besides
    )
    return found + tuple(
        Difference(f"/metadata/annotations/{token(key)}", None, None) for key in changed
    )


def comes_from(
    derivation: Derivation,
    owner: Tree,
    child: Tree,
    identity: ObjectRef,
    *,
    facts: ClusterFacts | None = None,
    besides: Besides = NOTHING,
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
    return not match(
        expected, child, identity=identity, old=child, facts=facts, besides=besides
    )


def adopts(request: AdmissionRequest) -> bool:
    """Tell whether an UPDATE only gives an object without a controller one.

    So controllers take up what ``--cascade=orphan`` left behind.
    """
    old, new = request.old, request.object or {}
    return (
        old is not None
        and not _has_controller(old)
        and controller_of(new) is not None
        and [path for path, _, _ in changes(old, new)] == ["/metadata/ownerReferences"]
    )


def changes_hands(old: Tree | None, new: Tree) -> bool:
    """Tell whether an UPDATE takes an object from the controller that it has."""
    after = controller_of(new)
    return (
        old is not None
        and after is not None
        and any(
            said.get("controller") is True and said.get("uid") != after.uid
            for said in listing(old, "/metadata/ownerReferences")
        )
    )


def _has_controller(tree: Tree) -> bool:
    owners = listing(tree, "/metadata/ownerReferences")
    return any(said.get("controller") is True for said in owners)


def selects(owner: Tree, child: Tree) -> bool:
    """Tell whether the selector of an owner holds for a child.

    Nothing is selected by an empty selector: no controller adopts by that.
    """
    labels = mapping(child, "/metadata/labels")
    selector = mapping(owner, "/spec/selector")
    if owner.get("kind") == "ReplicationController":
        return bool(selector) and selector.items() <= labels.items()
    said = selector.get("matchLabels") or selector.get("matchExpressions")
    return bool(said) and selected(selector, labels)


_CLASS = "/spec/storageClassName"


def gets_class(request: AdmissionRequest) -> bool:
    """Tell whether a claim gets a storage class, and nothing else changes.

    Which it must be, and that it had none, `compare_classed` says.

    Source:
        ``assignDefaultStorageClass`` in pkg/controller/volume/persistentvolume.
    """
    return (
        request.old is not None
        and str(request.resource) == "persistentvolumeclaims"
        and request.requester.name in controllers("persistent-volume-binder")
        and [p for p, _, _ in changes(request.old, request.object or {})] == [_CLASS]
    )


def compare_classed(
    request: AdmissionRequest, facts: ClusterFacts
) -> tuple[Difference, ...]:
    """Compare a claim with what the server would make of it if it were new.

    Raises:
        Malformed: an object is not what it is called.
    """
    old = request.old or {}
    return _differences(old, request.object or {}, request.ref, facts=facts)


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
