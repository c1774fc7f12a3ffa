"""What plugins write into Pods and others because of classes, ranges and nodes."""

import copy
from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest

from countersign.binding.allocation.limits import MAX_RANGES
from countersign.binding.canonical import canonical
from countersign.binding.facts import (
    INGRESS_CLASSES,
    PRIORITY_CLASSES,
    STORAGE_CLASSES,
    AdmissionPlugin,
    ClusterFacts,
    Fact,
    facts_needed,
    limit_ranges,
    node,
    runtime_class,
    service_account,
)
from countersign.binding.match import match
from countersign.binding.tree import ABSENT, find
from countersign.core.types.artifacts import Difference
from tests.support.trees import Tree, having, pod, ref, tree

CONTAINER = {"name": "main", "image": "app:1"}
TAINTS = [
    {
        "key": f"node.kubernetes.io/{taint}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for taint in ("not-ready", "unreachable")
]
NO_TOKEN: dict[Fact, tuple[Tree, ...]] = {
    service_account("here", "default"): ({"automountServiceAccountToken": False},)
}
CPU = {"default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}}
BOTH = {"default": {"cpu": "3", "memory": "1Gi"}}
NOTE = "/metadata/annotations/kubernetes.io~1limit-ranger"


def compare(
    manifest: Tree,
    observed: Tree,
    live: Mapping[Fact, tuple[Tree, ...]] | None = None,
    *,
    old: Tree | None = None,
    plugins: frozenset[AdmissionPlugin] = frozenset(),
) -> tuple[Difference, ...]:
    """Compare in a cluster where Pods get no token."""
    facts = ClusterFacts(live={**NO_TOKEN, **(live or {})}, plugins=plugins)
    intent = canonical(manifest).tree
    return match(intent, observed, identity=ref(observed), facts=facts, old=old)


def admitted(**spec: Any) -> Tree:
    """Return a Pod as the server shows it."""
    given = {
        "serviceAccountName": "default",
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
        "tolerations": TAINTS,
    }
    return pod(**{**given, **spec})


def limited(requests: Tree, limits: Tree, note: str) -> Tree:
    """Return a Pod whose container LimitRanges filled in."""
    resources = {"requests": requests, "limits": limits}
    made = admitted(containers=[{**CONTAINER, "resources": resources}])
    return having(made, NOTE, f"LimitRanger plugin set: {note}")


def ranges(*items: Tree) -> dict[Fact, tuple[Tree, ...]]:
    """Return the LimitRanges of the namespace."""
    given = ({"spec": {"limits": [{"type": "Container", **item}]}} for item in items)
    return {limit_ranges("here"): tuple(given)}


FIRST_CPU = limited(
    {"cpu": "1", "memory": "1Gi"},
    {"cpu": "2", "memory": "1Gi"},
    "memory request for container main; memory limit for container main",
)
FIRST_BOTH = limited(
    {"cpu": "3", "memory": "1Gi"},
    {"cpu": "3", "memory": "1Gi"},
    "cpu, memory request for container main; cpu, memory limit for container main",
)


@pytest.mark.parametrize("order", list(permutations((CPU, BOTH))))
@pytest.mark.parametrize("seen", [FIRST_CPU, FIRST_BOTH], ids=["cpu", "both"])
def test_limit_ranges_come_in_any_order(order: tuple[Tree, ...], seen: Tree) -> None:
    """The server asks a cache for them; whichever way, values and text go together."""
    live = ranges(*order)
    path = "/spec/containers/0/resources/limits/cpu"
    mixed = having(FIRST_CPU, NOTE, find(FIRST_BOTH, NOTE))

    assert compare(pod(), seen, live) == ()
    assert compare(pod(), mixed, live) != ()
    assert compare(pod(), having(seen, path, "9"), live) != ()
    assert compare(pod(), having(seen, path, "2500m"), live) != ()
    assert compare(pod(), seen, ranges(CPU)) != ()
    assert compare(pod(), seen) != ()


@pytest.mark.parametrize(
    ("note", "accepted"),
    [("cpu limit", True), ("memory limit", True), ("pods limit", False)],
)
def test_the_last_limit_range_writes_the_annotation(
    note: str, *, accepted: bool
) -> None:
    """The values are the same in either order: the text tells which it was."""
    apart = [{"default": {"cpu": "2"}}, {"default": {"memory": "1Gi"}}]
    both = {"cpu": "2", "memory": "1Gi"}
    word = note.removesuffix(" limit")
    text = f"{word} request for container main; {note} for container main"

    assert (compare(pod(), limited(both, both, text), ranges(*apart)) == ()) is accepted


def test_too_many_limit_ranges_are_not_believed() -> None:
    """Each order is tried; of more than a few, none."""
    note = "cpu request for container main; cpu limit for container main"
    seen = limited({"cpu": "2"}, {"cpu": "2"}, note)
    same = {"default": {"cpu": "2"}}

    assert compare(pod(), seen, ranges(*[same] * MAX_RANGES)) == ()
    assert compare(pod(), seen, ranges(*[same] * (MAX_RANGES + 1))) != ()
    assert compare(pod(), seen, ranges(same, *[{}] * MAX_RANGES)) == ()


def test_what_was_limited_once_stays_on_update() -> None:
    """What the old annotation names; a range that came later fills in nothing."""
    old = limited(
        {"cpu": "1"},
        {"cpu": "2"},
        "cpu request for container main; cpu limit for container main",
    )
    plain = admitted()
    path = "/spec/containers/0/resources/limits/cpu"

    assert compare(pod(), old, old=old) == ()
    assert compare(pod(), old, old=plain) != ()
    assert compare(pod(), having(old, path, "5"), old=old) != ()
    assert compare(pod(), plain, ranges(CPU), old=plain) == ()
    unnoted = having(old, NOTE, "LimitRanger plugin set: cpu request for container x")
    assert compare(pod(), unnoted, old=unnoted) != ()


CLASS = {
    "handler": "kata",
    "overhead": {"podFixed": {"cpu": "0.25"}},
    "scheduling": {
        "nodeSelector": {"kata": "yes"},
        "tolerations": [
            {"key": "kata", "operator": "Exists"},
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists"},
        ],
    },
}
RUN = {
    "runtimeClassName": "kata",
    "overhead": {"cpu": "250m"},
    "nodeSelector": {"kata": "yes"},
    "tolerations": [TAINTS[1], *CLASS["scheduling"]["tolerations"]],  # type: ignore[index]
}


def test_a_runtime_class_says_how_to_run() -> None:
    """Overhead, selector and tolerations; of those that cover one another the wider."""
    said, seen = pod(runtimeClassName="kata"), admitted(**RUN)
    live = {runtime_class("kata"): (CLASS,)}

    assert facts_needed(seen, "here") >= {runtime_class("kata")}
    assert compare(said, seen, live) == ()
    assert compare(said, seen) != ()
    for field in ("overhead", "nodeSelector", "tolerations"):
        without = copy.deepcopy(seen)
        del without["spec"][field]
        assert compare(said, without, live) != (), field
    assert compare(said, having(seen, "/spec/overhead/cpu", "9"), live) != ()


@pytest.mark.parametrize(("said", "given", "kept"), [(None, 5, None), (5, None, None)])
def test_a_toleration_for_ever_covers_one_for_a_while(
    said: int | None, given: int | None, kept: int | None
) -> None:
    """Not the other way round, whichever comes first."""

    def toleration(seconds: int | None) -> Tree:
        until = {} if seconds is None else {"tolerationSeconds": seconds}
        return {"key": "k", "operator": "Exists", "effect": "NoExecute", **until}

    scheduling = {"tolerations": [toleration(given)]}
    live: dict[Fact, tuple[Tree, ...]] = {
        runtime_class("k"): ({"handler": "k", "scheduling": scheduling},)
    }
    first = [toleration(kept), *TAINTS] if said is kept else [*TAINTS, toleration(kept)]
    manifest = pod(runtimeClassName="k", tolerations=[toleration(said)])
    seen = admitted(runtimeClassName="k", tolerations=first)
    other = admitted(runtimeClassName="k", tolerations=[*TAINTS, toleration(5)])

    assert compare(manifest, seen, live) == ()
    assert compare(manifest, other, live) != ()


@pytest.mark.parametrize(
    ("great", "small", "covers"),
    [
        ({"key": "k", "operator": "Exists"}, {"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Exists"}, {"key": "l", "value": "v"}, False),
        ({"key": "k", "value": "v"}, {"key": "k", "value": "w"}, False),
        ({"operator": "Exists"}, {"key": "l", "value": "v"}, True),
        ({"operator": "Exists", "effect": "PreferNoSchedule"}, {"key": "l"}, False),
        ({"key": "k", "operator": "Gt", "value": "1"}, {"key": "k"}, False),
    ],
)
def test_a_toleration_covers_another(great: Tree, small: Tree, *, covers: bool) -> None:
    """Of the same key, or of all; of the same value, or of any; of the same effect."""
    great, small = ({"effect": "NoSchedule", **one} for one in (great, small))
    scheduling = {"tolerations": [great]}
    live: dict[Fact, tuple[Tree, ...]] = {
        runtime_class("k"): ({"handler": "k", "scheduling": scheduling},)
    }
    small = {"operator": "Equal", **small}
    said = pod(runtimeClassName="k", tolerations=[small])
    both = admitted(runtimeClassName="k", tolerations=[small, *TAINTS, great])
    one = admitted(runtimeClassName="k", tolerations=[*TAINTS, great])

    assert (compare(said, one, live) == ()) is covers
    assert (compare(said, both, live) == ()) is not covers


APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


@pytest.mark.parametrize(
    ("says", "profile"),
    [
        ("unconfined", {"type": "Unconfined"}),
        ("runtime/default", {"type": "RuntimeDefault"}),
        ("localhost/mine", {"type": "Localhost", "localhostProfile": "mine"}),
        ("localhost/ ", None),
        ("other", None),
    ],
)
def test_a_profile_is_read_from_its_annotation(says: str, profile: Any) -> None:
    """Where the container has none of its own, and the Pod another; not on Windows."""
    path, field = "/spec/containers/0/securityContext", "appArmorProfile"
    marks = {"metadata": {"name": "it", "annotations": {APPARMOR + "main": says}}}
    said, seen = {**pod(), **marks}, {**admitted(), **marks}
    for each in (said, seen):
        each["metadata"] = {**each["metadata"], "namespace": "here"}
    filled = having(seen, path, {field: profile}) if profile else seen

    assert compare(said, filled) == ()
    for other in ("Unconfined", "RuntimeDefault"):
        if profile != {"type": other}:
            assert compare(said, having(seen, path, {field: {"type": other}})) != ()
    if profile:
        assert compare(said, seen) != ()
        for where, value in (
            ("/spec/securityContext", {field: profile}),
            (path, {field: {"type": "Own"}}),
            ("/spec/os", {"name": "windows"}),
        ):
            assert compare(having(said, where, value), having(seen, where, value)) == ()


def test_label_keys_keep_the_labels_that_a_pod_was_made_with() -> None:
    """Selectors are immutable; the label itself may be signed anew."""
    selector = {"matchLabels": {"a": "b"}}
    term = {"labelSelector": selector, "matchLabelKeys": ["v"], "maxSkew": 1}
    chosen = {"key": "v", "operator": "In", "values": ["1"]}
    grown = {**term, "labelSelector": {**selector, "matchExpressions": [chosen]}}
    path = "/metadata/labels"
    said = having(pod(topologySpreadConstraints=[term]), path, {"v": "2"})
    old = having(admitted(topologySpreadConstraints=[grown]), path, {"v": "1"})

    assert compare(said, having(old, path, {"v": "2"}), old=old) == ()
    assert compare(said, having(old, path, {"v": "2"})) != ()


def test_overhead_stays_though_its_class_has_changed() -> None:
    """It is immutable, and only the server can have written it."""
    said, old = pod(runtimeClassName="kata"), admitted(**{**RUN, "tolerations": TAINTS})
    del old["spec"]["nodeSelector"]
    raised = having(old, "/spec/overhead/cpu", "9")

    assert compare(said, old, old=old) == ()
    assert compare(said, raised, old=old) != ()
    assert compare(said, old) != ()


def test_a_pod_takes_the_place_of_its_node_into_its_labels() -> None:
    """Before its label keys are expanded, as it is created; later they may stay."""
    zone = "topology.kubernetes.io/zone"
    live = {node("n-1"): ({"metadata": {"labels": {zone: "z", "other": "o"}}},)}
    said = pod(nodeName="n-1")
    seen = having(admitted(nodeName="n-1"), "/metadata/labels", {zone: "z"})
    moved = having(seen, "/metadata/labels", {zone: "y"})

    assert compare(said, seen, live) == ()
    assert compare(said, moved, live) != ()
    assert compare(said, seen) != ()
    assert compare(said, seen, old=seen) == ()
    assert compare(said, moved, old=seen) != ()


def test_a_mirror_pod_gets_no_account() -> None:
    """The kubelet would not know it again."""
    mirror = {"kubernetes.io/config.mirror": "x"}
    said = having(pod(), "/metadata/annotations", mirror)
    seen = having(admitted(), "/metadata/annotations", mirror)
    del seen["spec"]["serviceAccountName"]

    assert compare(said, seen) == ()
    assert compare(pod(), having(seen, "/metadata/annotations", {})) != ()


def test_plugins_that_are_declared_write_too() -> None:
    """Not otherwise: what they write would be a change by anybody."""
    resources = {"limits": {"x.io/gpu": "1"}, "requests": {"x.io/gpu": "1"}}
    container = {**CONTAINER, "resources": resources}
    extra = {"key": "x.io/gpu", "operator": "Exists", "effect": "NoSchedule"}
    pulled = [{**container, "imagePullPolicy": "Always"}]
    said = pod(containers=[container])
    tolerant = admitted(containers=[container], tolerations=[*TAINTS, extra])
    tolerates = frozenset({AdmissionPlugin.EXTENDED_RESOURCE_TOLERATION})
    pulls = frozenset({AdmissionPlugin.ALWAYS_PULL_IMAGES})

    assert compare(said, tolerant, plugins=tolerates) == ()
    assert compare(said, tolerant) != ()
    assert compare(said, admitted(containers=pulled), plugins=pulls) == ()
    assert compare(said, admitted(containers=pulled)) != ()


@pytest.mark.parametrize(
    ("kind", "version", "finalizer"),
    [
        ("PersistentVolume", "v1", "kubernetes.io/pv-protection"),
        ("PersistentVolumeClaim", "v1", "kubernetes.io/pvc-protection"),
        ("VolumeAttributesClass", "storage.k8s.io/v1", "kubernetes.io/vac-protection"),
    ],
)
def test_what_is_used_is_protected(kind: str, version: str, finalizer: str) -> None:
    """Created with the finalizer as the last; afterwards it may stay, or go."""
    said = tree(kind, version, metadata={"finalizers": ["x.io/y"]})
    if kind != "PersistentVolumeClaim":
        del said["metadata"]["namespace"]
    seen = having(said, "/metadata/finalizers", ["x.io/y", finalizer])

    assert compare(said, seen) == ()
    assert compare(said, having(seen, "/metadata/finalizers", [finalizer])) != ()
    assert compare(said, seen, old=seen) == ()
    assert compare(said, said, old=seen) == ()
    assert compare(said, seen, old=said) != ()


def test_a_default_class_is_looked_up_when_an_object_is_made() -> None:
    """A class that becomes the default later changes nothing that is there."""
    mark = {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}
    live = {INGRESS_CLASSES: ({"metadata": {"name": "new", **mark}},)}
    said = tree("Ingress", "networking.k8s.io/v1", spec={})
    old = having(said, "/spec/ingressClassName", "old")
    new = having(said, "/spec/ingressClassName", "new")

    assert compare(said, new, live) == ()
    assert compare(said, old, live) != ()
    assert compare(said, said, live, old=said) == ()
    assert compare(said, new, live, old=new) == ()
    assert compare(said, old, live, old=old) != ()

    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    metadata = {"name": "new", "annotations": annotations}
    live = {STORAGE_CLASSES: ({"metadata": metadata},)}
    claim = tree("PersistentVolumeClaim", spec={})
    classed = having(claim, "/spec/storageClassName", "new")
    path, protection = "/metadata/finalizers", ["kubernetes.io/pvc-protection"]

    assert compare(claim, having(classed, path, protection), live) == ()
    assert compare(claim, having(claim, path, protection), live) != ()
    assert compare(claim, claim, live, old=claim) == ()
    assert compare(claim, classed, live, old=claim) != ()
    key = "/metadata/annotations/volume.beta.kubernetes.io~1storage-class"
    annotated = having(having(claim, path, protection), key, "old")
    assert compare(having(claim, key, "old"), annotated, live) == ()


SNAPSHOT = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot"}


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ({"dataSource": SNAPSHOT}, {"dataSource": SNAPSHOT, "dataSourceRef": SNAPSHOT}),
        (
            {"dataSourceRef": SNAPSHOT},
            {"dataSource": SNAPSHOT, "dataSourceRef": SNAPSHOT},
        ),
        (
            {"dataSourceRef": {**SNAPSHOT, "namespace": "there"}},
            {"dataSourceRef": {**SNAPSHOT, "namespace": "there"}},
        ),
        (
            {"dataSource": SNAPSHOT, "dataSourceRef": {**SNAPSHOT, "name": "b"}},
            {"dataSource": SNAPSHOT, "dataSourceRef": {**SNAPSHOT, "name": "b"}},
        ),
        ({}, {}),
    ],
)
def test_a_claim_says_its_source_in_both_ways(said: Tree, seen: Tree) -> None:
    """Unless it is in another namespace, which only one of them can say."""
    path, protection = "/metadata/finalizers", ["kubernetes.io/pvc-protection"]
    claim = tree("PersistentVolumeClaim", spec=said)
    found = having(tree("PersistentVolumeClaim", spec=seen), path, protection)

    assert compare(claim, found) == ()
    for field in ("dataSource", "dataSourceRef"):
        other = having(found, f"/spec/{field}", {**SNAPSHOT, "name": "other"})
        assert compare(claim, other) != ()
        if field in seen:
            assert compare(claim, having(found, f"/spec/{field}", ABSENT)) != ()


