"""The upgrade and the way back, by the commands of docs/upgrade.md as they stand."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.kubelet import Kubelet, ports
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.controlplane.binaries import ensure
from tools.controlplane.programs import HELM3
from tools.gen import ROOT
from tools.stack.chart import CHART, OWN_NAMESPACE, RELEASE
from tools.stack.ready import until

SPACE = "payments"
_PAGE = (ROOT / "docs" / "upgrade.md").read_text()
_SET = ("--set", "clusterName=test", "--set", f"protectedNamespaces={{{SPACE}}}")


def commands(name: str) -> str:
    """Return one block of the page."""
    (found,) = re.findall(
        rf"^```sh {name}\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL
    )
    return str(found)


@pytest.fixture(name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run one with the release, and a definition of before.

    By Helm 3: where the API server finds a process here is patched into the
    registration, and Helm 4 would not take over what somebody else wrote.
    """
    with controlplane.running() as plane:
        plane.binaries["helm"] = ensure([HELM3])[HELM3.name]
        for name in (SPACE, OWN_NAMESPACE):
            plane.create_namespace(name)
        own = ("-n", OWN_NAMESPACE)
        plane.helm("install", RELEASE, CHART, *own, *_SET).check()
        one = ("crd", "rosters.countersign.dev", "countersign.dev/schema=older")
        plane.kubectl("annotate", *one, "--overwrite").check()
        yield plane


def said_by(
    plane: ControlPlane, folder: Path, name: str, route: Callable[[], None]
) -> str:
    """Run a block as a person would, in a checkout; return what it said.

    Before the last line, which asks the gate, `route` does what a cluster's network
    does: Helm has just put the Service as it is in the chart.
    """
    before, probe, after = commands(name).rpartition("countersign probe")
    said = _said(plane, folder, before)
    route()
    return said + _said(plane, folder, probe + after)


def _said(plane: ControlPlane, folder: Path, block: str) -> str:
    programs = folder / "programs"
    if not programs.exists():
        programs.mkdir()
        for program in ("kubectl", "helm"):
            (programs / program).symlink_to(plane.binaries[program])
        (folder / "charts").symlink_to(CHART.parent)
    path = [programs, ROOT / ".venv" / "bin", os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env={
            **os.environ,
            "KUBECONFIG": str(plane.admin),
            "PATH": os.pathsep.join(map(str, path)),
        },
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_upgrade_and_the_way_back(plane: ControlPlane, tmp_path: Path) -> None:
    """The gate is shut before and after each; the definitions are those of the release.

    Seen to fail where the registration was another manager's when Helm came.
    """
    kubelet = Kubelet(plane, tmp_path, OWN_NAMESPACE)
    webhook, spool = ports(2)
    kubelet.run(
        "countersign",
        LISTEN_PORT=webhook,
        SPOOL_PORT=spool,
        LISTEN_HOST="127.0.0.1",
        SPOOL_HOST="127.0.0.1",
    )

    probe = ("create", "configmap", "x", "-n", SPACE, "--dry-run=server")

    def route() -> None:
        kubelet.route("countersign", webhook)
        until(
            lambda: (
                "" if "denied the request" in plane.kubectl(*probe).stderr else "open"
            ),
            what="a gate that is shut",
        )

    route()

    forth = said_by(plane, tmp_path, "upgrade", route)
    schema = (
        *("get", "crd", "rosters.countersign.dev", "-o"),
        r"jsonpath={.metadata.annotations.countersign\.dev/schema}",
    )
    after = plane.kubectl(*schema).check().stdout
    back = said_by(plane, tmp_path, "rollback", route)

    assert "clusterName: test" in (tmp_path / "values-before.yaml").read_text()
    assert "-    countersign.dev/schema: older" in forth
    assert after not in {"", "older"}
    assert forth.count("denied, as it has to be") == 2
    assert back.count("denied, as it has to be") == 1
    assert "Rollback was a success" in back
    assert plane.kubectl(*schema).check().stdout == after
    kubelet.stop("countersign")
