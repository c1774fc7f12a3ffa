"""An API server with the gate in its own files, and an attacker who may do anything.

``system:masters`` deletes whatever admission there is, and the gate stands.
"""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from countersign.binding.static_files import GATE
from countersign.faces.cli import main
from countersign.faces.cli.session import Exit
from tests.support.apiserver import MERGE_PATCH
from tests.support.chart import config_map
from tests.support.direct import Direct
from tests.support.furnished import INSTALLER, Crowd, furnish
from tests.support.harmless import HONEST
from tests.support.serving import Serving, serving
from tests.support.widest import ATTACKS, Attack
from tools import controlplane
from tools.controlplane import ControlPlane, Options
from tools.stack.addresses import choose, port
from tools.stack.ready import until

Tree = dict[str, Any]

_API = "/apis/admissionregistration.k8s.io/v1"
_HERE = "/api/v1/namespaces/payments/configmaps"
_KINDS = (
    "validatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
)


@dataclass
class Fixed:
    """A control plane whose admission is in files.

    Attributes:
        masters: Speaks as ``system:masters``.
        serve: The webhook.
    """

    plane: ControlPlane
    masters: Direct
    serve: Serving


@contextmanager
def fixed(folder: Path, minor: str, gates: str) -> Iterator[Fixed]:
    """Write the files by the command, and run an API server that reads them."""
    at = choose(folder / "tls")
    files = folder / "admission"
    code = main(
        [
            *(
                "static-admission",
                "--out",
                str(files),
                "--url",
                f"{at.webhook}/validate",
            ),
            *("--ca-file", str(at.authority), "-n", "payments", "-n", "team-*"),
            *("--installer", INSTALLER),
        ]
    )
    assert code == Exit.DONE
    flags = {"feature-gates": gates} if gates else {}
    options = Options(
        minor=minor,
        admission_config=files / "admission.yaml",
        apiserver_flags=flags,
    )
    with controlplane.running(options) as plane:
        furnish(plane)
        plane.kubectl("create", "namespace", "open").check()
        told = {
            "listen__port": port(at.webhook),
            "listen__certificate_file": at.keys / "webhook.crt",
            "listen__key_file": at.keys / "webhook.key",
        }
        with serving(plane, folder, plane.admin, **told):
            # without a floor it protects nothing yet
            create = ("create", "namespace", "payments")
            until(lambda: plane.kubectl(*create).stderr, what="a webhook that answers")
        told["protected_namespaces"] = "payments,team-*"
        with (
            serving(plane, folder, plane.admin, **told) as serve,
            closing(Direct(plane.admin, folder)) as masters,
        ):
            until(lambda: _unready(masters), what="the webhook")
            yield Fixed(plane, masters, serve)


def _unready(masters: Direct) -> str:
    """Wait for a denial that the webhook itself gives: it has seen everything."""
    done = masters.ask("POST", f"{_HERE}?dryRun=All", config_map("probe"))
    said = json.dumps(done.body)
    return "" if "no policy says how" in said else said


@pytest.fixture(scope="module", name="fixed")
def _fixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixed]:
    with fixed(tmp_path_factory.mktemp("fixed"), "1.37", "") as made:
        yield made


@pytest.fixture(scope="module", name="crowd")
def _crowd(fixed: Fixed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    with closing(Crowd(fixed.plane, tmp_path_factory.mktemp("crowd"))) as crowd:
        yield crowd


@pytest.mark.parametrize("attack", ATTACKS)
def test_denied_to_masters(crowd: Crowd, attack: Attack) -> None:
    """By policies that nobody sees in the API."""
    done = crowd.ask(attack)

    assert done.code in {HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert "countersign:" in json.dumps(done.body), done.body


@pytest.mark.parametrize("honest", HONEST)
def test_lets_the_cluster_work(crowd: Crowd, honest: Attack) -> None:
    """Nobody else notices."""
    done = crowd.ask(honest)

    assert done.code < HTTPStatus.BAD_REQUEST, done.body


def test_the_gate_stands_after_all_admission_was_deleted(fixed: Fixed) -> None:
    """Nothing of it is in the API: there is nothing to delete, and nothing to replace."""
    switch_off(fixed)


def switch_off(fixed: Fixed) -> None:
    """Try, and see that the gate still denies."""
    ask, denied = fixed.masters.ask, HTTPStatus.FORBIDDEN
    for kind in _KINDS:
        listed = ask("GET", f"{_API}/{kind}", None).body["items"]
        assert not [t for t in listed if "static" in t["metadata"]["name"]]
        name = "countersign.static.k8s.io"
        path = f"{_API}/{kind}"
        made = ask("POST", path, {"metadata": {"name": name}})
        gone = ask("DELETE", f"{path}/{name}", None)
        patched = ask("PATCH", f"{path}/{name}", {"a": "b"}, sort=MERGE_PATCH)
        ask("DELETE", path, None)
        assert made.code >= HTTPStatus.BAD_REQUEST
        assert {gone.code, patched.code} <= {denied, HTTPStatus.NOT_FOUND}

    done = ask("POST", _HERE, config_map("evil"))
    assert done.code == denied
    assert "no policy says how" in json.dumps(done.body)


def test_an_own_registration_in_the_api_is_guarded_by_the_files(fixed: Fixed) -> None:
    """Also policies of ours that somebody keeps there."""
    policy = {
        "metadata": {"name": "countersign-own"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["nodes"],
                    }
                ]
            },
            "validations": [{"expression": "true"}],
        },
    }
    path = f"{_API}/validatingadmissionpolicies"
    made = fixed.masters.ask("POST", path, policy)
    gone = fixed.masters.ask("DELETE", f"{path}/countersign-own", None)
    all_gone = fixed.masters.ask("DELETE", path, None)

    assert made.code == HTTPStatus.CREATED, made.body
    assert {gone.code, all_gone.code} == {HTTPStatus.FORBIDDEN}


def test_a_dead_webhook_denies_and_the_server_starts(
    fixed: Fixed, tmp_path: Path
) -> None:
    """The registration from files is as harmless to a start as the chart's."""
    del tmp_path
    fixed.plane.ledger.stop(
        next(n for n in _names(fixed.plane) if n.startswith("serve"))
    )

    inside = fixed.masters.ask("POST", _HERE, config_map("late"))
    tree = config_map("free")
    tree["metadata"]["namespace"] = "open"
    outside = fixed.masters.ask("POST", "/api/v1/namespaces/open/configmaps", tree)

    assert inside.code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "failed calling webhook" in json.dumps(inside.body)
    assert outside.code == HTTPStatus.CREATED


def _names(plane: ControlPlane) -> list[str]:
    return [one.name for one in plane.ledger.entries]


def test_on_1_36_behind_its_gate(tmp_path: Path) -> None:
    """There it is alpha."""
    with fixed(tmp_path, "1.36", f"{GATE}=true") as made:
        switch_off(made)