def test_a_daemon_set_counts_its_templates() -> None:
    """From one, or from what is said; on UPDATE whatever is said."""
    key = "/metadata/annotations/deprecated.daemonset.template.generation"
    spec = {"template": {"spec": {"containers": [CONTAINER]}}}
    said = tree("DaemonSet", "apps/v1", spec=spec)
    changed = having(said, "/spec/template/spec/containers/0/image", "app:2")
    old = having(said, key, "4")

    assert compare(said, having(said, key, "1")) == ()
    assert compare(having(said, key, "4"), old) == ()
    assert compare(said, having(said, key, "2")) != ()
    assert compare(said, old, old=old) == ()
    assert compare(having(changed, key, "1"), having(changed, key, "5"), old=old) == ()
    assert compare(changed, having(changed, key, "4"), old=old) != ()
    assert compare(said, having(said, key, "5"), old=old) != ()


def test_a_new_node_is_not_ready() -> None:
    """It gets the taint as it comes, not later."""
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    said = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    seen = {**said, "spec": {"taints": [taint]}}

    assert compare(said, seen) == ()
    assert compare(said, seen, old=said) != ()
    assert compare(said, said, old=seen) == ()


def test_who_asks_for_a_certificate_is_said_by_the_server() -> None:
    """Nobody can choose it; what is said beforehand must be so."""
    said = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "c"},
        "spec": {"signerName": "x.io/y"},
    }
    seen = having(having(said, "/spec/username", "ann"), "/spec/groups", ["g"])

    assert compare(said, seen) == ()
    assert compare(having(said, "/spec/username", "bob"), seen) != ()
    assert compare(said, having(seen, "/spec/signerName", "z.io/z")) != ()


