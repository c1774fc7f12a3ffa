"""Where the kinds that run Pods, or describe them, keep the Pod's specification."""

from collections.abc import Iterator, Mapping

from countersign.binding.tables import kind_key
from countersign.binding.tree import ABSENT, Struct, find
from countersign.core.types.artifacts import Tree

POD_SPECS: Mapping[str, str] = {
    "v1/Pod": "/spec",
    "v1/PodTemplate": "/template/spec",
    "v1/ReplicationController": "/spec/template/spec",
    "apps/v1/DaemonSet": "/spec/template/spec",
    "apps/v1/Deployment": "/spec/template/spec",
    "apps/v1/ReplicaSet": "/spec/template/spec",
    "apps/v1/StatefulSet": "/spec/template/spec",
    "batch/v1/CronJob": "/spec/jobTemplate/spec/template/spec",
    "batch/v1/Job": "/spec/template/spec",
}
"""JSON pointer to the PodSpec, by kind. A test finds every PodSpec of the type table."""

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def pod_spec(tree: Tree) -> Struct | None:
    """Return the PodSpec that a normal form holds, if it holds one."""
    path = POD_SPECS.get(kind_key(tree))
    spec = ABSENT if path is None else find(tree, path)
    return spec if type(spec) is dict else None


def containers(spec: Struct, *lists: str) -> Iterator[Struct]:
    """Yield the containers of a PodSpec in normal form; of all three lists by default."""
    for name in lists or CONTAINER_LISTS:
        yield from spec.get(name, [])
