"""StatefulSet to Pod, and to the claims of its templates.

Source:
    ``newVersionedStatefulSetPod``, ``getPersistentVolumeClaims``, ``updateStorage`` and
    ``updateClaimOwnerRefForSetAndPod`` in
    pkg/controller/statefulset/stateful_set_utils.go.
"""

from collections.abc import Iterator

from countersign.binding.derivations.histories import revision_label
from countersign.binding.derivations.kin import (
    Kin,
    listing,
    mapping,
    number,
    part,
    reference,
    text,
    with_labels,
)
from countersign.binding.derivations.pods import pod
from countersign.binding.edits import NUMBER
from countersign.binding.tree import Struct, Value
from countersign.core.types.artifacts import Tree

_POD_NAME = "statefulset.kubernetes.io/pod-name"
_POD_INDEX = "apps.kubernetes.io/pod-index"
_RETENTION = "/spec/persistentVolumeClaimRetentionPolicy"


def pod_of_stateful_set(kin: Kin) -> Struct:
    """Return the Pod of an ordinal, with its identity and its claims.

    The template is that of `kin.owner`: who asks for an older one hands over the owner
    as it was then (`histories`).
    """
    ordinal = _ordinal(kin)
    name, template = f"{kin.name}-{ordinal}", part(kin.spec(), "template")
    labels = {_POD_NAME: name, _POD_INDEX: str(ordinal)} | revision_label(kin)
    with_labels(part(template, "metadata"), labels)
    spec = part(template, "spec")
    spec["hostname"], spec["subdomain"] = name, kin.spec().get("serviceName", "")
    spec["volumes"] = _volumes(kin, spec, ordinal)
    made = pod(kin, template)
    made["metadata"]["name"] = name
    return made


def _ordinal(kin: Kin) -> int:
    """Return the child's ordinal if the set has or, of an old child, had such a one."""
    first = number(kin.owner, "/spec/ordinals/start", 0)
    prefix, _, last = text(kin.child, "/metadata/name").rpartition("-")
    if prefix != kin.name or not NUMBER.fullmatch(last):
        return first
    here = first <= int(last) < first + number(kin.owner, "/spec/replicas", 1)
    return int(last) if here or kin.old is not None else first


def _volumes(kin: Kin, spec: Struct, ordinal: int) -> list[Value]:
    """Put the claims before all other volumes: in any order, they come from a map."""
    claims = {
        name: {
            "name": name,
            "persistentVolumeClaim": {"claimName": f"{name}-{kin.name}-{ordinal}"},
        }
        for name in _templates(kin.owner)
    }
    seen = [text(v, "/name") for v in listing(kin.child, "/spec/volumes")]
    first = seen[: len(claims)]
    order = first if sorted(first) == sorted(claims) else sorted(claims)
    rest = [v for v in spec.get("volumes") or [] if v.get("name") not in claims]
    return [*(claims[name] for name in order), *rest]


def _templates(owner: Tree) -> dict[str, Struct]:
    """Return the claim templates of a set by name."""
    found = listing(owner, "/spec/volumeClaimTemplates")
    return {text(template, "/metadata/name"): template for template in found}


def sets_of_claim(name: str) -> Iterator[str]:
    """Yield the names that a set may have if it made a claim of this name.

    ``<template>-<set>-<ordinal>``, where both names may have dashes of their own.
    """
    rest, _, ordinal = name.rpartition("-")
    while NUMBER.fullmatch(ordinal) and "-" in rest:
        rest = rest.partition("-")[2]
        yield rest


def claim_of_stateful_set(kin: Kin) -> Struct:
    """Return the claim of a template; once it is there, only its owners change."""
    name = text(kin.child, "/metadata/name")
    rest, _, ordinal = name.rpartition("-")
    template = next(
        (t for n, t in _templates(kin.owner).items() if rest == f"{n}-{kin.name}"), {}
    )
    if not template or not NUMBER.fullmatch(ordinal):
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    if kin.old is not None:
        owners = _owners(kin, kin.old, int(ordinal))
        return {
            **kin.old,
            "metadata": {**mapping(kin.old, "/metadata"), "ownerReferences": owners},
        }
    labels = mapping(template, "/metadata/labels")
    return {
        **{key: value for key, value in template.items() if key != "status"},
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            **mapping(template, "/metadata"),
            "name": name,
            "namespace": text(kin.owner, "/metadata/namespace"),
            "labels": labels | mapping(kin.owner, "/spec/selector/matchLabels"),
        },
    }


def _owners(kin: Kin, old: Tree, ordinal: int) -> list[Value]:
    """Return the owners that the retention policy gives a claim.

    None of the set and its Pod, if the child says so: that only keeps what is there.
    """
    name, first = f"{kin.name}-{ordinal}", number(kin.owner, "/spec/ordinals/start", 0)
    ours = {("apps/v1", "StatefulSet", kin.name), ("v1", "Pod", name)}
    others = [
        said
        for said in listing(old, "/metadata/ownerReferences")
        if (said.get("apiVersion"), said.get("kind"), said.get("name")) not in ours
    ]
    end = first + number(kin.owner, "/spec/replicas", 1)
    scaled_down = not first <= ordinal < end
    goes_when_scaled = text(kin.owner, f"{_RETENTION}/whenScaled") == "Delete"
    keeper: Tree | None = None
    if goes_when_scaled and scaled_down:
        pods = (p for p in kin.pods if text(p, "/metadata/name") == name)
        found = next(pods, None)
        keeper = found and {**found, "apiVersion": "v1", "kind": "Pod"}
    elif text(kin.owner, f"{_RETENTION}/whenDeleted") == "Delete":
        keeper = kin.owner
    wanted = [*others, *([reference(keeper)] if keeper else [])]
    return (
        wanted if listing(kin.child, "/metadata/ownerReferences") == wanted else others
    )