@pytest.mark.parametrize(
    ("moment", "accepted"),
    [
        ("2026-01-01T00:00:00Z", True),
        ("2025-12-31T23:59:58Z", True),
        ("2025-12-31T23:58:00Z", False),
        ("2026-01-01T00:00:01Z", False),
    ],
)
def test_a_device_is_tainted_as_its_rule_is_made(
    moment: str, *, accepted: bool
) -> None:
    """Not long before, not later; afterwards the moment stays as it was."""
    said = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceTaintRule",
        "metadata": {"name": "t"},
        "spec": {"taint": {"key": "k", "effect": "NoExecute"}},
    }
    path = "/spec/taint/timeAdded"
    made = having(said, "/metadata/creationTimestamp", "2026-01-01T00:00:00Z")
    seen = having(made, path, moment)

    assert (compare(said, seen) == ()) is accepted
    assert compare(said, seen, old=seen) == ()
    assert compare(said, having(seen, path, "2026-02-02T00:00:00Z"), old=seen) != ()


def test_a_pod_pulls_with_what_its_account_has() -> None:
    """Unless it says itself with what."""
    account = {
        "automountServiceAccountToken": False,
        "imagePullSecrets": [{"name": "registry", "other": "x"}, {}],
    }
    live: dict[Fact, tuple[Tree, ...]] = {
        service_account("here", "default"): (account,)
    }
    given = [{"name": "registry"}, {}]
    own = [{"name": "mine"}]

    assert compare(pod(), admitted(imagePullSecrets=given), live) == ()
    assert compare(pod(), admitted(imagePullSecrets=own), live) != ()
    assert compare(pod(), admitted(), live) != ()
    said = pod(imagePullSecrets=own)
    assert compare(said, admitted(imagePullSecrets=own), live) == ()
    assert compare(said, admitted(imagePullSecrets=given), live) != ()


