"""Taking out of an object what the API server allocated into it.

The other way round of the rules beside it. Each step takes out what *may* have been
allocated; whoever runs it sees to it that the rules put the same back, and else leaves
the step out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from countersign.binding.allocation.jobs import NAME_LABELS, UID_LABELS
from countersign.binding.allocation.others import (
    ATTRIBUTES_PROTECTION,
    CLAIM_PROTECTION,
    REQUESTER_FIELDS,
    TEMPLATE_GENERATION,
    VOLUME_PROTECTION,
)
from countersign.binding.allocation.pods import TOKEN_VOLUME, selecting_terms
from countersign.binding.allocation.services import ADDRESS_FIELDS
from countersign.binding.podspecs import containers
from countersign.binding.tree import Struct

Step: TypeAlias = Callable[[Struct], object]
"""Takes something out of an object, in place."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """A step, unless somebody chose the value.

    Attributes:
        take: The step.
        fields: By whose names ``managedFields`` shows that a client wrote them: the
            server allocates after it has noted who wrote what. Then they are signed.
    """

    take: Step
    fields: tuple[str, ...] = ()


_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def _spec(tree: Struct) -> Struct:
    spec: Struct = tree.get("spec") or {}
    return spec


def _take(*fields: str) -> Step:
    """Take fields out of the ``spec``, together."""
    return lambda tree: [_spec(tree).pop(field, None) for field in fields]


def _node_ports(tree: Struct) -> None:
    for port in _spec(tree).get("ports") or []:
        port.pop("nodePort", None)


def _token_volume(tree: Struct) -> None:
    """Take out the last volume, if it may be that of the token, with its mounts."""
    spec = _spec(tree)
    volumes = spec.get("volumes") or []
    name = volumes[-1].get("name", "") if volumes else ""
    if not TOKEN_VOLUME.fullmatch(name):
        return
    volumes.pop()
    for container in containers(spec, "initContainers", "containers"):
        mounts = container.get("volumeMounts") or []
        container["volumeMounts"] = [m for m in mounts if m.get("name") != name]


def _tolerations(tree: Struct) -> None:
    spec = _spec(tree)
    spec["tolerations"] = [
        toleration
        for toleration in spec.get("tolerations") or []
        if toleration.get("key") not in _TAINTS
    ]


def _label_keys(tree: Struct) -> None:
    """Take out the expressions that the keys of labels were expanded into."""
    for term in selecting_terms(_spec(tree)):
        keys = {
            *(term.get("matchLabelKeys") or []),
            *(term.get("mismatchLabelKeys") or []),
        }
        selector = term.get("labelSelector") or {}
        if keys and "matchExpressions" in selector:
            selector["matchExpressions"] = [
                one
                for one in selector["matchExpressions"]
                if one.get("key") not in keys
            ]


def _job(tree: Struct) -> None:
    """Take out the selector and the four labels, of the template and of the Job."""
    spec = _spec(tree)
    spec.pop("selector", None)
    template = (spec.get("template") or {}).get("metadata") or {}
    for metadata in (template, tree["metadata"]):
        for label in (*NAME_LABELS, *UID_LABELS):
            (metadata.get("labels") or {}).pop(label, None)


def _job_labels(tree: Struct) -> None:
    """Take out a Job's own labels: those of its template are its default."""
    tree["metadata"].pop("labels", None)


def _finalizer(name: str) -> Step:
    """Take out the finalizer that the server puts last."""

    def take(tree: Struct) -> None:
        kept = tree["metadata"].get("finalizers") or []
        tree["metadata"]["finalizers"] = [n for n in kept if n != name]

    return take


def _template_generation(tree: Struct) -> None:
    (tree["metadata"].get("annotations") or {}).pop(TEMPLATE_GENERATION, None)


def _job_whole(tree: Struct) -> None:
    _job(tree)
    _job_labels(tree)


_PORTS = ("nodePort",)
_ADDRESSES = ("clusterIP", "clusterIPs")

INVERSES: Mapping[str, tuple[Inverse, ...]] = {
    "v1/Namespace": (Inverse(_take("finalizers")),),
    "v1/PersistentVolume": (Inverse(_finalizer(VOLUME_PROTECTION)),),
    "v1/PersistentVolumeClaim": (Inverse(_finalizer(CLAIM_PROTECTION)),),
    "v1/Pod": (
        # the rule would expand them a second time: nothing equals before
        Inverse(_label_keys),
        Inverse(_token_volume),
        Inverse(_tolerations),
        Inverse(_take("priority", "preemptionPolicy")),
        Inverse(_take("overhead")),
        Inverse(_take("nodeName")),
    ),
    "v1/Service": (
        Inverse(_take(*ADDRESS_FIELDS), ADDRESS_FIELDS),
        Inverse(_take(*_ADDRESSES), _ADDRESSES),
        Inverse(_node_ports, _PORTS),
        Inverse(_take("healthCheckNodePort"), ("healthCheckNodePort",)),
    ),
    "apps/v1/DaemonSet": (Inverse(_template_generation),),
    "batch/v1/Job": (Inverse(_job_whole), Inverse(_job)),
    "certificates.k8s.io/v1/CertificateSigningRequest": (
        Inverse(_take(*REQUESTER_FIELDS)),
    ),
    "storage.k8s.io/v1/VolumeAttributesClass": (
        Inverse(_finalizer(ATTRIBUTES_PROTECTION)),
    ),
}
"""By kind the steps, one after the other; of two that overlap the greater goes first."""
