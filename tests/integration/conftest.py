"""One real control plane for all tests of the session that ask for it.

They share it, so each test works in a namespace of its own. Under ``pytest -n`` they
all go to the same worker (tests/conftest.py).
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate import AUDIT_LOG, Gate
from tools import controlplane
from tools.controlplane import ControlPlane, Options
from tools.stack import policies
from tools.stack.build import build

_FIXTURE = "control_plane"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the control plane, so that nobody has to remember to."""
    for item in items:
        if _FIXTURE in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.cluster)


# What the cluster's own log keeps: every write and every connection, a GET of which RBAC
# takes for a read, with what the webhook annotated.
_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "Metadata",
            "resources": [
                {
                    "group": "",
                    "resources": ["*/exec", "*/attach", "*/portforward", "*/proxy"],
                }
            ],
        },
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}


@pytest.fixture(scope="session", name="audit")
def _audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="session", name=_FIXTURE)
def _control_plane(
    request: pytest.FixtureRequest, audit: Path
) -> Iterator[ControlPlane]:
    (audit / "policy.json").write_text(json.dumps(_AUDIT))
    flags = {
        "audit-policy-file": str(audit / "policy.json"),
        "audit-log-path": str(audit / AUDIT_LOG),
    }
    options = Options(cluster=policies.CLUSTER, apiserver_flags=flags)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # a first build takes minutes: show it
        binaries = controlplane.ensure()
    with controlplane.running(options) as plane:
        plane.binaries |= binaries  # helm, too
        yield plane
        plane.keep_logs = bool(request.session.testsfailed)


@pytest.fixture(scope="session", name="gate")
def _gate(
    control_plane: ControlPlane, audit: Path, tmp_path_factory: pytest.TempPathFactory
) -> Gate:
    stack = build(control_plane, control_plane.folder / "run", say=lambda _: None)
    return Gate(stack, tmp_path_factory.mktemp("gate"), audit / AUDIT_LOG)


@pytest.fixture(name="name")
def _name(request: pytest.FixtureRequest) -> str:
    """Return a name for objects that no other test uses."""
    words: str = request.node.name.removeprefix("test_").split("[")[0]
    return words.replace("_", "-")[:40].strip("-")