def priority(name: str, value: int, **fields: Any) -> Tree:
    """Return a PriorityClass."""
    return {"metadata": {"name": name}, "value": value, **fields}


def test_a_pod_is_as_urgent_as_its_class() -> None:
    """As the one it names; else as the least of the global defaults; else not."""
    other = {"preemptionPolicy": "Never"}
    live: dict[Fact, tuple[Tree, ...]] = {
        PRIORITY_CLASSES: (
            priority("high", 100, **other),
            priority("great", 9, globalDefault=True),
            priority("small", 5, globalDefault=True, **other),
            priority("least", 1, globalDefault=False),
        )
    }

    def seen(name: str, value: int, policy: str = "Never") -> Tree:
        rest = {"priority": value, "preemptionPolicy": policy}
        return admitted(priorityClassName=name, **rest)

    named = pod(priorityClassName="high")
    assert compare(named, seen("high", 100), live) == ()
    assert compare(named, seen("high", 5), live) != ()
    assert compare(named, seen("high", 100, "PreemptLowerPriority"), live) != ()
    assert compare(pod(), seen("small", 5), live) == ()
    for wrong in (seen("great", 9, "PreemptLowerPriority"), seen("least", 1)):
        assert compare(pod(), wrong, live) != ()
    assert compare(pod(), admitted(), live) != ()
    unknown = pod(priorityClassName="none")
    assert compare(unknown, seen("none", 0), live) != ()
    plain = pod(priorityClassName="great")
    assert compare(plain, seen("great", 9, "PreemptLowerPriority"), live) == ()


