"""The control plane is real: it authorizes, its controllers work, it keeps its data."""

import json
import uuid
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from tools.controlplane import ControlPlane, ControlPlaneError, Result, supported
from tools.controlplane.readiness import wait

_CONTROLLERS_S = 30.0


@pytest.fixture(name="namespace")
def _namespace(control_plane: ControlPlane) -> str:
    name = f"controlplane-{uuid.uuid4().hex[:8]}"
    control_plane.create_namespace(name)
    return name


def eventually(wrong: Callable[[], str]) -> None:
    """Wait until the controllers have done what `wrong` looks for."""
    wait(
        wrong,
        alive=lambda: True,
        name="the controllers",
        log=Path("no log"),
        deadline_s=_CONTROLLERS_S,
    )


def test_is_the_kubernetes_that_is_pinned(control_plane: ControlPlane) -> None:
    """A server built without flags would call itself v0.0.0."""
    versions = control_plane.kubectl("version", "-o", "json").json()

    assert versions["serverVersion"]["gitVersion"] == (
        f"v{supported.load().kubernetes}"
    )


def test_knows_users_and_groups(control_plane: ControlPlane) -> None:
    """They come from the client certificate."""
    control_plane.user("lee", groups=["developers", "on-call"])

    whoami = control_plane.kubectl("auth", "whoami", "-o", "json", user="lee").json()

    info = whoami["status"]["userInfo"]
    assert info["username"] == "lee"
    assert info["groups"] == ["developers", "on-call", "system:authenticated"]


def test_users_may_do_what_rbac_grants_to_their_groups(
    control_plane: ControlPlane, namespace: str
) -> None:
    """And nothing before that."""
    lee = control_plane.user("lee", groups=["readers"], namespace=namespace)
    before = control_plane.kubectl("get", "configmaps", user=lee)
    grant = ("rolebinding", "readers", "--clusterrole=view", "--group=readers")
    control_plane.kubectl("create", *grant, "-n", namespace).check()

    assert not before.ok
    assert "Forbidden" in before.stderr
    assert control_plane.kubectl("get", "configmaps", user=lee).ok
    assert not control_plane.kubectl("get", "secrets", user=lee).ok


def test_an_impersonator_acts_as_others_and_does_nothing_else(
    control_plane: ControlPlane,
) -> None:
    """As an aggregated server or a misused tool would."""
    control_plane.impersonator()

    def get(*arguments: str) -> Result:
        return control_plane.kubectl("get", "ns", *arguments, user="impersonator")

    assert not get().ok
    assert not get("--as=lee").ok
    assert get("--as=root", "--as-group=system:masters").ok


def test_an_unknown_user_is_an_error_here(control_plane: ControlPlane) -> None:
    """It must not fall back to the administrator."""
    with pytest.raises(ControlPlaneError, match="no user 'nobody' here"):
        control_plane.kubectl("get", "ns", user="nobody")


def test_a_kubeconfig_is_for_its_owner_alone(control_plane: ControlPlane) -> None:
    """It holds a private key."""
    assert control_plane.admin.stat().st_mode & 0o077 == 0
    assert control_plane.folder.stat().st_mode & 0o077 == 0


def test_the_controllers_roll_out_a_deployment(
    control_plane: ControlPlane, namespace: str
) -> None:
    """Nobody else here makes Pods."""
    create = (
        "create",
        "deployment",
        "web",
        "--image=registry.example/web",
        "--replicas=2",
    )
    control_plane.kubectl(*create, "-n", namespace).check()

    def pods() -> list[dict[str, Any]]:
        get = control_plane.kubectl("get", "pods", "-n", namespace, "-o", "json")
        items: list[dict[str, Any]] = get.json()["items"]
        return items

    eventually(lambda: "" if len(pods()) == 2 else "not two Pods")
    for pod in pods():
        (owner,) = pod["metadata"]["ownerReferences"]
        assert owner["kind"] == "ReplicaSet"


def test_publishes_its_client_authority(control_plane: ControlPlane) -> None:
    """Servers that accept the users' certificates read it there."""
    get = (
        "get",
        "configmap",
        "extension-apiserver-authentication",
        "-n",
        "kube-system",
    )

    data = control_plane.kubectl(*get, "-o", "json").json()["data"]

    assert data["client-ca-file"] == control_plane.ca_file.read_text()


def test_services_get_addresses_of_the_range(
    control_plane: ControlPlane, namespace: str
) -> None:
    """Tests that look at addresses can rely on it."""
    create = ("create", "service", "clusterip", "web", "--tcp=80", "-n", namespace)

    service = control_plane.kubectl(*create, "-o", "json").json()

    assert ip_address(service["spec"]["clusterIP"]) in ip_network(
        control_plane.service_cidr
    )


def test_a_restart_keeps_the_data_and_the_address(
    control_plane: ControlPlane, namespace: str
) -> None:
    """A webhook's test kills the server and starts it again."""
    create = ("create", "configmap", "kept", "--from-literal=a=b", "-n", namespace)
    control_plane.kubectl(*create).check()

    control_plane.stop_apiserver()
    while_stopped = control_plane.kubectl("get", "configmap", "kept", "-n", namespace)
    control_plane.start_apiserver()

    after = control_plane.kubectl("get", "configmap", "kept", "-n", namespace)
    assert "refused" in while_stopped.stderr
    assert after.ok


def test_the_controllers_survive_a_killed_server(
    control_plane: ControlPlane, namespace: str
) -> None:
    """They find it again by themselves."""
    control_plane.stop_apiserver(grace_s=0)
    control_plane.start_apiserver()
    create = ("create", "deployment", "web", "--image=registry.example/web")
    control_plane.kubectl(*create, "-n", namespace).check()

    def no_pod() -> str:
        get = control_plane.kubectl("get", "pods", "-n", namespace, "-o", "name")
        return "" if get.stdout else "no Pod yet"

    eventually(no_pod)


def test_helm_installs_a_chart(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """The real one, with nothing of the person's own configuration."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: thin\nversion: 0.1.0\n")
    (tmp_path / "templates" / "map.yaml").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "from-a-chart"},
            }
        )
    )

    control_plane.helm("install", "thin", tmp_path, "-n", namespace).check()

    get = ("get", "configmap", "from-a-chart", "-n", namespace)
    assert control_plane.kubectl(*get).ok
