"""What the server's own plugins look up before they write into an object."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from countersign.binding.kinds import BUILT_IN, Kinds
from countersign.binding.tables import kind_key
from countersign.core.types.artifacts import ObjectRef, Tree


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """A question about the cluster.

    Attributes:
        version: API version without its group.
        ref: One object; with an empty name all of the kind in the namespace.
    """

    version: str
    ref: ObjectRef


class AdmissionPlugin(StrEnum):
    """A plugin that writes into objects, and is off unless somebody turns it on."""

    ALWAYS_PULL_IMAGES = "AlwaysPullImages"
    EXTENDED_RESOURCE_TOLERATION = "ExtendedResourceToleration"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What is known about the cluster. Not knowing something can only deny.

    Attributes:
        service_cidrs: Ranges of cluster addresses (``--service-cluster-ip-range``).
        node_ports: Range of node ports (``--service-node-port-range``).
        not_ready_s: ``--default-not-ready-toleration-seconds``.
        unreachable_s: ``--default-unreachable-toleration-seconds``.
        plugins: Those of ``--enable-admission-plugins`` that are off by default and
            write.
        live: Answers to `facts_needed`; an object that is not there has none.
        kinds: Those that are known.
    """

    service_cidrs: tuple[IPv4Network | IPv6Network, ...] = ()
    node_ports: range = range(30000, 32768)
    not_ready_s: int = 300
    unreachable_s: int = 300
    plugins: frozenset[AdmissionPlugin] = frozenset()
    live: Mapping[Fact, tuple[Tree, ...]] = field(default_factory=dict)
    kinds: Kinds = BUILT_IN

    def answers(self, fact: Fact) -> tuple[Tree, ...]:
        """Return the objects that answer `fact`; none if it was not asked."""
        return self.live.get(fact, ())


def service_account(namespace: str, name: str) -> Fact:
    """Ask for the ServiceAccount of a Pod."""
    return Fact("v1", ObjectRef("", "ServiceAccount", namespace, name))


def limit_ranges(namespace: str) -> Fact:
    """Ask for the LimitRanges of a namespace."""
    return Fact("v1", ObjectRef("", "LimitRange", namespace, ""))


def runtime_class(name: str) -> Fact:
    """Ask for the RuntimeClass that a Pod names."""
    return Fact("v1", ObjectRef("node.k8s.io", "RuntimeClass", "", name))


def node(name: str) -> Fact:
    """Ask for the Node that a Pod is created on."""
    return Fact("v1", ObjectRef("", "Node", "", name))


PRIORITY_CLASSES = Fact("v1", ObjectRef("scheduling.k8s.io", "PriorityClass", "", ""))
STORAGE_CLASSES = Fact("v1", ObjectRef("storage.k8s.io", "StorageClass", "", ""))
INGRESS_CLASSES = Fact("v1", ObjectRef("networking.k8s.io", "IngressClass", "", ""))


def _of_pod(tree: Tree, namespace: str) -> frozenset[Fact]:
    spec = tree.get("spec")
    said = spec if isinstance(spec, dict) else {}
    account = service_account(
        namespace, str(said.get("serviceAccountName") or "default")
    )
    named = {
        ask(name)
        for field, ask in (("runtimeClassName", runtime_class), ("nodeName", node))
        if isinstance(name := said.get(field), str) and name
    }
    return frozenset({account, limit_ranges(namespace), PRIORITY_CLASSES, *named})


_NEEDED: Mapping[str, Callable[[Tree, str], frozenset[Fact]]] = {
    "v1/Pod": _of_pod,
    "v1/PersistentVolumeClaim": lambda _tree, _namespace: frozenset({STORAGE_CLASSES}),
    "scheduling.k8s.io/v1beta1/PodGroup": lambda _t, _n: frozenset({PRIORITY_CLASSES}),
    "scheduling.k8s.io/v1alpha3/PodGroup": lambda _t, _n: frozenset({PRIORITY_CLASSES}),
    "networking.k8s.io/v1/Ingress": lambda _t, _n: frozenset({INGRESS_CLASSES}),
}


def facts_needed(tree: Tree, namespace: str) -> frozenset[Fact]:
    """Return what must be looked up to judge `tree`, the object under admission.

    Empty for most kinds: the server allocates nothing into Pod templates.

    Args:
        tree: The object as the server shows it.
        namespace: The request's.
    """
    needed = _NEEDED.get(kind_key(tree))
    return needed(tree, namespace) if needed else frozenset()
