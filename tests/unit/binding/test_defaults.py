"""The server's defaults, by example; the real server judges them all elsewhere."""

import copy
from typing import Any

import pytest

from countersign.binding.defaults import DEFAULTS
from countersign.binding.normal_form import normal_form, written_form
from countersign.binding.tables import KINDS, TYPES
from countersign.binding.tree import find
from tests.support.trees import Tree, tree

_HOOKS = "admissionregistration.k8s.io/v1/"
_RULE = {"apiGroups": ["x"], "resources": ["y"]}
_HOOK = {"name": "a.b.c", "rules": [_RULE], "clientConfig": {"service": {"name": "s"}}}
_PARAMETERS = {"kind": "K", "name": "n"}

EXAMPLES: list[tuple[str, Tree, Tree]] = [
    (
        f"{_HOOKS}MutatingWebhookConfiguration",
        {"webhooks": [_HOOK]},
        {
            "/webhooks/0/failurePolicy": "Fail",
            "/webhooks/0/matchPolicy": "Equivalent",
            "/webhooks/0/namespaceSelector": {},
            "/webhooks/0/timeoutSeconds": 10,
            "/webhooks/0/reinvocationPolicy": "Never",
            "/webhooks/0/rules/0/scope": "*",
            "/webhooks/0/clientConfig/service/port": 443,
        },
    ),
    (
        f"{_HOOKS}ValidatingAdmissionPolicy",
        {"spec": {"matchConstraints": {"resourceRules": [_RULE]}}},
        {
            "/spec/failurePolicy": "Fail",
            "/spec/matchConstraints/objectSelector": {},
            "/spec/matchConstraints/resourceRules/0/scope": "*",
        },
    ),
    (
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
        {"spec": {"names": {"kind": "Widget", "plural": "widgets"}}},
        {
            "/spec/names/singular": "widget",
            "/spec/names/listKind": "WidgetList",
            "/spec/conversion": {"strategy": "None"},
        },
    ),
    (
        "apiregistration.k8s.io/v1/APIService",
        {"spec": {"service": {"name": "s"}}},
        {"/spec/service/port": 443},
    ),
    (
        "autoscaling/v1/HorizontalPodAutoscaler",
        {"spec": {"maxReplicas": 3}},
        {"/spec/minReplicas": 1, "/spec/targetCPUUtilizationPercentage": 80},
    ),
    (
        "certificates.k8s.io/v1/PodCertificateRequest",
        {"spec": {}},
        {"/spec/maxExpirationSeconds": 86400},
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration",
        {
            "spec": {
                "type": "Limited",
                "limited": {"limitResponse": {"type": "Queue", "queuing": {}}},
            }
        },
        {
            "/spec/limited/nominalConcurrencyShares": 30,
            "/spec/limited/lendablePercent": 0,
            "/spec/limited/limitResponse/queuing": {
                "queues": 64,
                "handSize": 8,
                "queueLengthLimit": 50,
            },
        },
    ),
    (
        "networking.k8s.io/v1/IngressClass",
        {"spec": {"parameters": _PARAMETERS}},
        {"/spec/parameters/scope": "Cluster"},
    ),
    (
        "resource.k8s.io/v1/ResourceClaim",
        {"spec": {"devices": {"requests": [{"exactly": {"tolerations": [{}]}}]}}},
        {
            "/spec/devices/requests/0/exactly/allocationMode": "ExactCount",
            "/spec/devices/requests/0/exactly/count": 1,
            "/spec/devices/requests/0/exactly/tolerations/0/operator": "Equal",
        },
    ),
    (
        "storage.k8s.io/v1/CSIDriver",
        {"spec": {}},
        {
            "/spec/attachRequired": True,
            "/spec/fsGroupPolicy": "ReadWriteOnceWithFSType",
            "/spec/volumeLifecycleModes": ["Persistent"],
        },
    ),
    (
        "v1/PersistentVolume",
        {"spec": {"hostPath": {"path": "/x"}}},
        {
            "/spec/persistentVolumeReclaimPolicy": "Retain",
            "/spec/volumeMode": "Filesystem",
            "/spec/hostPath/type": "",
        },
    ),
    (
        "v1/Node",
        {"spec": {"podCIDR": "10.0.0.0/24"}},
        {"/spec/podCIDRs": ["10.0.0.0/24"]},
    ),
]


