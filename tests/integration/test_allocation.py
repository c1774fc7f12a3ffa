"""What plugins and strategies of the real server write, as we compute it.

Each object is made and changed in the ways there are; each time one value that was
written is forged, and that must be noticed.
"""

import copy
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from countersign.binding.tree import find
from tests.support.apiserver import (
    APPLY_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    ApiServer,
    Refused,
    Tree,
)
from tests.support.judge import Judge
from tests.support.trees import having
from tools.controlplane import ControlPlane

CONTAINERS = [{"name": "main", "image": "a:1"}]
NOTE = "/metadata/annotations/kubernetes.io~1limit-ranger"
ZONE = "topology.kubernetes.io/zone"
WAYS = (APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH, "PUT")
PORTS = [
    {"name": "a", "port": 80},
    {"name": "b", "port": 80, "protocol": "UDP"},
    {"name": "c", "port": 81},
]

Make = Callable[[Tree], Tree]


@pytest.fixture(name="space")
def _space(control_plane: ControlPlane) -> str:
    name = f"allocation-{uuid.uuid4().hex[:8]}"
    control_plane.create_namespace(name)
    return name


@pytest.fixture(name="make")
def _make(server: ApiServer) -> Iterator[Make]:
    """Makes objects that are removed afterwards."""
    with ExitStack() as stack:

        def make(tree: Tree) -> Tree:
            stack.callback(server.delete, tree)
            return server.create(tree)

        yield make


def tree(kind: str, version: str, name: str, space: str = "", **fields: Any) -> Tree:
    """Return an object; without a namespace one that lives in none."""
    metadata = {"name": name, **fields.pop("metadata", {})}
    if space:
        metadata["namespace"] = space
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def eventually(ask: Callable[[], Tree], so: Callable[[Tree], bool]) -> Tree:
    """Ask until a cache of the server knows what was made."""
    for _ in range(2000):
        found = ask()
        if so(found):
            return found
    pytest.fail("the server never came to know")


def relabelled(manifest: Tree) -> Tree:
    """Return a manifest as it is signed next: with one label more."""
    return having(manifest, "/metadata/labels/now", "signed")


def states(server: ApiServer, manifest: Tree, way: str) -> tuple[Tree, Tree] | None:
    """Bring an object to its manifest; return it before and after, None if refused."""
    for _ in range(20):
        old, new = server.get(manifest), copy.deepcopy(manifest)
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        try:
            if way == "PUT":
                return old, server.replace(new)
            if way == APPLY_PATCH:
                return old, server.apply(new)
            return old, server.patch(manifest, new, way)
        except Refused as error:
            if error.code == 422:
                return None
            if error.code != 409:
                raise
    pytest.fail("the controllers never came to rest")


def assert_equal_in_every_way(
    server: ApiServer, judge: Judge, manifest: Tree, *forged: str
) -> None:
    """Sign a manifest anew, apply it, and forge what the server had written."""
    for way in WAYS:
        if (both := states(server, manifest, way)) is None:
            continue
        old, new = both
        assert judge.differences(manifest, new, old=old) == (), way
        for path in forged:
            if (value := find(new, path)) and value == find(old, path):
                other = having(new, path, forgery(value))
                assert judge.differences(manifest, other, old=old) != (), (way, path)


def forgery(value: Any) -> Any:
    """Return another value of the same type."""
    match value:
        case int():
            return value + 1
        case str():
            return "7"
        case list():
            return [*value, value[-1]]
        case _:
            return {**value, "forged": "x"}


def test_several_limit_ranges(
    server: ApiServer, judge: Judge, space: str, make: Make
) -> None:
    """Whichever comes first, values and the annotation are told exactly."""
    ranges: list[Tree] = [
        {"default": {"cpu": "2"}, "defaultRequest": {"cpu": "0.1"}},
        {"default": {"cpu": "1", "memory": "1Gi"}},
        {"max": {"memory": "2Gi"}, "defaultRequest": {"ephemeral-storage": "1Gi"}},
    ]
    for number, item in enumerate(ranges):
        spec = {"limits": [{"type": "Container", **item}]}
        make(tree("LimitRange", "v1", f"range-{number}", space, spec=spec))
    limits = {"resources": {"limits": {"cpu": "3"}}}
    spec = {
        "initContainers": [{"name": "init", "image": "a:1", **limits}],
        "containers": CONTAINERS,
    }
    pod = tree("Pod", "v1", "pod", space, spec=spec)

    def all_known(seen: Tree) -> bool:
        asked = seen["spec"]["containers"][0]["resources"].get("requests", {})
        return set(asked) >= {"cpu", "memory", "ephemeral-storage"}

    eventually(lambda: server.create(pod, dryRun="All"), all_known)
    for _ in range(12):  # in several orders, as it happens
        seen = server.create(pod, dryRun="All")
        assert judge.differences(pod, seen) == ()
        for path in (NOTE, "/spec/containers/0/resources/limits/cpu"):
            other = having(seen, path, "7")
            assert judge.differences(pod, other) != ()
    live = make(pod)

    assert judge.differences(pod, live) == ()
    assert_equal_in_every_way(server, judge, relabelled(pod), NOTE)


