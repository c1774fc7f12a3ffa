"""DaemonSet to Pod.

Source:
    ``syncNodes`` in pkg/controller/daemon/daemon_controller.go; ``CreatePodTemplate``
    and ``ReplaceDaemonSetPodNodeNameNodeAffinity`` in util/daemonset_util.go.
"""

from countersign.binding.allocation.others import TEMPLATE_GENERATION
from countersign.binding.derivations.histories import revision_label
from countersign.binding.derivations.kin import (
    Kin,
    listing,
    mapping,
    part,
    with_labels,
)
from countersign.binding.derivations.pods import pod
from countersign.binding.edits import DNS_NAME, NUMBER
from countersign.binding.tree import Struct, Value

_GENERATION = "pod-template-generation"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TAINTS = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)
_OF_THE_HOST = ("network-unavailable", "NoSchedule")


def pod_of_daemon_set(kin: Kin) -> Struct:
    """Return the Pod of one node. Which node it is, is the child's word."""
    template = part(kin.spec(), "template")
    labels = _generation(kin) | revision_label(kin)
    with_labels(part(template, "metadata"), labels)
    spec = part(template, "spec")
    _tolerate(spec)
    part(part(spec, "affinity"), "nodeAffinity")[_REQUIRED] = {
        "nodeSelectorTerms": [{"matchFields": [_node(kin)]}]
    }
    return pod(kin, template)


def _generation(kin: Kin) -> dict[str, str]:
    """``GetTemplateGeneration``: of the owner, or of an old child what it was then."""
    said = mapping(kin.owner, "/metadata/annotations").get(TEMPLATE_GENERATION, "")
    seen = mapping(kin.child, "/metadata/labels").get(_GENERATION, "")
    chosen = said if kin.old is None else seen
    return {_GENERATION: chosen} if NUMBER.fullmatch(chosen) else {}


def _node(kin: Kin) -> Struct:
    where = f"/spec/affinity/nodeAffinity/{_REQUIRED}/nodeSelectorTerms"
    terms = listing(kin.child, where)
    fields = listing(terms[0], "/matchFields") if terms else []
    values = listing(fields[0], "/values") if fields else []
    name = next((v for v in values if type(v) is str and DNS_NAME.fullmatch(v)), "")
    return {"key": "metadata.name", "operator": "In", "values": [name]}


def _tolerate(spec: Struct) -> None:
    """``AddOrUpdateTolerationInPodSpec`` of one toleration after the other."""
    said: list[Value] = spec.get("tolerations") or []
    host = (_OF_THE_HOST,) if spec.get("hostNetwork") is True else ()
    for taint, effect in (*_TAINTS, *host):
        ours = {
            "key": f"node.kubernetes.io/{taint}",
            "operator": "Exists",
            "effect": effect,
        }
        alike = [_without_seconds(one) == ours for one in said]
        said = (
            [ours if same else one for one, same in zip(said, alike, strict=True)]
            if any(alike)
            else [*said, ours]
        )
    spec["tolerations"] = said


def _without_seconds(toleration: Struct) -> Struct:
    """Return what ``MatchToleration`` compares: a key that is empty is absent."""
    compared = ("key", "operator", "value", "effect")
    return {k: toleration[k] for k in compared if toleration.get(k)}
