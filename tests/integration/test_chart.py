"""What the chart renders is what the table and the settings say."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from countersign.binding.registration import webhook_configuration
from countersign.binding.surface import RECOMMENDED
from countersign.config import OperateSettings, Settings, load, paths, variable
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.policy import Scope
from countersign.usecases.coverage import registration, uncovered
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.gen import Generator
from tools.gen.__main__ import stale
from tools.gen.chart import CHART as CHART_FILES
from tools.gen.monitoring import MONITORING
from tools.gen.rendered import BASE, RENDERED, SETS, over, template
from tools.gen.values import Chart

pytestmark = pytest.mark.cluster

CHART = Path(__file__).parents[2] / "charts" / "countersign"
OWN = "countersign"
SPACE = "charted"
ANSWERS_S = 10  # what a listener that closes gives the last answers
# kinds of others; and a Pod whose account is not there in a dry run
FOREIGN = {"cert-manager", "monitored", "tested"}
WHOLE = {
    *("resources", "operate.resources", "affinity", "nodeSelector"),
    *("networkPolicy.dns", "monitoring.labels", "monitoring.dashboardLabels"),
}
SET = ("--set", "clusterName=test", "--set", f"protectedNamespaces={{{SPACE}}}")


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run a control plane of our own: the chart's names are fixed."""
    with controlplane.running() as plane:
        plane.create_namespace(OWN)
        plane.kubectl("apply", "-f", CHART / "crds").check()
        yield plane


def rendered(plane: ControlPlane, *flags: str) -> list[dict[str, Any]]:
    """Return the objects of the chart."""
    done = plane.helm("template", "release", CHART, "--namespace", OWN, *flags)
    return [tree for tree in yaml.safe_load_all(done.check().stdout) if tree]


def only(
    trees: list[dict[str, Any]], kind: str, name: str = "countersign"
) -> dict[str, Any]:
    """Return the one object of a kind and name."""
    (found,) = (
        tree
        for tree in trees
        if (tree["kind"], tree["metadata"]["name"]) == (kind, name)
    )
    return found


def environment(pod: dict[str, Any]) -> dict[str, str]:
    """Return what a Pod's container is told."""
    return {one["name"]: str(one["value"]) for one in pod["containers"][0]["env"]}


def certificate(data: dict[str, str], name: str) -> x509.Certificate:
    """Return a certificate of a Secret."""
    return x509.load_pem_x509_certificate(base64.b64decode(data[name]))


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

    secret = only(trees, "Secret", "countersign-tls")["data"]
    bundles = {
        webhook["clientConfig"]["caBundle"]
        for webhook in only(trees, "ValidatingWebhookConfiguration")["webhooks"]
    }
    assert bundles == {secret["ca.crt"]}
    assert b"BEGIN CERTIFICATE" in base64.b64decode(secret["tls.crt"])


def test_sets_only_settings_that_exist(plane: ControlPlane) -> None:
    """A misspelt variable would be ignored in silence."""
    trees = rendered(plane, *SET)
    serve = environment(only(trees, "Deployment")["spec"]["template"]["spec"])
    pod = only(trees, "Deployment", "countersign-operate")["spec"]["template"]["spec"]
    operate = environment(pod)

    assert serve.keys() <= {variable(path) for path in paths(Settings)}
    assert serve["COUNTERSIGN_CLUSTER_NAME"] == "test"
    assert serve["COUNTERSIGN_LIMITS_DEADLINE_S"] == "8"
    assert operate.keys() <= {variable(path) for path in paths(OperateSettings)}
    load(Settings, flags={}, environment=serve)
    told = load(OperateSettings, flags={}, environment=operate)
    assert told.spools.sources == (f"https://countersign-spool.{OWN}.svc:9443",)


