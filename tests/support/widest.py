"""What an attacker with the widest rights would do to the gate, and what all others do.

Requests against a cluster that `furnished` made ready; each may be sent as a dry run.
"""

from typing import Any, NamedTuple

import pytest

from tests.support.apiserver import JSON, MERGE_PATCH
from tools.stack.chart import OWN_NAMESPACE as OWN

Tree = dict[str, Any]

API = "/apis/admissionregistration.k8s.io/v1"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OURS = f"/api/v1/namespaces/{OWN}"
SYSTEM = "/api/v1/namespaces/kube-system"
_APPS = f"/apis/apps/v1/namespaces/{OWN}"
TOKEN: Tree = {"spec": {"audiences": []}}
POD: Tree = {"containers": [{"name": "it", "image": "it"}]}
_CONTROLLER = "deployment-controller"


class Attack(NamedTuple):
    """One request.

    Attributes:
        nobodys: Not even who installs may.
        user: As whom. RBAC lets all of them do anything.
        group: Of the user besides.
    """

    method: str
    path: str
    body: Tree | None = None
    sort: str = JSON
    nobodys: bool = False
    user: str = "mallory"
    group: str = "system:authenticated"


def case(name: str, attack: Attack) -> Any:
    """Return one case of a parametrised test."""
    return pytest.param(attack, id=name)


def named(name: str, **more: Any) -> Tree:
    """Return an object; its kind is the path's."""
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
    case("delete a CRD", Attack("DELETE", f"{_DEFINITIONS}/rosters.countersign.dev")),
    case("delete all CRDs", Attack("DELETE", _DEFINITIONS)),
    case(
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
    case(
        "say that its names are taken",
        Attack(
            "PATCH",
            f"{_DEFINITIONS}/rosters.countersign.dev/status",
            {"status": {"acceptedNames": {"plural": "x", "kind": "X"}}},
            MERGE_PATCH,
        ),
    ),
    case(
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
    case(
        "delete the registration",
        Attack("DELETE", f"{API}/validatingwebhookconfigurations/countersign"),
    ),
    case(
        "delete all registrations",
        Attack("DELETE", f"{API}/validatingwebhookconfigurations"),
    ),
    case(
        "ignore failures",
        Attack(
            "PATCH",
            f"{API}/validatingwebhookconfigurations/countersign",
            {"webhooks": []},
            MERGE_PATCH,
        ),
    ),
]
NAMESPACE = [
    case("delete the namespace", Attack("DELETE", f"/api/v1/namespaces/{OWN}")),
    case(
        "label the namespace",
        Attack(
            "PATCH",
            f"/api/v1/namespaces/{OWN}",
            {"metadata": {"labels": {"a": "b"}}},
            MERGE_PATCH,
        ),
    ),
    case(
        "another webhook's Pod",
        Attack("POST", f"{OURS}/pods", named("evil", spec=POD)),
    ),
    case(
        "another Deployment",
        Attack(
            "POST",
            f"{_APPS}/deployments",
            named(
                "evil",
                spec={
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD},
                },
            ),
        ),
    ),
    case(
        "the Service leads elsewhere",
        Attack(
            "PATCH",
            f"{OURS}/services/countersign",
            {"spec": {"selector": {"app": "evil"}}},
            MERGE_PATCH,
        ),
    ),
    case(
        "other endpoints",
        Attack(
            "POST",
            f"/apis/discovery.k8s.io/v1/namespaces/{OWN}/endpointslices",
            named("evil", addressType="IPv4", endpoints=[{"addresses": ["10.9.9.9"]}]),
        ),
    ),
    case("another certificate", Attack("DELETE", f"{OURS}/secrets/countersign-tls")),
    case("all secrets go", Attack("DELETE", f"{OURS}/secrets")),
    case(
        "other objects to begin with",
        Attack("POST", f"{OURS}/configmaps", named("evil", data={"a": "b"})),
    ),
]
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OWN}/leases"
_OWNERS: Tree = {
    "metadata": {
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "Pod", "name": "gone", "uid": "gone"}
        ]
    }
}
REPORTS = f"/apis/openreports.io/v1alpha1/namespaces/{OWN}/reports"
OF_US: Tree = {"labels": {"app.kubernetes.io/managed-by": "countersign"}}


