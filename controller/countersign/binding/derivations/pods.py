"""ReplicaSet, ReplicationController and Job to Pod.

Source:
    ``GetPodFromTemplate`` in pkg/controller/controller_utils.go; ``manageJob`` in
    pkg/controller/job/job_controller.go and indexed_job_utils.go.
"""

from countersign.binding.derivations.kin import (
    Kin,
    born,
    mapping,
    number,
    part,
    with_labels,
)
from countersign.binding.edits import NUMBER
from countersign.binding.podspecs import containers
from countersign.binding.tree import ABSENT, Struct, find

_INDEX = "batch.kubernetes.io/job-completion-index"
_INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
_FAILURES = (
    "batch.kubernetes.io/job-index-failure-count",
    "batch.kubernetes.io/job-index-ignored-failure-count",
)
_TRACKING = "batch.kubernetes.io/job-tracking"
_MAX_GENERATED = 58  # characters before the generated suffix
_MAX_NAME = 253  # characters


def pod_of_replica_set(kin: Kin) -> Struct:
    """Return the Pod of the template of a ReplicaSet, or ReplicationController."""
    return pod(kin, part(kin.spec(), "template"))


def pod_of_job(kin: Kin) -> Struct:
    """Return the Pod of a Job's template: tracked by a finalizer, perhaps numbered."""
    template = part(kin.spec(), "template")
    metadata, prefix = part(template, "metadata"), ""
    finalizers = metadata.get("finalizers") or []
    if _TRACKING not in finalizers:
        metadata["finalizers"] = [*finalizers, _TRACKING]
    if find(kin.owner, "/spec/completionMode") == "Indexed":
        index = _index(kin)
        spec = part(template, "spec")
        spec["hostname"] = f"{kin.name}-{index}"
        _number(spec)
        with_labels(metadata, {_INDEX: index})
        with_labels(metadata, {_INDEX: index} | _failures(kin), "annotations")
        tail = f"-{index}-"
        prefix = kin.name[: _MAX_GENERATED - len(tail)] + tail
    return pod(kin, template, prefix)


def pod(kin: Kin, template: Struct, prefix: str = "") -> Struct:
    """Return a Pod: of the template's metadata only these three are copied.

    Args:
        kin: Owner and child.
        template: As the controller would have it.
        prefix: Of the name; ``""``: as ``getPodsPrefix`` makes it.
    """
    metadata = mapping(template, "/metadata")
    prefix = prefix or (f"{kin.name}-" if len(kin.name) < _MAX_NAME else kin.name)
    copied = {key: metadata.get(key) for key in ("labels", "annotations", "finalizers")}
    return {
        **born(kin, "v1", "Pod", generateName=prefix, **copied),
        "spec": mapping(template, "/spec"),
    }


def _index(kin: Kin) -> str:
    """Return the child's index if the Job has such a one, else the first."""
    seen = kin.seen(_INDEX)
    known = NUMBER.fullmatch(seen) and int(seen) < number(
        kin.owner, "/spec/completions", 0
    )
    return seen if known else "0"


def _number(spec: Struct) -> None:
    """Tell each container its index, unless it has a variable of that name."""
    for container in containers(spec, "initContainers", "containers"):
        said = container.get("env") or []
        if all(entry.get("name") != _INDEX_VARIABLE for entry in said):
            source = {"fieldRef": {"fieldPath": f"metadata.labels['{_INDEX}']"}}
            variable = {"name": _INDEX_VARIABLE, "valueFrom": source}
            container["env"] = [*said, variable]


def _failures(kin: Kin) -> dict[str, str]:
    if find(kin.owner, "/spec/backoffLimitPerIndex") is ABSENT:
        return {}
    return {key: kin.seen(key) for key in _FAILURES if NUMBER.fullmatch(kin.seen(key))}
