"""The chart says what the table says, installs, and fails closed."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from countersign.binding.registration import webhook_configuration
from countersign.binding.surface import RECOMMENDED
from countersign.config import Settings, paths, variable
from countersign.core.types.policy import GroupKind
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

CHART = Path(__file__).parents[2] / "charts" / "countersign"
OWN = "countersign"
SPACE = "charted"
SET = ("--set", "clusterName=test", "--set", f"protectedNamespaces={{{SPACE}}}")


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run a control plane of our own: the chart's names are fixed."""
    with controlplane.running() as plane:
        plane.create_namespace(SPACE)
        yield plane


def rendered(plane: ControlPlane, *flags: str) -> list[dict[str, Any]]:
    """Return the objects of the chart."""
    done = plane.helm("template", "release", CHART, "--namespace", OWN, *flags)
    return [tree for tree in yaml.safe_load_all(done.check().stdout) if tree]


def only(trees: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the one object of a kind."""
    (found,) = (tree for tree in trees if tree["kind"] == kind)
    return found


@pytest.mark.parametrize(
    ("protected", "kinds"),
    [
        pytest.param(("payments",), (), id="one name"),
        pytest.param(("payments", "ledger"), RECOMMENDED, id="names, and side doors"),
        pytest.param(("payments", "team-*", "b"), (), id="globs"),
        pytest.param(("*",), RECOMMENDED, id="everything"),
    ],
)
def test_registers_exactly_what_the_table_says(
    plane: ControlPlane, protected: tuple[str, ...], kinds: tuple[GroupKind, ...]
) -> None:
    """A template of its own would drift."""
    trees = rendered(
        plane,
        *("--set", "clusterName=test", "--set", "timeoutSeconds=7"),
        *("--set", f"protectedNamespaces={{{','.join(protected)}}}"),
        *("--set", f"clusterScoped={'recommended' if kinds else 'none'}"),
    )
    found = only(trees, "ValidatingWebhookConfiguration")
    client = found["webhooks"][0]["clientConfig"]
    expected: Any = webhook_configuration(
        name="countersign",
        protected=protected,
        own_namespace=OWN,
        client_config=client,
        cluster_scoped=kinds,
        timeout_s=7,
    )

    assert found["webhooks"] == expected["webhooks"]
    assert client["service"] == {
        "name": "countersign",
        "namespace": OWN,
        "path": "/validate",
        "port": 443,
    }


def test_one_certificate_serves_and_is_trusted(plane: ControlPlane) -> None:
    """What is registered is what signed what is mounted."""
    trees = rendered(plane, *SET)

    secret = only(trees, "Secret")["data"]
    bundles = {
        webhook["clientConfig"]["caBundle"]
        for webhook in only(trees, "ValidatingWebhookConfiguration")["webhooks"]
    }
    assert bundles == {secret["ca.crt"]}
    assert b"BEGIN CERTIFICATE" in base64.b64decode(secret["tls.crt"])


def test_sets_only_settings_that_exist(plane: ControlPlane) -> None:
    """A misspelt variable would be ignored in silence."""
    known = {variable(path) for path in paths(Settings)}
    pod = only(rendered(plane, *SET), "Deployment")["spec"]["template"]["spec"]

    told = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}

    assert told.keys() <= known
    assert told["COUNTERSIGN_CLUSTER_NAME"] == "test"
    assert told["COUNTERSIGN_LIMITS_DEADLINE_S"] == "8"


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        pytest.param(SET[2:], "clusterName", id="no cluster name"),
        pytest.param(SET[:2], "protectedNamespaces", id="nothing to protect"),
        pytest.param(
            (*SET[:2], "--set", "protectedNamespaces={kube-system}"),
            "protectedNamespaces",
            id="kube-system",
        ),
        pytest.param(
            (*SET[:2], "--set", f"protectedNamespaces={{{OWN}}}"),
            "cannot be protected",
            id="its own namespace",
        ),
        pytest.param((*SET, "--set", "replica=3"), "replica", id="a misspelt value"),
        pytest.param(
            (*SET, "--set", "tls.secretName=x"), "caBundle", id="a certificate unsigned"
        ),
    ],
)
def test_refuses_values(
    plane: ControlPlane, flags: tuple[str, ...], problem: str
) -> None:
    """Before anything is installed."""
    done = plane.helm("template", "release", CHART, "--namespace", OWN, *flags)

    assert not done.ok
    assert problem in done.stderr


def test_lints(plane: ControlPlane) -> None:
    """As ``helm lint --strict`` sees it."""
    plane.helm("lint", "--strict", CHART, *SET).check()


def test_installs_denies_keeps_its_certificate_and_leaves(plane: ControlPlane) -> None:
    """Without a node there is nobody to answer: then nothing is admitted."""
    release = ("countersign", CHART, "--namespace", OWN, *SET)
    plane.helm("install", *release, "--create-namespace").check()
    probe = ("create", "configmap", "x", "-n", SPACE, "--dry-run=server")

    def admitted() -> str:
        seen = plane.kubectl(*probe).stderr
        return "" if "failed calling webhook" in seen else f"saw {seen!r}"

    until(admitted, what="the first denial")
    plane.kubectl("get", "protectionpolicies").check()
    secret = ("get", "secret", "countersign-tls", "-n", OWN, "-o", "jsonpath={.data}")
    first = plane.kubectl(*secret).check().stdout
    plane.helm("upgrade", *release, "--set", "timeoutSeconds=5").check()
    assert plane.kubectl(*secret).check().stdout == first

    plane.helm("uninstall", "countersign", "--namespace", OWN).check()
    until(lambda: plane.kubectl(*probe).stderr, what="an admission after the removal")
