"""Marks that tools leave on what they apply, and nothing else of the kind.

Labels and annotations are behaviour: an ingress snippet, an injected sidecar. So each
mark is an exact key with a constrained value, on the object itself only, and only where
the intent does not say otherwise.
"""

import re

from countersign.binding.argocd import accept_hook
from countersign.binding.comparison import annotate, annotations
from countersign.binding.tree import Struct
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.doors import Tools

_MAX_CHANGE_CAUSE = 1024  # characters
_DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
CHANGE_CAUSE = "kubernetes.io/change-cause"
MANAGED_BY = "app.kubernetes.io/managed-by"
RELEASE = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
TRACKING_ID = "argocd.argoproj.io/tracking-id"
INSTALLATION_ID = "argocd.argoproj.io/installation-id"
FLUX = tuple(
    f"{controller}.toolkit.fluxcd.io/{part}"
    for controller in ("kustomize", "helm")
    for part in ("name", "namespace")
)
_APPLICATION = re.compile(
    rf"(?:{_DNS_LABEL.pattern}_)?[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?"
)


def accept_marks(
    wanted: Struct, seen: Struct, identity: ObjectRef, tools: Tools
) -> None:
    """Accept what kubectl and the named tools leave on what they apply.

    Args:
        wanted: N of the intent; completed in place.
        seen: Normal form of the object.
        identity: What the request says it is.
        tools: That may leave their marks.
    """
    accept_kubectl(wanted, seen)
    if tools.helm:
        accept_helm(wanted, seen)
    if tools.argocd is not None:
        _accept_argocd(wanted, seen, identity, tools.argocd)
        accept_hook(wanted, seen)
    if tools.flux:
        _accept_flux(wanted, seen)


def accept_kubectl(wanted: Struct, seen: Struct) -> None:
    """Accept a change cause, free text, as ``kubectl annotate`` or a person wrote it."""
    cause = annotations(seen).get(CHANGE_CAUSE, "")
    said = annotations(wanted)
    if cause and len(cause) <= _MAX_CHANGE_CAUSE and CHANGE_CAUSE not in said:
        annotate(wanted, CHANGE_CAUSE, cause)


def accept_helm(wanted: Struct, seen: Struct) -> None:
    """Accept the marks by which Helm knows what it owns.

    Source:
        ``setMetadataVisitor`` in helm.sh/helm/v4/pkg/action/validate.go.
    """
    if seen["metadata"].get("labels", {}).get(MANAGED_BY) == "Helm":
        labels = wanted["metadata"].setdefault("labels", {})
        labels.setdefault(MANAGED_BY, "Helm")
    for key in RELEASE:
        value = annotations(seen).get(key, "")
        if _DNS_LABEL.fullmatch(value) and key not in annotations(wanted):
            annotate(wanted, key, value)


def _accept_argocd(
    wanted: Struct, seen: Struct, identity: ObjectRef, installation: str
) -> None:
    """Accept the annotations by which Argo CD knows what is its own: of this object.

    The label of older installations is not among them: whatever selects by it would
    follow, so it belongs into the intent.

    Source:
        ``UnstructuredToAppInstanceValue`` in argo-cd/util/argo/resource_tracking.go.
    """
    marks = annotations(seen)
    tracked, said = marks.get(TRACKING_ID, ""), annotations(wanted)
    application, _, rest = tracked.partition(":")
    kind, _, place = rest.partition(":")
    namespace, _, name = place.partition("/")
    own = identity.namespace or namespace  # a cluster's object is named by any
    if (
        TRACKING_ID not in said
        and _APPLICATION.fullmatch(application)
        and kind == f"{identity.group}/{identity.kind}"
        and (namespace, name) == (own, seen["metadata"].get("name", ""))
        and (not namespace or _DNS_LABEL.fullmatch(namespace))
    ):
        annotate(wanted, TRACKING_ID, tracked)
    if installation and marks.get(INSTALLATION_ID) == installation:
        said = annotations(wanted)
        annotate(wanted, INSTALLATION_ID, said.get(INSTALLATION_ID, installation))


def _accept_flux(wanted: Struct, seen: Struct) -> None:
    """Accept the labels by which Flux knows what it applied.

    Source:
        ``SetOwnerLabels`` in fluxcd/pkg/ssa/manager.go.
    """
    labels = seen["metadata"].get("labels", {})
    for key in FLUX:
        if _DNS_LABEL.fullmatch(labels.get(key, "")):
            wanted["metadata"].setdefault("labels", {}).setdefault(key, labels[key])
