"""Guards inside the API server, against an attacker whom RBAC lets do anything.

The policies are those that real helm renders; the webhook is not even there.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from countersign.binding.backstops import accounts
from tests.support.apiserver import JSON
from tests.support.direct import Direct
from tests.support.furnished import INSTALLER, Crowd, furnish
from tests.support.harmless import HONEST
from tests.support.widest import ATTACKS, OURS, Attack, named
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.stack import chart, policies
from tools.stack.ready import until

Tree = dict[str, Any]

_VALUES = {
    **policies.VALUES,
    "backstops": {"installers": {"users": [INSTALLER, "o'hara"]}},
    "tls": {
        "secretName": "webhook",
        "caBundle": "it",
        "certManager": {"name": "issuer"},
    },
}
_KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    with controlplane.running() as plane:
        plane.binaries |= controlplane.ensure()
        yield plane


@pytest.fixture(scope="module", name="guarded")
def _guarded(plane: ControlPlane) -> ControlPlane:
    """Apply what helm renders, and wait until it is in force."""
    furnish(plane)
    rendered = chart.render(plane, _VALUES)
    items = [tree for tree in rendered if tree["kind"] in _KINDS]
    assert len(items) == 2 * len({tree["metadata"]["name"] for tree in items}) == 14
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    plane.kubectl("apply", "-f", "-", stdin=listed).check()
    in_force(plane)
    return plane


def in_force(plane: ControlPlane) -> None:
    """Wait until every policy denies something."""
    probes = (
        ("annotate", "crd", "rosters.countersign.dev", "a=b"),
        ("annotate", "validatingwebhookconfiguration", "countersign", "a=b"),
        ("annotate", "namespace", "countersign", "a=b"),
        ("create", "configmap", "probe", "-n", "countersign"),
        ("label", "pod", "serve", "app=a", "--subresource=status", "-n", "countersign"),
        ("certificate", "approve", "evil"),
        ("create", "token", "deployment-controller", "-n", "kube-system"),
    )

    def open_ones() -> str:
        dry = [(*p, "--dry-run=server") if p[1] != "token" else p for p in probes]
        done = [plane.kubectl(*probe) for probe in dry]
        return " ".join(p[1] for p, d in zip(dry, done, strict=True) if not d.code)

    until(open_ones, what="the policies")


@pytest.fixture(scope="module", name="crowd")
def _crowd(
    guarded: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crowd]:
    with closing(Crowd(guarded, tmp_path_factory.mktemp("crowd"))) as crowd:
        yield crowd


@pytest.fixture(scope="module", name="installer")
def _installer(
    guarded: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Direct]:
    folder = tmp_path_factory.mktemp("installer")
    config = guarded.user(INSTALLER, ("system:masters",), to=folder / "kubeconfig")
    with closing(Direct(config, folder)) as server:
        yield server


@pytest.mark.parametrize("attack", ATTACKS)
def test_denied_to_masters_and_not_to_installers(crowd: Crowd, attack: Attack) -> None:
    """Who installs may, except what nobody needs."""
    denied = crowd.ask(attack)
    let = crowd.ask(attack, by=INSTALLER)

    assert denied.code in {HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert "countersign:" in json.dumps(denied.body), denied.body
    assert ("countersign:" in json.dumps(let.body)) is attack.nobodys, let.body


@pytest.mark.parametrize("honest", HONEST)
def test_lets_the_cluster_work(crowd: Crowd, honest: Attack) -> None:
    """What is not ours, and what a cluster does all day."""
    done = crowd.ask(honest)

    assert done.code < HTTPStatus.BAD_REQUEST, done.body


@pytest.mark.parametrize("kind", ["Opaque", "kubernetes.io/tls"])
def test_who_issues_certificates_writes_them(crowd: Crowd, kind: str) -> None:
    """Else the webhook's certificate would end one day, in a cluster that is guarded."""
    secret = named("webhook", type=kind, data={"tls.crt": "", "tls.key": ""})
    issuer = "system:serviceaccount:cert-manager:cert-manager"

    done = crowd.ask(Attack("POST", f"{OURS}/secrets", secret), by=issuer)

    assert done.code == HTTPStatus.CREATED, done.body


def test_controllers_roll_out_in_our_namespace(
    guarded: ControlPlane, installer: Direct
) -> None:
    """The real controller manager makes what the installer's Deployment asks for."""
    del guarded
    where = "/apis/apps/v1/namespaces/countersign/deployments"
    body = {
        "metadata": {"name": "webhook"},
        "spec": {
            "selector": {"matchLabels": {"app": "webhook"}},
            "template": {
                "metadata": {"labels": {"app": "webhook"}},
                "spec": {"containers": [{"name": "it", "image": "it"}]},
            },
        },
    }
    made = installer.ask("POST", where, body, sort=JSON)
    pods = "/api/v1/namespaces/countersign/pods"
    ours = f"{pods}?labelSelector=app%3Dwebhook"

    def missing() -> str:
        return "" if installer.ask("GET", ours, None).body.get("items") else "no Pod"

    assert made.code == HTTPStatus.CREATED, made.body
    until(missing, what="a Pod of the Deployment")
    (pod,) = installer.ask("GET", ours, None).body["items"]
    name = pod["metadata"]["name"]
    gone = installer.ask("DELETE", f"{where}/webhook", {"kind": "DeleteOptions"})
    assert gone.code == HTTPStatus.OK
    until(
        lambda: (
            ""
            if installer.ask("GET", f"{pods}/{name}", None).code != HTTPStatus.OK
            else "there"
        ),
        what="its end",
    )


def test_every_trusted_account_is_guarded() -> None:
    """The list comes from the tables: nobody has to remember."""
    assert {"deployment-controller", "generic-garbage-collector"} <= {*accounts()}
    assert len(accounts()) > 20


def test_without_installers_only_the_keys_are_guarded(
    plane: ControlPlane, tmp_path: Path
) -> None:
    """Nobody is locked out of an upgrade by a default."""
    del tmp_path
    names = {
        tree["metadata"]["name"]
        for tree in chart.render(plane, policies.VALUES)
        if tree["kind"] in _KINDS
    }

    assert names == {"countersign-keys"}