def test_a_runtime_class(
    server: ApiServer, judge: Judge, space: str, make: Make
) -> None:
    """Overhead, selector and tolerations come from the class, in its order."""
    tolerations = [
        {"key": "kata", "operator": "Exists"},
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists"},
    ]
    made = tree(
        "RuntimeClass",
        "node.k8s.io/v1",
        space,
        handler="runc",
        overhead={"podFixed": {"cpu": "0.25", "memory": "64Mi"}},
        scheduling={"nodeSelector": {"kata": "yes"}, "tolerations": tolerations},
    )
    make(made)
    spec = {
        "runtimeClassName": space,
        "nodeSelector": {"disk": "fast"},
        "tolerations": [
            {"key": "x", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "x", "operator": "Exists"},
        ],
        "containers": CONTAINERS,
    }
    pod = tree("Pod", "v1", "pod", space, spec=spec)
    live = make(pod)

    assert live["spec"]["overhead"] == {"cpu": "250m", "memory": "64Mi"}
    assert judge.differences(pod, live) == ()
    for path in ("/spec/overhead/cpu", "/spec/nodeSelector/kata", "/spec/tolerations"):
        other = having(live, path, forgery(find(live, path)))
        assert judge.differences(pod, other) != (), path
    assert_equal_in_every_way(server, judge, relabelled(pod), "/spec/overhead/cpu")


def test_the_place_of_a_node(
    server: ApiServer, judge: Judge, space: str, make: Make
) -> None:
    """A new Node is tainted; a Pod that is made on it learns where it is."""
    labels = {ZONE: "z-1", "other": "o"}
    machine = tree("Node", "v1", space, metadata={"labels": labels}, spec={})
    assert judge.differences(machine, make(machine)) == ()
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "x"}},
        "matchLabelKeys": [ZONE],
    }
    spec = {
        "nodeName": space,
        "topologySpreadConstraints": [spread],
        "containers": CONTAINERS,
    }
    pod = tree("Pod", "v1", "pod", space, spec=spec)
    seen = eventually(
        lambda: server.create(pod, dryRun="All"),
        lambda found: ZONE in found["metadata"].get("labels", {}),
    )

    assert judge.differences(pod, seen) == ()
    moved = having(seen, f"/metadata/labels/{ZONE.replace('/', '~1')}", "z-2")
    assert judge.differences(pod, moved) != ()


def test_a_service_of_every_type(server: ApiServer, judge: Judge, space: str) -> None:
    """From each type to the next, by apply and by PUT: ports and addresses follow."""
    common = {"selector": {"app": "x"}, "ports": PORTS}
    local = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    bare = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}
    specs: list[Tree] = [
        {**common, "type": "NodePort"},
        {**common, **local},
        {**common, **bare},
        {**common, "type": "NodePort", "ports": PORTS[::-1]},
        {**common, "type": "ClusterIP"},
        {"type": "ExternalName", "externalName": "a.example"},
        {**common, "type": "ClusterIP", "ipFamilyPolicy": "PreferDualStack"},
        {**common, "type": "ClusterIP", "ipFamilyPolicy": "SingleStack"},
    ]
    for way in (APPLY_PATCH, "PUT"):
        service = tree("Service", "v1", f"s-{len(way)}", space, spec=common)
        live = (server.create if way == "PUT" else server.apply)(service)
        assert judge.differences(service, live) == ()
        for spec in specs:
            service = {**service, "spec": spec}
            both = states(server, service, way)
            assert both is not None
            assert judge.differences(service, both[1], old=both[0]) == (), (way, spec)


def test_ports_of_one_number_get_one_node_port(
    judge: Judge, space: str, make: Make
) -> None:
    """TCP and UDP of the same number; another number gets another one."""
    spec = {"type": "NodePort", "selector": {"app": "x"}, "ports": PORTS}
    service = tree("Service", "v1", "shared", space, spec=spec)
    live = make(service)
    tcp, udp, other = (port["nodePort"] for port in live["spec"]["ports"])

    assert tcp == udp != other
    assert judge.differences(service, live) == ()
    assert judge.differences(service, having(live, "/spec/ports/1/nodePort", other))