@pytest.mark.parametrize(
    ("said", "added"),
    [
        ({"key": TAINTS[0]["key"], "operator": "Exists"}, TAINTS[1:]),
        ({"key": TAINTS[1]["key"], "effect": "NoExecute"}, TAINTS[:1]),
        ({"key": TAINTS[0]["key"], "effect": "NoSchedule"}, TAINTS),
        ({"operator": "Exists"}, []),
        ({"operator": "Exists", "effect": "NoExecute"}, []),
        ({"operator": "Exists", "effect": "NoSchedule"}, TAINTS),
        ({"key": "k", "operator": "Exists"}, TAINTS),
    ],
)
def test_a_pod_stays_for_a_while_where_it_does_not_say(
    said: Tree, added: list[Tree]
) -> None:
    """On nodes that are gone: no longer, and only what is not tolerated anyway."""
    signed = pod(tolerations=[said])

    assert compare(signed, admitted(tolerations=[said, *added])) == ()
    for other in ([], TAINTS[:1], TAINTS[1:], TAINTS):
        if other != added:
            assert compare(signed, admitted(tolerations=[said, *other])) != ()
    for path, value in {"tolerationSeconds": 301, "effect": "NoSchedule"}.items():
        wrong = [{**one, path: value} for one in added]
        if wrong:
            assert compare(signed, admitted(tolerations=[said, *wrong])) != ()
