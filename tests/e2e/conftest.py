"""One installed release for all tests here.

By default on a control plane of our own, in which the API server guards the gate by
files; with ``COUNTERSIGN_E2E_KUBECONFIG`` on that cluster, with
``COUNTERSIGN_E2E_IMAGE``, and its Pods run (docs/kind.md).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from countersign.faces.cli import main
from tests.support.elsewhere import elsewhere
from tests.support.installed import Installed, install, remove
from tools import controlplane
from tools.controlplane import Options
from tools.controlplane.plane import ADMIN
from tools.stack import policies

_KUBECONFIG = os.environ.get("COUNTERSIGN_E2E_KUBECONFIG", "")
_IMAGE = os.environ.get("COUNTERSIGN_E2E_IMAGE", "countersign:0.1.0")
_KEPT = os.environ.get("COUNTERSIGN_E2E_KEEP", "")
_INSTALLERS = "kubeadm:cluster-admins"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs nodes where there are none."""
    skip = pytest.mark.skip(reason="needs nodes: make kind-e2e, or make e2e")
    for item in items:
        item.add_marker(pytest.mark.cluster)
        if item.get_closest_marker("nodes") and not _KUBECONFIG:
            item.add_marker(skip)


@pytest.fixture(scope="session", name="release")
def _release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    if _KUBECONFIG:
        with elsewhere(Path(_KUBECONFIG).absolute()) as plane:
            installed = install(plane, _IMAGE)
            yield installed
            if not _KEPT:
                remove(installed)
        return
    folder = tmp_path_factory.mktemp("admission")
    group = ("--installer-group", _INSTALLERS)
    assert main(["static-admission", "--out", str(folder), *group]) == 0
    options = Options(
        cluster=policies.CLUSTER, admission_config=folder / "admission.yaml"
    )
    with controlplane.running(options) as plane:
        plane.user(ADMIN, ["system:masters", _INSTALLERS])
        yield install(plane, "")
