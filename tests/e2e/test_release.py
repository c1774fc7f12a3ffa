"""An installed release does its job, whatever runs its Pods."""

import json
import shlex

import pytest

from tests.support.installed import OWN, Installed
from tools.stack.demo import tell
from tools.stack.people import LEE
from tools.stack.shell import Shell

_MASTERS = ("--as=mallory", "--as-group=system:masters")
_REGISTRATION = ("validatingwebhookconfiguration", "countersign")


def test_the_main_job(release: Installed) -> None:
    """An AI-assisted change is denied, and admitted once a senior signed it off.

    Its author's own sign-off, and another image than the signed one, are denied;
    break-glass opens a debt; who approved what runs is named.
    """
    tell(release, folder=release.folder, colour=False)


def test_what_must_be_denied_is(release: Installed) -> None:
    """By the command that ``helm test`` runs in a Pod, in each protected namespace."""
    spaces = "--namespace payments --namespace ledger --namespace orders"
    shell = Shell(release, release.folder, colour=False)
    said = shell.run(f"countersign probe {spaces}", by=LEE, show=False).output

    assert said.count("denied, as it has to be") == 3


@pytest.mark.parametrize(
    "attack",
    [
        "delete validatingwebhookconfiguration countersign",
        "delete validatingwebhookconfigurations --all",
        "label validatingwebhookconfiguration countersign off=1",
        "delete crd protectionpolicies.countersign.dev",
        "delete deployment countersign -n countersign",
        "scale deployment countersign --replicas=0 -n countersign",
        "delete service countersign -n countersign",
        "delete namespace countersign",
    ],
)
def test_masters_do_not_switch_it_off(release: Installed, attack: str) -> None:
    """Files of the API server guard it: nothing in the API can be deleted first."""
    kubectl = release.plane.kubectl
    probe = ("label", *_REGISTRATION, "off=1", "--dry-run=server", *_MASTERS)
    if release.image and "static.k8s.io" not in kubectl(*probe).stderr:
        pytest.skip("this API server has no admission files of ours")

    done = kubectl(*shlex.split(attack), *_MASTERS)

    assert done.code != 0
    assert "static.k8s.io' denied request: countersign: " in done.stderr


def test_it_says_that_it_stands(release: Installed) -> None:
    """Every object is ready, and each policy covered by the registration."""
    kinds = "protectionpolicies,rosters,trustroots"
    done = release.plane.kubectl("get", kinds, "-o", "json").check()
    for one in json.loads(done.stdout)["items"]:
        told = {c["type"]: c["status"] for c in one["status"]["conditions"]}
        assert told["Ready"] == "True", one
        assert told.get("Covered", "True") == "True", one
    assert release.plane.kubectl("get", *_REGISTRATION, *OWN).ok
