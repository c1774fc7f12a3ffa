"""What the server writes by itself: accepted where it must be so, and only there."""

from ipaddress import ip_network
from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.facts import (
    INGRESS_CLASSES,
    PRIORITY_CLASSES,
    STORAGE_CLASSES,
    ClusterFacts,
    facts_needed,
    limit_ranges,
    service_account,
)
from countersign.binding.match import match
from countersign.binding.tree import ABSENT
from countersign.core.types.artifacts import Difference
from tests.support.trees import Tree, deployment, having, pod, ref, service, tree

CIDRS = (ip_network("10.96.0.0/16"), ip_network("fd00::/108"))
ADDRESS = {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"]}
SINGLE = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
BOTH = {
    "clusterIP": "10.96.0.7",
    "clusterIPs": ["10.96.0.7", "fd00::7"],
    "ipFamilies": ["IPv4", "IPv6"],
}


def compare(manifest: Tree, observed: Tree, **how: Any) -> tuple[Difference, ...]:
    """Compare with what is known about a small cluster."""
    facts = ClusterFacts(service_cidrs=CIDRS, live=how.pop("live", {}))
    intent = canonical(manifest).tree
    return match(intent, observed, identity=ref(observed), facts=facts, **how)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ({}, {**ADDRESS, **SINGLE}),
        ({"ipFamilyPolicy": "PreferDualStack"}, BOTH),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4"]}, BOTH),
        ({"clusterIP": "10.96.0.7"}, {**ADDRESS, **SINGLE}),
        (
            {"clusterIP": "None", "selector": {"a": "b"}},
            {"clusterIPs": ["None"], **SINGLE},
        ),
        (
            {"clusterIP": "None"},
            {
                "clusterIPs": ["None"],
                "ipFamilies": ["IPv4", "IPv6"],
                "ipFamilyPolicy": "RequireDualStack",
            },
        ),
    ],
)
def test_cluster_addresses_are_allocated(said: Tree, seen: Tree) -> None:
    """From the ranges, as many as there are families, in their order."""
    assert compare(service(**said), service(**{**said, **seen})) == ()


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        pytest.param(
            {},
            {"clusterIP": "8.8.8.8", "clusterIPs": ["8.8.8.8"], **SINGLE},
            id="foreign",
        ),
        pytest.param(
            {}, {**ADDRESS, "clusterIPs": ["10.96.0.8"], **SINGLE}, id="two truths"
        ),
        pytest.param({}, {**BOTH, "ipFamilyPolicy": "SingleStack"}, id="one too many"),
        pytest.param({}, {**BOTH, "ipFamilyPolicy": "PreferDualStack"}, id="policy"),
        pytest.param({}, {**ADDRESS, **SINGLE, "ipFamilies": ["IPv6"]}, id="family"),
        pytest.param({}, {"clusterIP": "None", "clusterIPs": ["None"]}, id="headless"),
        pytest.param(
            {}, {"clusterIP": "x", "clusterIPs": ["x"], **SINGLE}, id="no address"
        ),
        pytest.param(
            {"ipFamilies": ["IPv6"]}, {**ADDRESS, **SINGLE}, id="signed family"
        ),
        pytest.param(
            {"clusterIP": "10.96.0.9"}, {**ADDRESS, **SINGLE}, id="another than signed"
        ),
        pytest.param(
            {"clusterIP": "fd00::7"},
            {"clusterIPs": ["fd00::7"], **SINGLE},
            id="another family than the address",
        ),
        pytest.param(
            {"clusterIP": "None", "selector": {"a": "b"}},
            {**ADDRESS, **SINGLE},
            id="an address for a headless one",
        ),
        pytest.param(
            {}, {**ADDRESS, **SINGLE, "externalIPs": ["1.2.3.4"]}, id="capture"
        ),
        pytest.param(
            {}, {**ADDRESS, **SINGLE, "loadBalancerIP": "1.2.3.4"}, id="balancer"
        ),
        pytest.param(
            {"type": "ExternalName", "externalName": "a.example"},
            {**ADDRESS, **SINGLE},
            id="an address for a name",
        ),
    ],
)
def test_other_addresses_are_changes(said: Tree, seen: Tree) -> None:
    """Whoever chooses where traffic goes changes the Service."""
    assert compare(service(**said), service(**{**said, **seen})) != ()


