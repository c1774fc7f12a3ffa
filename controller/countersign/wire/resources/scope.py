"""Where a policy holds, as far as that can be read."""

from pydantic import TypeAdapter, ValidationError

from countersign.core.presets import PRESETS
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.policy import Scope
from countersign.wire.resources.fields import NamespacePattern
from countersign.wire.resources.policy import Protect

RECOMMENDED = frozenset(
    {
        GroupKind("", "PersistentVolume"),
        GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"),
        GroupKind("apiregistration.k8s.io", "APIService"),
        GroupKind("certificates.k8s.io", "ClusterTrustBundle"),
        GroupKind("networking.k8s.io", "IngressClass"),
        GroupKind("node.k8s.io", "RuntimeClass"),
        GroupKind("rbac.authorization.k8s.io", "ClusterRole"),
        GroupKind("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        GroupKind("resource.k8s.io", "DeviceClass"),
        GroupKind("scheduling.k8s.io", "PriorityClass"),
        GroupKind("storage.k8s.io", "CSIDriver"),
        GroupKind("storage.k8s.io", "StorageClass"),
        GroupKind("storage.k8s.io", "VolumeAttributesClass"),
    }
)
"""Cluster-scoped side doors (rule 19). Namespaces are judged by their own name."""

_NAMESPACES = TypeAdapter(tuple[NamespacePattern, ...])


def scope_of(protect: Protect, *, recommended: bool) -> Scope:
    """Return the core's value.

    Args:
        protect: As parsed.
        recommended: What the preset says where `protect` says nothing.
    """
    match protect.cluster_scoped:
        case None:
            kinds = RECOMMENDED if recommended else frozenset()
        case "recommended":
            kinds = RECOMMENDED
        case "none":
            kinds = frozenset()
        case named:
            kinds = frozenset(kind.value() for kind in named)
    return Scope(
        namespaces=protect.namespaces,
        exclude=frozenset(kind.value() for kind in protect.exclude),
        cluster_scoped=kinds,
    )


def scope_left(tree: Tree) -> Scope | None:
    """Return what an invalid policy would have matched; None: cannot be told.

    Doubt widens it: without a readable `protect` no kind is excluded and the
    recommended cluster-scoped kinds are in it.
    """
    spec = tree.get("spec")
    said = spec.get("protect") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(said, dict):
        return None
    named = spec.get("preset", "default")
    preset = PRESETS.get(named) if isinstance(named, str) else None
    try:
        # through JSON, as everything from the server: lists are tuples then
        protect = Protect.model_validate_json(_ANY.dump_json(said))
        wide = preset is None or preset.recommended_cluster_scoped
        return scope_of(protect, recommended=wide)
    except ValidationError:
        pass
    try:
        patterns = _NAMESPACES.validate_json(_ANY.dump_json(said.get("namespaces")))
    except ValidationError:
        return None
    if not patterns:
        return None
    return Scope(namespaces=patterns, cluster_scoped=RECOMMENDED)


_ANY = TypeAdapter(object)
