"""A release comes, changes, goes back and leaves, on a real API server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kubelet import Kubelet, ports
from tools import controlplane
from tools.controlplane import ControlPlane, ensure
from tools.controlplane.programs import HELM, HELM3, Program
from tools.stack.chart import CHART, OWN_NAMESPACE, RELEASE
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

_ROOT = Path(__file__).parents[2]
SPACE = "charted"
SET = ("--set", "clusterName=test", "--set", f"protectedNamespaces={{{SPACE}}}")
OWN = ("-n", OWN_NAMESPACE)
STRICT = {"pod-security.kubernetes.io/enforce": "restricted"}
PROBE = ("create", "configmap", "x", "-n", SPACE, "--dry-run=server")
POD = "countersign-must-deny"
# what the cluster itself makes and drops all the time
PASSING = ("events", "leases", "componentstatuses")
CRDS = {
    f"customresourcedefinition.apiextensions.k8s.io/{plural}.countersign.dev"
    for plural in (
        *("bundlesets", "protectionpolicies", "revocations"),
        *("rosters", "trustroots"),
    )
}


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run a control plane of our own: the chart's names are fixed."""
    with controlplane.running() as plane:
        plane.create_namespace(SPACE)
        plane.create_namespace(OWN_NAMESPACE, STRICT)
        yield plane


def inventory(plane: ControlPlane) -> set[str]:
    """Return everything that is stored, but for `PASSING`."""
    listed = plane.kubectl("api-resources", "--verbs=list", "-o", "name").check().stdout
    kinds = [one for one in listed.split() if one.partition(".")[0] not in PASSING]
    done = plane.kubectl("get", ",".join(kinds), "-A", "-o", "name")
    return set(done.check().stdout.split())


def field(plane: ControlPlane, sort: str, name: str, path: str) -> str:
    """Return a field of an object."""
    asked = ("get", sort, name, *OWN, "-o", f"jsonpath={{{path}}}")
    return plane.kubectl(*asked).check().stdout


def eventually(plane: ControlPlane, said: str) -> None:
    """Wait until a ConfigMap is not created in `SPACE`, in words that hold `said`."""

    def wrong() -> str:
        seen = plane.kubectl(*PROBE).stderr
        return "" if said in seen else f"saw {seen!r}"

    until(wrong, what=said)


@pytest.mark.parametrize("helm", [HELM, HELM3], ids=lambda one: one.name)
def test_comes_changes_goes_back_and_leaves(
    plane: ControlPlane, tmp_path: Path, helm: Program
) -> None:
    """With its Pods really run, and tested; and without them at the end."""
    plane.binaries[HELM.name] = ensure([helm])[helm.name]
    _forget(plane)
    before = inventory(plane)
    plane.helm("install", RELEASE, CHART, *OWN, *SET).check()
    eventually(plane, "failed calling webhook")  # nobody to answer: nothing is admitted
    _pods_are_admitted(plane)
    secrets = ("countersign-tls", "countersign-internal")
    kept = [field(plane, "secret", name, ".data") for name in secrets]

    _older_definitions_are_named(plane)
    plane.helm(
        "upgrade", RELEASE, CHART, *OWN, *SET, "--set", "timeoutSeconds=5"
    ).check()
    registered = ("validatingwebhookconfiguration", "countersign")
    assert field(plane, *registered, ".webhooks[0].timeoutSeconds") == "5"
    plane.helm("rollback", RELEASE, "1", *OWN).check()
    assert field(plane, *registered, ".webhooks[0].timeoutSeconds") == "10"
    assert [field(plane, "secret", name, ".data") for name in secrets] == kept

    authority = ("get", "configmap", "countersign-recorder", *OWN)
    plane.kubectl(*authority, user=plane.user("anybody")).check()
    denied = ("get", "secret", secrets[1], *OWN)
    assert not plane.kubectl(*denied, user=plane.user("anybody")).ok

    kubelet = _running(plane, tmp_path)
    eventually(plane, "denied the request")
    done, said = kubelet.helm_test(RELEASE, POD)
    assert said == f"{SPACE}: denied, as it has to be\n"
    assert done.ok, done.stderr
    plane.kubectl("delete", *registered).check()
    until(lambda: plane.kubectl(*PROBE).stderr, what="an admission")
    done, said = kubelet.helm_test(RELEASE, POD)
    assert not done.ok
    assert f"{SPACE}: ADMITTED" in said
    plane.helm("upgrade", RELEASE, CHART, *OWN, *SET).check()
    eventually(plane, "failed calling webhook")  # by the port of a real Service

    kubelet.stop("countersign")
    kubelet.stop("countersign-operate")
    plane.helm("uninstall", RELEASE, *OWN).check()
    left = CRDS | {
        "apiservice.apiregistration.k8s.io/v1alpha1.countersign.dev",  # of the CRDs
        "persistentvolumeclaim/countersign-audit",
        f"pod/{POD}",  # of the test that failed
    }

    def different() -> str:
        found = inventory(plane) - before
        return "" if found == left else f"{sorted(found ^ left)}"

    until(different, what="nothing but what it says")
    assert before <= inventory(plane)
    until(lambda: plane.kubectl(*PROBE).stderr, what="an admission after the removal")
    # nothing of ours holds it up, though nobody of us answers any more
    plane.kubectl("delete", "namespace", SPACE, "--timeout=60s").check()
    plane.create_namespace(SPACE)