def test_what_it_mounts_is_where_it_looks(plane: ControlPlane) -> None:
    """Paths stand in two places: the settings' defaults, and here."""
    trees = rendered(plane, *SET)
    serve = mounted(only(trees, "Deployment"))
    operate = mounted(only(trees, "Deployment", "countersign-operate"))
    told = OperateSettings()

    listen = Settings(cluster_name="x").listen
    assert {listen.certificate_file, listen.key_file} <= serve
    records, spools = told.records, told.spools
    assert {records.certificate_file, records.key_file} <= operate
    assert {spools.ca_file, spools.certificate_file, spools.key_file} <= operate
    assert records.database.parent in operate
    heard = environment(only(trees, "Deployment")["spec"]["template"]["spec"])
    for name in ("CLIENT_CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "DIRECTORY"):
        assert Path(heard[f"COUNTERSIGN_SPOOL_{name}"]) in serve


def test_registries_are_asked_with_what_it_is_given(plane: ControlPlane) -> None:
    """Credentials and authorities are mounted where `serve` looks; else nowhere."""
    bare = environment(
        only(rendered(plane, *SET), "Deployment")["spec"]["template"]["spec"]
    )
    flags = (
        *("--set", "registries.secretName=reader"),
        *("--set", "registries.caConfigMap=authorities"),
        *("--set", "registries.tokenHosts={registry.acme.example=login.acme.example}"),
    )
    deployment = only(rendered(plane, *SET, *flags), "Deployment")
    given = environment(deployment["spec"]["template"]["spec"])
    told = load(Settings, flags={}, environment=given).registries

    assert not any("REGISTRIES" in name for name in bare)
    assert told.docker_config in mounted(deployment)
    assert told.ca_file in mounted(deployment)
    assert told.token_hosts == ("registry.acme.example=login.acme.example",)


def mounted(deployment: dict[str, Any]) -> set[Path]:
    """Return the files of Secrets and ConfigMaps, and the folders, that a Pod finds."""
    pod = deployment["spec"]["template"]["spec"]
    volumes = {one["name"]: one for one in pod["volumes"]}
    found = set()
    for mount in pod["containers"][0]["volumeMounts"]:
        place = Path(mount["mountPath"])
        volume = volumes[mount["name"]]
        source = volume.get("secret") or volume.get("configMap") or {}
        items = source.get("items", [])
        found |= {place / item["path"] for item in items} or {place}
    return found


def test_the_processes_know_each_other_and_people_the_recorder(
    plane: ControlPlane,
) -> None:
    """By one authority of their own, under the names that each side asks for."""
    trees = rendered(plane, *SET)
    data = only(trees, "Secret", "countersign-internal")["data"]
    authority = certificate(data, "ca.crt")
    published = only(trees, "ConfigMap", "countersign-recorder")["data"]["ca.crt"]
    names = {
        "spool.crt": OperateSettings().spools.server_name,
        "recorder.crt": f"countersign-recorder.{OWN}.svc",
    }

    assert published.strip() == base64.b64decode(data["ca.crt"]).decode().strip()
    for name, asked in names.items():
        one = certificate(data, name)
        one.verify_directly_issued_by(authority)
        said = one.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert said.value.get_values_for_type(x509.DNSName) == [asked]
    client = certificate(data, "client.crt")
    client.verify_directly_issued_by(authority)
    (common,) = client.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common.value == "countersign-recorder"
    webhook = only(trees, "Secret", "countersign-tls")["data"]
    with pytest.raises(ValueError, match=r"[Ii]ssuer"):
        certificate(webhook, "tls.crt").verify_directly_issued_by(authority)


def test_selects_each_process_by_itself(plane: ControlPlane) -> None:
    """A webhook call that reached the operator would be a denial."""
    trees = rendered(plane, *SET)
    pods = {
        name: only(trees, "Deployment", name)["spec"]["template"]["metadata"]["labels"]
        for name in ("countersign", "countersign-operate")
    }
    services = {
        "countersign": {"countersign"},
        "countersign-spool": {"countersign"},
        "countersign-recorder": {"countersign-operate"},
    }

    for name, expected in services.items():
        selector = only(trees, "Service", name)["spec"]["selector"].items()
        found = {pod for pod, labels in pods.items() if selector <= labels.items()}
        assert found == expected
    for name, labels in pods.items():
        spec = only(trees, "Deployment", name)["spec"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()


def test_a_replica_stays_until_its_decisions_are_recorded(plane: ControlPlane) -> None:
    """Its folder goes with it; and the kubelet kills what stays longer than told."""
    deployment = only(rendered(plane, *SET), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    told = load(Settings, flags={}, environment=environment(pod))

    assert told.spool.handover_s > 0
    needed = told.limits.drain_s + ANSWERS_S + told.spool.handover_s
    assert pod["terminationGracePeriodSeconds"] > needed


def test_a_node_is_emptied_one_replica_at_a_time(plane: ControlPlane) -> None:
    """A budget for one replica alone would keep its node for ever."""
    trees = rendered(plane, *SET)
    budget = only(trees, "PodDisruptionBudget")["spec"]
    alone = rendered(plane, *SET, "--set", "replicas=1")

    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    selector = only(trees, "Deployment")["spec"]["selector"]
    assert budget["selector"] == selector
    assert "PodDisruptionBudget" not in {tree["kind"] for tree in alone}


@pytest.mark.parametrize("name", ["countersign", "countersign-operate"])
def test_runs_where_it_is_told_and_pulls_with_what_it_is_given(
    plane: ControlPlane, name: str
) -> None:
    """Both Pods alike."""
    flags = (
        *("--set", "priorityClassName=first,operate.priorityClassName=first"),
        *("--set", "nodeSelector.role=infra"),
        *("--set-json", 'tolerations=[{"key":"infra"}]'),
        *("--set", "image.pullSecrets={one,two}"),
    )
    pod = only(rendered(plane, *SET, *flags), "Deployment", name)
    spec = pod["spec"]["template"]["spec"]

    assert spec["priorityClassName"] == "first"
    assert spec["nodeSelector"] == {"role": "infra"}
    assert spec["tolerations"] == [{"key": "infra"}]
    assert spec["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]


def rights(trees: list[dict[str, Any]], account: str) -> list[dict[str, Any]]:
    """Return the rules that an account is bound to, in the cluster or a namespace."""
    roles = {(t["kind"], t["metadata"]["name"]): t for t in trees}
    return [
        rule
        for tree in trees
        if tree["kind"] in {"ClusterRoleBinding", "RoleBinding"}
        if account in [one["name"] for one in tree["subjects"]]
        for rule in roles[tree["roleRef"]["kind"], tree["roleRef"]["name"]].get(
            "rules", []
        )
    ]


def test_the_webhook_reads_and_no_secrets(plane: ControlPlane) -> None:
    """Whoever takes it over can write nothing, and learn no credential."""
    trees = rendered(plane, *SET)
    serve = rights(trees, "countersign-serve")
    operate = rights(trees, "countersign-operate")

    assert serve
    assert {verb for rule in serve for verb in rule["verbs"]} == {
        "get",
        "list",
        "watch",
    }
    resources = {resource for rule in serve for resource in rule["resources"]}
    assert not resources & {"*", "secrets"}
    assert not any("*" in rule["apiGroups"] for rule in serve)
    secrets = [rule for rule in operate if "secrets" in rule["resources"]]
    assert all(
        "resourceNames" in rule or rule["verbs"] == ["create"] for rule in secrets
    )
    everybody = {"system:authenticated", "system:serviceaccounts"}
    assert not any(
        "secrets" in r["resources"] for one in everybody for r in rights(trees, one)
    )


@pytest.mark.parametrize("name", ["countersign", "countersign-operate"])
def test_runs_without_privileges(plane: ControlPlane, name: str) -> None:
    """As the restricted profile of Pod Security asks."""
    pod = only(rendered(plane, *SET), "Deployment", name)["spec"]["template"]["spec"]
    context = pod["containers"][0]["securityContext"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]


def test_only_named_groups_reach_the_recorder_through_the_cluster(
    plane: ControlPlane,
) -> None:
    """Who may forward one port there may forward any."""
    forward = ("RoleBinding", "countersign-recorder-forward")
    kinds = [(tree["kind"], tree["metadata"]["name"]) for tree in rendered(plane, *SET)]
    trees = rendered(plane, *SET, "--set", "readers={seniors,auditors}")

    assert forward not in kinds
    subjects = [one["name"] for one in only(trees, *forward)["subjects"]]
    assert subjects == ["seniors", "auditors"]


@pytest.mark.parametrize("protected", ["payments", "team-*"])
def test_what_it_registers_covers_what_it_protects(
    plane: ControlPlane, protected: str
) -> None:
    """Else the operator would tell people to install what is installed."""
    trees = rendered(plane, *SET[:2], "--set", f"protectedNamespaces={{{protected}}}")
    sent = registration(only(trees, "ValidatingWebhookConfiguration"), OWN)

    assert uncovered(Scope(namespaces=(protected,)), sent, OWN) == ((), "")


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
            (*SET, "--set", "operate.storage.size=much"), "size", id="no size"
        ),
        pytest.param(
            (*SET, "--set", "tls.secretName=x"), "caBundle", id="a certificate unsigned"
        ),
        pytest.param(
            (*SET, "--set", "backstops.installers.groups={system:authenticated}"),
            "groups",
            id="everybody installs",
        ),
        pytest.param(
            (*SET, "--set", "recoveryGroups={system:serviceaccounts}"),
            "recoveryGroups",
            id="everybody recovers",
        ),
        pytest.param(
            (
                *SET,
                *("--set", "extra.serve.env[0].name=COUNTERSIGN_GOVERNANCE_FOUNDING"),
            ),
            "env",
            id="said once more, and otherwise",
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


@pytest.mark.parametrize(
    "generator", [*CHART_FILES, *MONITORING, *RENDERED], ids=lambda one: one.owns
)
def test_reads_as_it_was_reviewed(generator: Generator) -> None:
    """What a change of a template or of a default makes is seen where it is read."""
    assert not stale(generator), "run `make gen`, and read what it changes"


def test_the_api_server_takes_what_it_renders(plane: ControlPlane) -> None:
    """Each object in full, with no field that would be dropped; of all sets at once."""
    values: Mapping[str, object] = BASE
    for name in SETS.keys() - FOREIGN:
        values = over(values, SETS[name])
    flags = ("--dry-run=server", "--validate=strict", "-n", OWN, "-f", "-")
    done = plane.kubectl("apply", *flags, stdin=template({**values, "replicas": 2}))

    assert done.ok, done.stderr


def test_everything_that_can_be_said_is_said_in_a_golden_file() -> None:
    """A value in no set could stop doing anything."""
    said = {path for values in (BASE, *SETS.values()) for path in leaves(values)}
    known = leaves(Chart.model_construct().model_dump(by_alias=True)) - {"global"}

    silent = {
        path
        for path in known
        if path not in said and not any(one.startswith(f"{path}.") for one in said)
    }
    assert not silent


def leaves(values: Mapping[str, Any], above: str = "") -> set[str]:
    """Return the paths of values, down to what is no map or an empty one."""
    found = set()
    for name, value in values.items():
        nested = isinstance(value, Mapping) and value and above + name not in WHOLE
        found |= leaves(value, f"{above}{name}.") if nested else {above + name}
    return found
