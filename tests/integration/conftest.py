"""One real control plane for all tests of the session that ask for it.

They share it, so each test works in a namespace of its own. Under ``pytest -n`` tests of
the whole gate go to one worker, all others to another (tests/conftest.py).
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.apiserver import ApiServer
from tests.support.gate import AUDIT_LOG, Gate
from tests.support.judge import Judge
from tests.support.registry import Kind, Registry, running_registry
from tests.support.registry_access import Auth
from tests.support.shipping import Dock
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


@pytest.fixture(scope="session", name="docks")
def _docks() -> Iterator[Registry]:
    """The registry that the gate's webhook knows: with a password, by tokens."""
    with running_registry(Kind.DISTRIBUTION, auth=Auth.TOKEN) as registry:
        yield registry


@pytest.fixture(scope="session", name="gate")
def _gate(
    control_plane: ControlPlane,
    audit: Path,
    docks: Registry,
    tmp_path_factory: pytest.TempPathFactory,
) -> Gate:
    stack = build(
        control_plane,
        control_plane.folder / "run",
        say=lambda _: None,
        settings={
            "REGISTRIES_DOCKER_CONFIG": docks.docker_config_file,
            "REGISTRIES_CA_FILE": docks.authority,
            "REGISTRIES_ALLOW_LOOPBACK": "true",
        },
    )
    return Gate(stack, tmp_path_factory.mktemp("gate"), audit / AUDIT_LOG)


@pytest.fixture(scope="module", name="dock")
def _dock(
    gate: Gate, docks: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dock]:
    """Let the policy of ``payments`` look for evidence in the registry, for a while."""
    with Dock.open(gate, docks, tmp_path_factory.mktemp("dock")) as dock:
        yield dock


@pytest.fixture(scope="module", name="server")
def _server(control_plane: ControlPlane) -> Iterator[ApiServer]:
    """The API server as its administrator, over one kept connection."""
    with closing(ApiServer(control_plane.admin)) as server:
        yield server


@pytest.fixture(scope="module", name="judge")
def _judge(control_plane: ControlPlane, server: ApiServer) -> Judge:
    """Our comparison, asked of what that server answers."""
    return Judge(server, control_plane.service_cidr)


@pytest.fixture(scope="module", name="namespace")
def _namespace(control_plane: ControlPlane, server: ApiServer) -> str:
    """A namespace with the accounts that the corpus names; no policy protects it."""
    name = f"corpus-{uuid.uuid4().hex[:8]}"
    control_plane.create_namespace(name)
    legacy = {"apiVersion": "v1", "kind": "ServiceAccount"}
    server.create({**legacy, "metadata": {"name": "legacy", "namespace": name}})
    return name


@pytest.fixture(name="name")
def _name(request: pytest.FixtureRequest) -> str:
    """Return a name for objects that no other test uses."""
    words: str = request.node.name.removeprefix("test_").split("[")[0]
    return words.replace("_", "-")[:40].strip("-")