def _forget(plane: ControlPlane) -> None:
    """Take away what an earlier release left, as it said."""
    gone = ("--all", "--ignore-not-found")
    plane.kubectl("delete", "pods,leases,persistentvolumeclaims", *OWN, *gone).check()
    plane.kubectl("delete", "-f", CHART / "crds", "--ignore-not-found").check()
    until(
        lambda: plane.kubectl("get", "apiservices", "-o", "name").stdout.partition(
            "countersign"
        )[1],
        what="an API server without our kinds",
    )


def _pods_are_admitted(plane: ControlPlane) -> None:
    """Wait for the Pods: the namespace takes those of the restricted profile alone."""
    path = "jsonpath={.items[*].spec.containers[*].name}"

    def missing() -> str:
        seen = plane.kubectl("get", "pods", *OWN, "-o", path).stdout.split()
        return "" if sorted(seen) == ["operate", "serve", "serve"] else f"saw {seen}"

    until(missing, what="Pods, of the restricted profile")


def _older_definitions_are_named(plane: ControlPlane) -> None:
    """Until the command that is given beside them has been followed."""
    one = "rosters.countersign.dev"
    older = ("countersign.dev/schema=older", "--overwrite")
    plane.kubectl("annotate", "crd", one, *older).check()
    upgrade = ("upgrade", RELEASE, CHART, *OWN, *SET)
    said = plane.helm(*upgrade).check().stdout
    assert f"are not of this version: {one}\n" in said
    (command,) = (
        line for line in said.splitlines() if "kubectl apply --server" in line
    )
    arguments = command.replace("countersign/crds", str(CHART / "crds")).split()[1:]
    plane.kubectl(*arguments).check()

    assert "TO DO" not in plane.helm(*upgrade).check().stdout


def _running(plane: ControlPlane, folder: Path) -> Kubelet:
    """Run the release's Pods, and have the API server find them."""
    kubelet = Kubelet(plane, folder, OWN_NAMESPACE)
    webhook, spool, recorder = ports(3)
    kubelet.run(
        "countersign",
        LISTEN_PORT=webhook,
        SPOOL_PORT=spool,
        LISTEN_HOST="127.0.0.1",
        SPOOL_HOST="127.0.0.1",
    )
    kubelet.run(
        "countersign-operate",
        RECORDS_HOST="127.0.0.1",
        RECORDS_PORT=recorder,
        SPOOLS_SOURCES=f"https://127.0.0.1:{spool}",
    )
    kubelet.route("countersign", webhook)
    return kubelet


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
def test_comes_without_helm(plane: ControlPlane, tmp_path: Path) -> None:
    """By the commands of the page, as they stand; and then it denies."""
    plane.kubectl("delete", "namespace", OWN_NAMESPACE, "--ignore-not-found").check()
    (tmp_path / "manifests").symlink_to(_ROOT / "manifests")
    page = (_ROOT / "docs" / "install.md").read_text()
    (commands,) = re.findall(
        r"^```sh without-helm\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
    )
    search = (plane.binaries["kubectl"].parent, os.environ["PATH"])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands.replace("payments", SPACE)],
        cwd=tmp_path,
        env={
            **os.environ,
            "KUBECONFIG": str(plane.admin),
            "PATH": os.pathsep.join(map(str, search)),
        },
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert done.returncode == 0, done.stdout
    _pods_are_admitted(plane)
    _running(plane, tmp_path)
    eventually(plane, "denied the request")