def made(key: str, **fields: Any) -> Tree:
    """Return an object of a kind named as ``apiVersion/kind``."""
    version, _, kind = key.rpartition("/")
    return tree(kind, version, **fields)


@pytest.mark.parametrize(
    ("key", "said", "defaults"),
    EXAMPLES,
    ids=[f"{key.rpartition('/')[2]}" for key, _, _ in EXAMPLES],
)
def test_fills_in_what_the_server_would(key: str, said: Tree, defaults: Tree) -> None:
    """And adds nothing else: what is filled in is filled in for good."""
    form = normal_form(made(key, **said))

    assert {path: find(form, path) for path in defaults} == defaults
    assert normal_form(form) == form


def test_does_not_touch_what_is_said() -> None:
    """Least of all where a default would be the other choice."""
    spec = {"type": "Limited", "limited": {"nominalConcurrencyShares": 0}}
    level = made(
        "flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration", spec=spec
    )

    assert find(normal_form(level), "/spec/limited/nominalConcurrencyShares") == 0


def test_an_old_request_for_one_of_several_devices_has_no_count() -> None:
    """In v1beta1 a request is either for a class or for the first that is there."""
    sub = {"name": "s", "deviceClassName": "c"}
    requests = [{"name": "a", "firstAvailable": [sub]}, {"deviceClassName": "c"}]
    spec = {"devices": {"requests": requests}}
    form = normal_form(made("resource.k8s.io/v1beta1/ResourceClaim", spec=spec))
    first, second = form["spec"]["devices"]["requests"]

    assert first.keys() == {"name", "firstAvailable"}
    assert first["firstAvailable"][0]["count"] == second["count"] == 1


def test_a_volume_inside_an_attachment_is_no_volume_of_its_own() -> None:
    """SetDefaults_PersistentVolume is for the object, not for its specification."""
    volume = {"hostPath": {"path": "/x"}}
    spec = {"attacher": "x", "source": {"inlineVolumeSpec": volume}}
    form = normal_form(made("storage.k8s.io/v1/VolumeAttachment", spec=spec))

    assert form["spec"]["source"]["inlineVolumeSpec"] == {
        "hostPath": {"path": "/x", "type": ""}
    }


def test_what_version_one_shows_of_a_status_is_no_part_of_an_autoscaler() -> None:
    """Two annotations, by conversion; a metric in a third stands for the default."""
    alpha = "autoscaling.alpha.kubernetes.io/"
    key, spec = "autoscaling/v1/HorizontalPodAutoscaler", {"maxReplicas": 3}
    shown = {"annotations": {f"{alpha}conditions": "[]", f"{alpha}current-metrics": ""}}
    other = {"annotations": {f"{alpha}metrics": "[{}]"}}

    assert normal_form(made(key, spec=spec, metadata=shown)) == normal_form(
        made(key, spec=spec)
    )
    form = normal_form(made(key, spec=spec, metadata=other))
    assert form["metadata"]["annotations"] == other["annotations"]
    assert "targetCPUUtilizationPercentage" not in form["spec"]


@pytest.mark.parametrize("key", sorted(KINDS))
def test_an_empty_object_is_defaulted_once(key: str) -> None:
    """Of every kind: D after D is D, and N of it too."""
    form = normal_form(made(key))

    assert normal_form(form) == form
    assert written_form(form) == form


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_rule_fills_in_what_is_absent_only(name: str) -> None:
    """Applied twice it is applied once, to an empty value of its type too."""
    once: Tree = {}
    DEFAULTS[name](once)
    twice = copy.deepcopy(once)
    DEFAULTS[name](twice)

    assert twice == once
    assert once.keys() <= TYPES[name].keys()