@pytest.mark.parametrize(
    ("spec", "port", "dry_run", "accepted"),
    [
        ({"type": "NodePort"}, 30000, False, True),
        ({"type": "NodePort"}, 32767, False, True),
        ({"type": "NodePort"}, 32768, False, False),
        ({"type": "NodePort"}, 32768, True, True),
        ({"type": "NodePort"}, 22, True, False),
        ({"type": "LoadBalancer"}, 30001, False, True),
        (
            {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False},
            30001,
            False,
            False,
        ),
        ({}, 30001, False, False),
    ],
)
def test_node_ports_come_from_the_range(
    *, spec: Tree, port: int, dry_run: bool, accepted: bool
) -> None:
    """And only for types that have some; a dry-run shows dummies above the range."""
    seen = {**spec, **ADDRESS, **SINGLE, "ports": [{"port": 80, "nodePort": port}]}

    assert (
        compare(service(**spec), service(**seen), dry_run=dry_run) == ()
    ) is accepted


def test_a_service_keeps_what_it_was_given() -> None:
    """On UPDATE the old address must stay; any other, even of the range, is a change."""
    old = service(**ADDRESS, **SINGLE)
    moved = service(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"], **SINGLE)

    assert compare(service(), old, old=old) == ()
    assert compare(service(), moved, old=old) != ()
    assert compare(service(), moved) == ()


def job(uid: str = "u-1", **labels: str) -> Tree:
    """Return a Job as the server shows it."""
    template = {"metadata": {"labels": labels}} if labels else {}
    made = tree("Job", "batch/v1", spec={"template": template})
    return having(made, "/metadata/uid", uid) if uid else made


def labelled(uid: str, name: str = "it", **labels: str) -> Tree:
    """Return a Job with the labels that the server generates."""
    generated = {
        "controller-uid": uid,
        "batch.kubernetes.io/controller-uid": uid,
        "job-name": name,
        "batch.kubernetes.io/job-name": name,
    }
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    made = job("u-1", **labels, **generated)
    return having(made, "/spec/selector", selector)


def test_a_job_selects_its_own_pods() -> None:
    """The labels are checked against the object's own uid and name."""
    assert compare(job(""), labelled("u-1")) == ()
    assert compare(job(""), labelled("u-2")) != ()
    assert compare(job(""), labelled("u-1", name="other")) != ()
    assert compare(job(""), labelled("u-1", extra="x")) != ()
    assert compare(job(""), having(labelled("ABSENT"), "/metadata/uid", ABSENT)) != ()


def token_volume(name: str = "kube-api-access-b2c4d") -> Tree:
    """Return the volume that the ServiceAccount plugin adds."""
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "name": name,
        "projected": {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {
                    "configMap": {
                        "name": "kube-root-ca.crt",
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
            ],
        },
    }


def admitted_pod(volume: Tree | None = None, **spec: Any) -> Tree:
    """Return the Pod as the server shows it."""
    found = token_volume() if volume is None else volume
    mount = {
        "name": found["name"],
        "readOnly": True,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    }
    container = {"name": "main", "image": "app:1", "volumeMounts": [mount]}
    tolerations = [
        {
            "key": f"node.kubernetes.io/{taint}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        for taint in ("not-ready", "unreachable")
    ]
    return pod(
        **{
            "containers": [container],
            "volumes": [found],
            "serviceAccountName": "default",
            "priority": 0,
            "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": tolerations,
            **spec,
        }
    )


def test_a_pod_gets_its_token_tolerations_and_priority() -> None:
    """Exactly what the plugins write."""
    assert compare(pod(), admitted_pod()) == ()


@pytest.mark.parametrize(
    "observed",
    [
        pytest.param(
            admitted_pod({"name": "kube-api-access-b2c4d", "hostPath": {"path": "/"}}),
            id="the host under the token's name",
        ),
        pytest.param(admitted_pod(token_volume("kube-api-access-evil")), id="its name"),
        pytest.param(
            having(
                admitted_pod(),
                "/spec/volumes/0/projected/sources/0/serviceAccountToken/audience",
                "elsewhere",
            ),
            id="a token for somebody else",
        ),
        pytest.param(
            having(
                admitted_pod(),
                "/spec/volumes/0/projected/sources/1/configMap/name",
                "x",
            ),
            id="another authority",
        ),
        pytest.param(
            having(admitted_pod(), "/spec/containers/0/volumeMounts/0/readOnly", False),  # noqa: FBT003
            id="writable",
        ),
        pytest.param(admitted_pod(serviceAccountName="admin"), id="another account"),
        pytest.param(admitted_pod(priority=1), id="another priority"),
        pytest.param(
            admitted_pod(tolerations=[{"operator": "Exists"}]), id="tolerations"
        ),
        pytest.param(admitted_pod(nodeName="n-1"), id="a node, on CREATE"),
        pytest.param(admitted_pod(imagePullSecrets=[{"name": "x"}]), id="pull secrets"),
        pytest.param(admitted_pod(overhead={"cpu": "1"}), id="overhead"),
    ],
)
def test_a_pod_gets_nothing_else(observed: Tree) -> None:
    """Content counts, not names: these were ways round other gates."""
    assert compare(pod(), observed) != ()


def test_a_volume_under_the_tokens_name_is_never_taken_for_it() -> None:
    """The plugin would mount it into every container; we let nothing be mounted."""
    volume = {"name": "kube-api-access-b2c4d", "hostPath": {"path": "/", "type": ""}}

    assert compare(pod(volumes=[volume]), admitted_pod(volume)) != ()


def test_a_pod_without_a_token_needs_none() -> None:
    """The Pod's word, or its account's, which is looked up."""
    bare = having(admitted_pod(), "/spec/volumes", [])
    bare = having(bare, "/spec/containers/0/volumeMounts", [])
    account = {
        service_account("here", "default"): ({"automountServiceAccountToken": False},)
    }
    unmounted = {"automountServiceAccountToken": False}
    said = {**bare, "spec": {**bare["spec"], **unmounted}}

    assert compare(pod(**unmounted), said) == ()
    assert compare(pod(), bare, live=account) == ()
    assert compare(pod(), admitted_pod(), live=account) != ()


def test_asks_only_for_what_it_needs() -> None:
    """Most kinds need nothing, so that most requests cost no lookup."""
    claim = tree("PersistentVolumeClaim", spec={})
    ingress = tree("Ingress", "networking.k8s.io/v1")

    assert facts_needed(deployment(), "here") == frozenset()
    assert facts_needed(claim, "here") == {STORAGE_CLASSES}
    assert facts_needed(ingress, "here") == {INGRESS_CLASSES}
    for version in ("v1alpha3", "v1beta1"):
        group = tree("PodGroup", f"scheduling.k8s.io/{version}")
        assert facts_needed(group, "here") == {PRIORITY_CLASSES}
    assert facts_needed(pod(serviceAccountName="app"), "here") == {
        service_account("here", "app"),
        limit_ranges("here"),
        PRIORITY_CLASSES,
    }


OLD = service(**ADDRESS, **SINGLE)
TWO = service(**BOTH, ipFamilyPolicy="PreferDualStack")


@pytest.mark.parametrize(
    ("said", "seen", "old", "accepted"),
    [
        pytest.param({"ipFamilyPolicy": "PreferDualStack"}, TWO, OLD, True, id="grows"),
        pytest.param(
            {"ipFamilyPolicy": "PreferDualStack"},
            having(TWO, "/spec/clusterIPs/1", "fe80::1"),
            OLD,
            False,
            id="grows elsewhere",
        ),
        pytest.param(
            {"ipFamilyPolicy": "PreferDualStack"},
            having(TWO, "/spec/clusterIPs/0", "10.96.0.8"),
            OLD,
            False,
            id="grows and moves",
        ),
        pytest.param({"ipFamilyPolicy": "SingleStack"}, OLD, TWO, True, id="shrinks"),
        pytest.param(
            {"ipFamilyPolicy": "SingleStack"},
            service(**{**ADDRESS, "clusterIP": "10.96.0.9"}, **SINGLE),
            TWO,
            False,
            id="shrinks elsewhere",
        ),
        pytest.param({}, TWO, TWO, True, id="stays double"),
        pytest.param({}, OLD, TWO, False, id="shrinks unasked"),
        pytest.param({}, TWO, OLD, False, id="grows unasked"),
        pytest.param({"clusterIP": "10.96.0.7"}, TWO, TWO, True, id="the first said"),
    ],
)
def test_a_service_gains_and_loses_a_family(
    said: Tree, seen: Tree, old: Tree, *, accepted: bool
) -> None:
    """As its signed policy says; the first address is there for good."""
    assert (compare(service(**said), seen, old=old) == ()) is accepted


@pytest.mark.parametrize(
    ("ports", "accepted"),
    [((30001, 30001, 30002), True), ((30001, 30002, 30003), False)],
)
def test_ports_of_one_number_share_a_node_port(
    ports: tuple[int, ...], *, accepted: bool
) -> None:
    """As of TCP and UDP; only when a Service is made."""
    said = [
        {"name": "a", "port": 80},
        {"name": "b", "port": 80, "protocol": "UDP"},
        {"name": "c", "port": 81},
    ]
    shown = [{**port, "nodePort": node} for port, node in zip(said, ports, strict=True)]
    seen = service(type="NodePort", **ADDRESS, **SINGLE, ports=shown)

    assert (compare(service(type="NodePort", ports=said), seen) == ()) is accepted


def test_a_balancer_without_node_ports_may_keep_those_it_had() -> None:
    """An apply leaves them, a PUT gives them up; others are a change."""
    how = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}
    port = {"port": 80, "nodePort": 30001}
    old = service(type="LoadBalancer", **ADDRESS, **SINGLE, ports=[port])
    kept = service(**how, **ADDRESS, **SINGLE, ports=[port])
    other = having(kept, "/spec/ports/0/nodePort", 30002)

    assert compare(service(**how), kept, old=old) == ()
    assert compare(service(**how), service(**how, **ADDRESS, **SINGLE), old=old) == ()
    assert compare(service(**how), other, old=old) != ()
    assert compare(service(**how), kept) != ()


def test_what_a_type_has_goes_with_it() -> None:
    """Node ports and the port of health checks, unless they are said."""
    local = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    port = {"port": 80, "nodePort": 30001}
    given = {**ADDRESS, **SINGLE, "ports": [port]}
    old = service(**local, healthCheckNodePort=31000, **given)
    same = service(**local, **given)
    other = service(type="LoadBalancer", externalTrafficPolicy="Cluster", **given)
    inside = service(**ADDRESS, **SINGLE, internalTrafficPolicy="Cluster")

    assert compare(service(**local), old, old=old) == ()
    assert compare(service(**local), same, old=old) != ()
    assert compare(service(type="LoadBalancer"), other, old=old) == ()
    checked = having(other, "/spec/healthCheckNodePort", 31000)
    assert compare(service(type="LoadBalancer"), checked, old=old) != ()
    assert compare(service(), inside, old=old) == ()
    still = having(inside, "/spec/ports", [port])
    assert compare(service(), still, old=old) != ()