def report(name: str, **about: Any) -> Tree:
    """Return a report; of a custom kind, which it has to name."""
    kind = {"apiVersion": "openreports.io/v1alpha1", "kind": "Report"}
    return {**kind, "metadata": {"name": name, **about}}


TOLD = [
    case(
        "the Lease is stolen",
        Attack(
            "PATCH",
            f"{LEASE}/countersign-operate",
            {"spec": {"holderIdentity": "me", "leaseDurationSeconds": 999_999}},
            MERGE_PATCH,
        ),
    ),
    case("the Lease goes", Attack("DELETE", LEASE)),
    case(
        "a token of the operator",
        Attack("POST", f"{OURS}/serviceaccounts/countersign-operate/token", TOKEN),
    ),
    case(
        "a Pod is chosen a node for",
        Attack(
            "POST",
            f"{OURS}/pods/serve/binding",
            named("serve", target={"kind": "Node", "name": "evil"}),
        ),
    ),
    case(
        "a Pod is taken out of the Service through its status",
        Attack(
            "PATCH",
            f"{OURS}/pods/serve/status",
            {"metadata": {"labels": {"app": "nothing"}}},
            MERGE_PATCH,
        ),
    ),
    case(
        "the garbage collector is given the Deployment through its status",
        Attack("PATCH", f"{_APPS}/deployments/serve/status", _OWNERS, MERGE_PATCH),
    ),
    case(
        "the namespace is labelled through its status",
        Attack(
            "PATCH",
            f"/api/v1/namespaces/{OWN}/status",
            {"metadata": {"labels": {"a": "b"}}},
            MERGE_PATCH,
        ),
    ),
    case(
        "the namespace may go without what is in it",
        Attack(
            "PUT",
            f"/api/v1/namespaces/{OWN}/finalize",
            named(OWN, spec={"finalizers": []}),
        ),
    ),
    case(
        "a forged report",
        Attack("POST", REPORTS, report("payments", **OF_US)),
    ),
    case(
        "a report is nobody's",
        Attack(
            "PATCH",
            f"{REPORTS}/ledger",
            {"metadata": {"labels": None}},
            MERGE_PATCH,
        ),
    ),
]
APPROVED: Tree = {
    "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "a"}]}
}
_NO_CONTROLLER = "system:serviceaccount:kube-system:evil"
_EVIL_SLICE = named("evil", addressType="IPv4", endpoints=[{"addresses": ["10.9.9.9"]}])
IDENTITIES = [
    case(
        f"{what} as an account beside the controllers'",
        Attack("POST", path, body, user=_NO_CONTROLLER),
    )
    for what, path, body in (
        ("a Pod", f"{OURS}/pods", named("evil", spec=POD)),
        ("a ConfigMap", f"{OURS}/configmaps", named("evil")),
        (
            "endpoints",
            f"/apis/discovery.k8s.io/v1/namespaces/{OWN}/endpointslices",
            _EVIL_SLICE,
        ),
    )
] + [
    case(
        "a certificate of a controller",
        Attack(
            "PATCH",
            "/apis/certificates.k8s.io/v1/certificatesigningrequests/evil/approval",
            APPROVED,
            MERGE_PATCH,
        ),
    ),
    case(
        "a token of the operator in a Secret, as who issues certificates",
        Attack(
            "POST",
            f"{OURS}/secrets",
            {
                "type": "kubernetes.io/service-account-token",
                "metadata": {
                    "name": "a-token",
                    "annotations": {
                        "kubernetes.io/service-account.name": "countersign-operate"
                    },
                },
            },
            user="system:serviceaccount:cert-manager:cert-manager",
        ),
    ),
]
KEYS = [
    case(
        "a controller's token",
        Attack(
            "POST",
            f"{SYSTEM}/serviceaccounts/{_CONTROLLER}/token",
            TOKEN,
            JSON,
            nobodys=True,
        ),
    ),
    case(
        "a controller's token in a Secret",
        Attack("POST", f"{SYSTEM}/secrets", _TOKEN_SECRET, JSON, nobodys=True),
    ),
    case(
        "a Pod as a controller",
        Attack(
            "POST",
            f"{SYSTEM}/pods",
            named("evil", spec={**POD, "serviceAccountName": _CONTROLLER}),
            JSON,
            nobodys=True,
        ),
    ),
]
ATTACKS = [*DEFINITIONS, *REGISTRATION, *NAMESPACE, *TOLD, *IDENTITIES, *KEYS]
