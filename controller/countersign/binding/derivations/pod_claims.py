"""Pod to the claims that live with it: of ephemeral volumes, and of devices.

Source:
    ``handleVolume`` in pkg/controller/volume/ephemeral/controller.go; ``handleClaim`` in
    pkg/controller/resourceclaim/controller.go.
"""

from countersign.binding.derivations.kin import Kin, born, listing, mapping, text
from countersign.binding.facts import Fact
from countersign.binding.tree import Struct
from countersign.core.types.artifacts import ObjectRef, Tree

_CLAIM_NAME = "resource.kubernetes.io/pod-claim-name"
_MAX_BASE = 57  # characters, so that a generated name has at most 63
_GROUP = "resource.k8s.io"


def claim_of_volume(kin: Kin) -> Struct:
    """Return the claim of an ephemeral volume, named after Pod and volume."""
    name = text(kin.child, "/metadata/name")
    volumes = listing(kin.owner, "/spec/volumes")
    found = (v for v in volumes if name == f"{kin.name}-{text(v, '/name')}")
    volume: Struct = next(found, {})
    template = mapping(volume, "/ephemeral/volumeClaimTemplate")
    return {
        **born(
            kin,
            "v1",
            "PersistentVolumeClaim",
            name=name if template else "",
            labels=mapping(template, "/metadata/labels"),
            annotations=mapping(template, "/metadata/annotations"),
        ),
        "spec": mapping(template, "/spec"),
    }


def claim_of_devices(kin: Kin) -> Struct:
    """Return the claim of a Pod for devices, made from a live template (`source`)."""
    spec = mapping(kin.source or {}, "/spec")
    claimed = kin.seen(_CLAIM_NAME)
    annotations = {**mapping(spec, "/metadata/annotations"), _CLAIM_NAME: claimed}
    made = born(
        kin,
        f"{_GROUP}/v1",
        "ResourceClaim",
        generateName=_prefix(kin.name, claimed),
        labels=mapping(spec, "/metadata/labels"),
        annotations=annotations,
    )
    del made["metadata"]["ownerReferences"][0]["blockOwnerDeletion"]
    return {**made, "spec": mapping(spec, "/spec")}


def device_template(owner: Tree, child: Tree) -> Fact | None:
    """Return the template that a Pod's claim is made from; None: it claims no such."""
    claimed = Kin(owner=owner, child=child).seen(_CLAIM_NAME)
    claims = listing(owner, "/spec/resourceClaims")
    names = (
        text(claim, "/resourceClaimTemplateName")
        for claim in claims
        if text(claim, "/name") == claimed
    )
    name, place = next(names, ""), text(owner, "/metadata/namespace")
    kind = "ResourceClaimTemplate"
    return Fact("v1", ObjectRef(_GROUP, kind, place, name)) if name else None


def _prefix(pod: str, claim: str) -> str:
    """Cut both names in proportion where they are too long together."""
    whole = f"{pod}-{claim}-"
    if len(whole) <= _MAX_BASE:
        return whole
    kept = [name[: len(name) * _MAX_BASE // len(whole)] for name in (pod, claim)]
    return "-".join(kept)