@pytest.mark.parametrize("policy", ["SingleStack", "PreferDualStack", None])
def test_families_of_headless_services(
    judge: Judge, space: str, make: Make, policy: str | None
) -> None:
    """With a selector as many as the cluster has; without one, any endpoints' too."""
    said = {"clusterIP": "None", **({"ipFamilyPolicy": policy} if policy else {})}
    selected = {**said, "selector": {"a": "b"}}
    for name, spec in (("bare", said), ("selecting", selected)):
        service = tree("Service", "v1", name, space, spec=spec)
        live = make(service)
        families = live["spec"]["ipFamilies"]
        other = ["IPv6"] if families == ["IPv4"] else ["IPv4"]

        assert judge.differences(service, live) == ()
        assert judge.differences(service, having(live, "/spec/ipFamilies", other))


def test_labels_of_jobs_and_controllers(
    server: ApiServer, judge: Judge, space: str, make: Make
) -> None:
    """What they have from their templates stays when they get labels of their own."""
    template = {"spec": {"restartPolicy": "Never", "containers": CONTAINERS}}
    always = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": CONTAINERS}}
    manual = {
        "manualSelector": True,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {**template, "metadata": {"labels": {"a": "b"}}},
    }
    job, core = ("Job", "batch/v1"), ("ReplicationController", "v1")
    for (kind, version), name, spec in (
        (job, "generated", {"suspend": True, "template": template}),
        (job, "manual", {"suspend": True, **manual}),
        (core, "replicated", {"replicas": 0, "template": always}),
    ):
        made = tree(kind, version, name, space, spec=spec)
        assert judge.differences(made, make(made)) == ()
        assert_equal_in_every_way(
            server, judge, relabelled(made), "/metadata/labels/job-name"
        )


def test_generations_of_a_daemon_set(
    server: ApiServer, judge: Judge, space: str, make: Make
) -> None:
    """From the number that is said, one more with each template."""
    key = "/metadata/annotations/deprecated.daemonset.template.generation"
    pods = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": CONTAINERS}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": pods}
    first = having(tree("DaemonSet", "apps/v1", "d", space, spec=spec), key, "7")
    second = having(first, "/spec/template/spec/containers/0/image", "a:2")
    third = having(second, "/spec/minReadySeconds", 3)

    assert judge.differences(first, make(first)) == ()
    for manifest, generation in ((second, "8"), (third, "8")):
        both = states(server, manifest, APPLY_PATCH)
        assert both is not None
        assert find(both[1], key) == generation
        assert judge.differences(manifest, both[1], old=both[0]) == ()
        forged = having(both[1], key, "9")
        assert judge.differences(manifest, forged, old=both[0]) != ()


def test_what_is_protected_and_what_was_gathered(
    server: ApiServer, judge: Judge, space: str, make: Make
) -> None:
    """Finalizers, aggregated rules, an injected authority: there before, and after."""
    source = {"csi": {"driver": "x.example", "volumeHandle": "h"}}
    volume = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    selector = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    rule = {"clusterRoleSelectors": [{"matchLabels": selector}]}
    roles = "rbac.authorization.k8s.io/v1"
    manifests = [
        tree("PersistentVolume", "v1", space, spec={**volume, **source}),
        tree(
            "VolumeAttributesClass",
            "storage.k8s.io/v1",
            space,
            driverName="x.example",
            parameters={"a": "b"},
        ),
        tree("ClusterRole", roles, space, aggregationRule=rule, rules=[]),
    ]
    for manifest in manifests:
        assert judge.differences(manifest, make(manifest)) == ()
        if manifest["kind"] == "ClusterRole":
            ask = partial(server.get, manifest)
            eventually(ask, lambda found: bool(found["rules"]))
        assert_equal_in_every_way(
            server, judge, relabelled(manifest), "/rules", "/metadata/finalizers"
        )


def test_default_classes_are_for_new_objects(
    server: ApiServer, judge: Judge, space: str, make: Make
) -> None:
    """An Ingress and a claim of before get no class when there is one at last."""
    size = {"resources": {"requests": {"storage": "1Gi"}}}
    backend = {"service": {"name": "w", "port": {"number": 80}}}
    networking = "networking.k8s.io/v1"
    claim = {"accessModes": ["ReadWriteOnce"], **size}
    made = [
        tree("Ingress", networking, "web", space, spec={"defaultBackend": backend}),
        tree("PersistentVolumeClaim", "v1", "data", space, spec=claim),
    ]
    for manifest in made:
        make(manifest)
    marks = {
        kind: {"annotations": {f"{kind}.kubernetes.io/is-default-class": "true"}}
        for kind in ("ingressclass", "storageclass")
    }
    ingress: Tree = {"controller": "x.io/y"}
    marked = marks["ingressclass"]
    make(tree("IngressClass", networking, space, metadata=marked, spec=ingress))
    marked = marks["storageclass"]
    storage = ("StorageClass", "storage.k8s.io/v1", space)
    make(tree(*storage, metadata=marked, provisioner="x.io/y"))

    for manifest in made:
        assert_equal_in_every_way(server, judge, relabelled(manifest))
