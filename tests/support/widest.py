"""What an attacker with the widest rights would do to the gate, and what all others do.

Requests against a cluster that `furnish` made ready; each may be sent as a dry run.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.apiserver import JSON, MERGE_PATCH
from tools.controlplane import ControlPlane
from tools.stack.chart import OWN_NAMESPACE as OWN

Tree = dict[str, Any]

CRDS = Path(__file__).parents[2] / "manifests" / "crds"
_API = "/apis/admissionregistration.k8s.io/v1"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_OURS = f"/api/v1/namespaces/{OWN}"
_SYSTEM = "/api/v1/namespaces/kube-system"
_APPS = f"/apis/apps/v1/namespaces/{OWN}"
_TOKEN: Tree = {"spec": {"audiences": []}}
_POD: Tree = {"containers": [{"name": "it", "image": "it"}]}
_CONTROLLER = "deployment-controller"


class Attack(NamedTuple):
    """One request.

    Attributes:
        nobodys: Not even who installs may.
    """

    method: str
    path: str
    body: Tree | None = None
    sort: str = JSON
    nobodys: bool = False


def _case(name: str, attack: Attack) -> Any:
    return pytest.param(attack, id=name)


def _named(name: str, **more: Any) -> Tree:
    return {"metadata": {"name": name}, **more}


_OPEN: Tree = {
    "webhooks": [{"name": "objects.countersign.dev", "failurePolicy": "Ignore"}]
}
_TOKEN_SECRET: Tree = {
    "type": "kubernetes.io/service-account-token",
    "metadata": {
        "name": "a-token",
        "annotations": {"kubernetes.io/service-account.name": _CONTROLLER},
    },
}
_TAKEN_OVER: Tree = {
    "metadata": {"name": "v1alpha1.countersign.dev"},
    "spec": {
        "group": "countersign.dev",
        "version": "v1alpha1",
        "groupPriorityMinimum": 20000,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"name": "evil", "namespace": "default"},
    },
}

DEFINITIONS = [
    _case("delete a CRD", Attack("DELETE", f"{_DEFINITIONS}/rosters.countersign.dev")),
    _case("delete all CRDs", Attack("DELETE", _DEFINITIONS)),
    _case(
        "serve a CRD no more",
        Attack(
            "PATCH",
            f"{_DEFINITIONS}/rosters.countersign.dev",
            {
                "spec": {"preserveUnknownFields": False},
                "metadata": {"labels": {"a": "b"}},
            },
            MERGE_PATCH,
        ),
    ),
    _case(
        "say that its names are taken",
        Attack(
            "PATCH",
            f"{_DEFINITIONS}/rosters.countersign.dev/status",
            {"status": {"acceptedNames": {"plural": "x", "kind": "X"}}},
            MERGE_PATCH,
        ),
    ),
    _case(
        "serve our group from elsewhere",
        Attack(
            "PATCH",
            "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.countersign.dev",
            _TAKEN_OVER,
            MERGE_PATCH,
        ),
    ),
]
REGISTRATION = [
    _case(
        "delete the registration",
        Attack("DELETE", f"{_API}/validatingwebhookconfigurations/countersign"),
    ),
    _case(
        "delete all registrations",
        Attack("DELETE", f"{_API}/validatingwebhookconfigurations"),
    ),
    _case(
        "ignore failures",
        Attack(
            "PATCH",
            f"{_API}/validatingwebhookconfigurations/countersign",
            {"webhooks": []},
            MERGE_PATCH,
        ),
    ),
]
NAMESPACE = [
    _case("delete the namespace", Attack("DELETE", f"/api/v1/namespaces/{OWN}")),
    _case(
        "label the namespace",
        Attack(
            "PATCH",
            f"/api/v1/namespaces/{OWN}",
            {"metadata": {"labels": {"a": "b"}}},
            MERGE_PATCH,
        ),
    ),
    _case(
        "another webhook's Pod",
        Attack("POST", f"{_OURS}/pods", _named("evil", spec=_POD)),
    ),
    _case(
        "another Deployment",
        Attack(
            "POST",
            f"{_APPS}/deployments",
            _named(
                "evil",
                spec={
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {"metadata": {"labels": {"a": "b"}}, "spec": _POD},
                },
            ),
        ),
    ),
    _case(
        "the Service leads elsewhere",
        Attack(
            "PATCH",
            f"{_OURS}/services/countersign",
            {"spec": {"selector": {"app": "evil"}}},
            MERGE_PATCH,
        ),
    ),
    _case(
        "other endpoints",
        Attack(
            "POST",
            f"/apis/discovery.k8s.io/v1/namespaces/{OWN}/endpointslices",
            _named("evil", addressType="IPv4", endpoints=[{"addresses": ["10.9.9.9"]}]),
        ),
    ),
    _case("another certificate", Attack("DELETE", f"{_OURS}/secrets/countersign-tls")),
    _case("all secrets go", Attack("DELETE", f"{_OURS}/secrets")),
    _case(
        "other objects to begin with",
        Attack("POST", f"{_OURS}/configmaps", _named("evil", data={"a": "b"})),
    ),
]
KEYS = [
    _case(
        "a controller's token",
        Attack(
            "POST",
            f"{_SYSTEM}/serviceaccounts/{_CONTROLLER}/token",
            _TOKEN,
            JSON,
            nobodys=True,
        ),
    ),
    _case(
        "a controller's token in a Secret",
        Attack("POST", f"{_SYSTEM}/secrets", _TOKEN_SECRET, JSON, nobodys=True),
    ),
    _case(
        "a Pod as a controller",
        Attack(
            "POST",
            f"{_SYSTEM}/pods",
            _named("evil", spec={**_POD, "serviceAccountName": _CONTROLLER}),
            JSON,
            nobodys=True,
        ),
    ),
]
ATTACKS = [*DEFINITIONS, *REGISTRATION, *NAMESPACE, *KEYS]

HONEST = [
    _case("a token", Attack("POST", f"{_SYSTEM}/serviceaccounts/other/token", _TOKEN)),
    _case("a Pod", Attack("POST", f"{_SYSTEM}/pods", _named("it", spec=_POD))),
    _case("a Secret", Attack("POST", f"{_SYSTEM}/secrets", _named("it"))),
    _case(
        "a registration of others",
        Attack("POST", f"{_API}/validatingwebhookconfigurations", _named("others")),
    ),
    _case(
        "a namespace of others",
        Attack(
            "PATCH",
            "/api/v1/namespaces/default",
            {"metadata": {"labels": {"a": "b"}}},
            MERGE_PATCH,
        ),
    ),
    _case(
        "evidence in our namespace",
        Attack("DELETE", f"/apis/countersign.dev/v1alpha1/namespaces/{OWN}/bundlesets"),
    ),
]


INSTALLER = "ina"
"""Who may do what nobody else may. Like all others here, RBAC lets her do anything."""


def furnish(plane: ControlPlane) -> None:
    """Put in what the attacks are about, as who installs."""
    installer = plane.user(INSTALLER, ("system:masters",))
    plane.kubectl("apply", "-f", CRDS).check()
    plane.kubectl("wait", "--for=condition=Established", "-f", CRDS).check()
    plane.create_namespace(OWN)
    for name in (_CONTROLLER, "other"):
        plane.kubectl("create", "serviceaccount", name, "-n", "kube-system")
    objects: list[Tree] = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "countersign", "namespace": OWN},
            "spec": {"ports": [{"port": 443}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "countersign-tls", "namespace": OWN},
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "countersign"},
        },
    ]
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    plane.kubectl("apply", "-f", "-", stdin=listed, user=installer).check()
