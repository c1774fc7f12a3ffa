"""Marks that tools leave on what they apply, and nothing else of the kind.

Labels and annotations are behaviour: an ingress snippet, an injected sidecar. So each
mark is an exact key with a constrained value, on the object itself only, and only where
the intent does not say otherwise.
"""

import re

from countersign.binding.comparison import annotate, annotations
from countersign.binding.tree import Struct

_MAX_CHANGE_CAUSE = 1024  # characters
_DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
CHANGE_CAUSE = "kubernetes.io/change-cause"
MANAGED_BY = "app.kubernetes.io/managed-by"
RELEASE = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")


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
