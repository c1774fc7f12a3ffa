"""Lints of manifests: what is said, and what is not."""

import base64
import copy
import json
from typing import Any

import pytest

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Cause
from countersign.faces.cli.sheet import lint_line
from countersign.usecases.lint_manifests import manifest_lints, sticking
from countersign.usecases.prepare import Prepared, prepare
from tests.support import chart

MAIN = "/spec/template/spec/containers/0"


def prepared(*trees: Any) -> tuple[Prepared, ...]:
    """Return the objects as they would be signed."""
    return prepare(trees, namespace="payments", salt=lambda: b"s" * 32)


def lines(*trees: Any) -> list[str]:
    """Return what a person is told."""
    return [lint_line(each) for each in sorted(manifest_lints(prepared(*trees)))]


def deployment(**container: Any) -> chart.Tree:
    """Return a Deployment whose container has these fields, too."""
    tree = chart.deployment("web")
    tree["spec"]["template"]["spec"]["containers"][0] |= container
    return tree


def policy(**spec: Any) -> chart.Tree:
    """Return a NetworkPolicy."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "web"},
        "spec": {"podSelector": {}, **spec},
    }


def secret(value: str, **labels: str) -> chart.Tree:
    """Return a Secret with a password."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "web", "labels": labels},
        "data": {"password": base64.b64encode(value.encode()).decode()},
    }


def scaler(name: str = "web") -> chart.Tree:
    """Return an autoscaler."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": name,
            },
            "minReplicas": 2,
            "maxReplicas": 9,
        },
    }


WEB = "payments/Deployment/web"
TWICE = [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}]
GOLDEN = {
    "a feature that is off": (
        [deployment(volumeMounts=[{"name": "v", "mountPath": "/v", "bindMountOptions": ["noexec"]}])],
        [
            (f"{WEB}: {MAIN}/volumeMounts/0/bindMountOptions is dropped in silence by a "
            "server whose feature gate is off: take it out, or be sure that it is on: "
            "VolumeBindMountOptions"),
            (f"{WEB}: {MAIN}/volumeMounts/0/bindMountOptions is dropped in silence by older "
            "servers: take it out if yours is one of: 1.34, 1.35, 1.36"),
        ],
    ),
    "one name twice": (
        [deployment(env=TWICE)],
        [f"{WEB}: {MAIN}/env/2 is there twice, of which apply keeps one: rename or remove: A"],
    ),
    "one port twice": (
        [deployment(ports=[{"containerPort": 80}, {"containerPort": 80, "name": "x"}])],
        [f"{WEB}: {MAIN}/ports/1 is there twice, of which apply keeps one: rename or remove: 80"],
    ),
    "egress and no types": (
        [policy(ingress=[{}], egress=[{}])],
        [
            ("payments/NetworkPolicy/web: /spec/policyTypes is left out, and will not follow "
            'where an older state is updated: write it: ["Ingress", "Egress"]')
        ],
    ),
    "an autoscaler": (
        [deployment(), scaler()],
        [
            (f"{WEB}: /spec/replicas is taken back by each apply from an autoscaler of this "
            "change: leave it out")
        ],
    ),
    "a version that is new": (
        [{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": "web"}}],
        [
            ("MutatingAdmissionPolicy/web: is of an API version that older servers do not "
            "serve: 1.34, 1.35")
        ],
    ),
    "latest": (
        [deployment(image="ghcr.io/acme/web:latest")],
        [
            (f"{WEB}: runs an image whose tag moves: name a version, better a digest: "
            "ghcr.io/acme/web:latest")
        ],
    ),
    "no tag": (
        [deployment(image="ghcr.io/acme/web")],
        [
            (f"{WEB}: runs an image whose tag moves: name a version, better a digest: "
            "ghcr.io/acme/web")
        ],
    ),
    "too large": (
        [chart.config_map("web", blob="x" * 270_000)],
        [
            ("payments/ConfigMap/web: /metadata/annotations is too large for kubectl apply on "
            "the client's side (256 KiB with its copy): use --server-side; bytes: 270122")
        ],
    ),
    "a made up password": (
        [secret("kJ8sdFh2Qa", **{"helm.sh/chart": "web-1"})],
        [
            ("payments/Secret/web: /data/password looks made up at each rendering: sign and "
            "apply the same rendered file, or set the value")
        ],
    ),
}  # fmt: skip
CLEAN = {
    "a chart": chart.everything("web"),
    "a chosen password": [secret("correct horse", **{"helm.sh/chart": "web-1"})],
    "a password that no chart renders": [secret("kJ8sdFh2Qa")],
    "types that are written": [policy(egress=[{}], policyTypes=["Egress"])],
    "another autoscaler": [deployment(), scaler("other")],
    "one port by two protocols": [
        deployment(
            ports=[
                {"containerPort": 53, "protocol": "UDP"},
                {"containerPort": 53, "protocol": "TCP"},
            ]
        )
    ],
}


@pytest.mark.parametrize("case", GOLDEN)
def test_what_is_said(case: str) -> None:
    """Where, what is wrong, and what to do; no value of a Secret."""
    trees, expected = GOLDEN[case]

    found = lines(*copy.deepcopy(trees))

    if case == "too large":
        found = [line.rpartition(": ")[0] for line in found]
        expected = [line.rpartition(": ")[0] for line in expected]
    assert found == expected


@pytest.mark.parametrize("case", CLEAN)
def test_what_is_well_is_left_alone(case: str) -> None:
    """A lint that cries wolf is turned off."""
    assert lines(*CLEAN[case]) == []


def test_a_number_that_is_left_to_an_autoscaler_is_well() -> None:
    """Its range is signed with it: there is nothing to sign besides."""
    tree = deployment()
    del tree["spec"]["replicas"]

    assert lines(tree, scaler()) == []


def live(tree: Any, **spec: Any) -> Any:
    """Return what stands there after an apply of `tree`, with these written by others."""
    noted = "kubectl.kubernetes.io/last-applied-configuration"
    metadata = {
        **tree["metadata"],
        "namespace": "payments",
        "uid": "u",
        "annotations": {noted: json.dumps(tree)},
    }
    return {**tree, "metadata": metadata, "spec": {**tree["spec"], **spec}}


def test_what_an_apply_leaves() -> None:
    """The default of before stays, and egress would not be enforced."""
    before = live(policy(ingress=[{}]), policyTypes=["Ingress"])
    (one,) = prepared(policy(ingress=[{}], egress=[{}]))

    (found,) = sticking(one, before, ())

    assert (found.path, found.cause) == ("/spec/policyTypes", Cause.UNWRITTEN)
    assert found.expected == '["Ingress", "Egress"]'


def test_nothing_is_left_of_what_is_written() -> None:
    """As the advice has it; nor of what is not there yet."""
    before = live(policy(ingress=[{}]), policyTypes=["Ingress"])
    (one,) = prepared(policy(egress=[{}], policyTypes=["Ingress", "Egress"]))

    assert sticking(one, before, ()) == ()
    assert sticking(one, None, ()) == ()


def test_a_namespace_on_what_lives_in_none_is_named() -> None:
    """It is no part of what is signed: the object is the whole cluster's."""
    (line,) = lines(with_field("Namespace:metadata.namespace", "x"))

    assert "dropped in silence" in line
    assert "/metadata/namespace" in line
    assert lines(with_field("Namespace:kind", "Namespace")) == []


def with_field(path: str, value: object) -> Any:
    """Return a Deployment, or the kind before a colon, with a field at a place."""
    kind, _, where = path.rpartition(":")
    tree: Any = deployment()
    if kind:
        tree = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "web"}}
    *above, last = where.split(".")
    place = tree
    for key in above:
        place = place[key]
    place[last] = value
    return tree


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("spec.replicas", 2**53, "/spec/replicas: expected an integer of at most 2.53"),
        ("spec.replica", 1, "/spec/replica: unknown field"),
        ("metadata.uid", "u", "/metadata/uid: owned by the server; remove it"),
        ("metadata.managedFields", [], "/metadata/managedFields: owned by the server"),
        ("status", {"replicas": 1}, "/status: owned by the server"),
    ],
)
def test_what_can_never_be_signed_is_refused_with_its_place(
    path: str, value: object, said: str
) -> None:
    """An error, since nothing could be admitted on it."""
    with pytest.raises(Malformed, match=said):
        prepared(with_field(path, value))
