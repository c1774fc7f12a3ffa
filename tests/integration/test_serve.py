"""The webhook between a real API server and its own policies: doubt denies."""

import base64
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from countersign.binding.registration import webhook_configuration
from countersign.binding.surface import RECOMMENDED
from tests.support import resources as stored
from tests.support.apiserver import ApiServer, Refused
from tests.support.serving import Serving, Wire, serving
from tests.support.webhook import body
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

_ROOT = Path(__file__).parents[2]
NAME = "countersign-test"
SPACE = "guarded"
USER = "countersign-serve"
OURS = "protectionpolicies,rosters,trustroots,revocations"
CLOSE: dict[str, object] = {
    "protected_namespaces": SPACE,
    "cluster__watch_s": 1.0,
    "cluster__stale_s": 3.0,
}


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run a control plane of our own: it is restarted, and policies come and go."""
    with controlplane.running() as plane:
        for file in ("crds", "roles.yaml"):
            plane.kubectl("apply", "-f", _ROOT / "manifests" / file).check()
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all").check()
        plane.kubectl("create", "namespace", SPACE).check()
        bind = ("create", "clusterrolebinding", USER, f"--clusterrole={USER}")
        plane.kubectl(*bind, f"--user={USER}").check()
        yield plane


@pytest.fixture(name="api")
def _api(plane: ControlPlane) -> Iterator[ApiServer]:
    with closing(ApiServer(plane.admin)) as server:
        yield server


@pytest.fixture(scope="module", name="wire")
def _wire(plane: ControlPlane) -> Iterator[Wire]:
    wire = Wire(plane.url)
    yield wire
    wire.close()


@pytest.fixture(scope="module", name="kubeconfig")
def _kubeconfig(
    plane: ControlPlane, wire: Wire, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return how the webhook reaches the API server: by the wire, with its own role."""
    return wire.kubeconfig(plane.user(USER), tmp_path_factory.mktemp("wire"))


@pytest.fixture(scope="module", name="served")
def _served(
    plane: ControlPlane, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    """Start a webhook that follows its policies closely."""
    folder = tmp_path_factory.mktemp("served")
    with serving(plane, folder, kubeconfig, **CLOSE) as served:
        served.ready()
        yield served


@pytest.fixture(name="clean", autouse=True)
def _clean(plane: ControlPlane, wire: Wire) -> Iterator[None]:
    """Undo what a test does to wire and cluster, the registration first."""
    yield
    wire.mend()
    gone = ("delete", "validatingwebhookconfiguration", NAME, "--ignore-not-found")
    plane.kubectl(*gone).check()
    plane.kubectl("delete", OURS, "--all").check()


@pytest.fixture(name="webhook")
def _webhook(plane: ControlPlane, served: Serving) -> Serving:
    """Register the webhook, and wait until the API server asks it."""
    register(plane, served)
    return served


def register(plane: ControlPlane, served: Serving, **more: Any) -> None:
    """Register a webhook; return when the API server asks it about `SPACE`."""
    tree = webhook_configuration(
        name=NAME,
        protected=(SPACE,),
        own_namespace="countersign",
        client_config={
            "url": f"{served.url}/validate",
            "caBundle": base64.b64encode(served.authority).decode(),
        },
        **more,
    )
    plane.kubectl("apply", "-f", "-", stdin=tree).check()
    until(
        lambda: "" if "countersign.dev" in why(plane) else "not asked", what="webhook"
    )


def why(plane: ControlPlane) -> str:
    """Return why a ConfigMap cannot be created in `SPACE`; empty if it can."""
    done = plane.kubectl("create", "configmap", "x", "-n", SPACE, "--dry-run=server")
    return done.stderr


def eventually(plane: ControlPlane, said: str) -> None:
    """Wait until a ConfigMap is denied in words that hold `said`."""
    until(lambda: "" if said in (seen := why(plane)) else seen, what=repr(said))


def everything(api: ApiServer, *, policy: dict[str, Any] | None = None) -> None:
    """Create a policy for `SPACE` and what it needs."""
    for tree in (
        stored.roster(),
        stored.sigstore_root(),
        policy or stored.policy(protect={"namespaces": [SPACE]}),
    ):
        del tree["metadata"]["uid"], tree["metadata"]["generation"]
        api.create(tree)


def test_denies_and_is_not_ready_until_it_has_seen_everything(
    plane: ControlPlane, api: ApiServer, wire: Wire, kubeconfig: Path, tmp_path: Path
) -> None:
    """It listens from the start: nothing hangs, and a denial says why."""
    everything(api)
    wire.cut()
    with serving(plane, tmp_path, kubeconfig, protected_namespaces=SPACE) as served:
        register(plane, served)

        assert "has not read its policies yet and admits nothing" in why(plane)
        status, missing = served.get("/readyz")
        assert status == 503
        assert "no first list of ProtectionPolicy yet" in missing
        assert served.get("/healthz") == (200, "ok\n")

        wire.mend()
        eventually(plane, "a change that comes without any evidence")
        served.ready()


def test_denies_when_it_has_not_heard_of_its_policies_for_long(
    plane: ControlPlane, api: ApiServer, wire: Wire, webhook: Serving
) -> None:
    """A watch cut without a sound is noticed, and mended without a restart."""
    everything(api)
    eventually(plane, "a change that comes without any evidence")

    wire.cut()
    eventually(plane, "has lost sight of its policies")
    assert "no word about " in why(plane)
    assert webhook.get("/readyz")[0] == 503
    assert webhook.metric(age_of("ProtectionPolicy")) > 1

    wire.mend()
    eventually(plane, "a change that comes without any evidence")
    webhook.ready()


def test_a_protected_namespace_without_a_policy_denies(
    plane: ControlPlane, api: ApiServer, webhook: Serving
) -> None:
    """The floor under the policies; and there is a policy as soon as it is written."""
    del webhook
    eventually(plane, "this namespace is protected, and no policy says how")

    everything(api)
    eventually(plane, "a change that comes without any evidence")

    api.delete(stored.policy())
    eventually(plane, "this namespace is protected, and no policy says how")


@pytest.mark.parametrize("validation", ["Strict", "Ignore"])
def test_a_misspelt_policy_is_not_written(
    api: ApiServer, webhook: Serving, validation: str
) -> None:
    """Also with the server's own validation off; each problem has its path."""
    del webhook
    tree = stored.policy(protect={"namespaces": [SPACE], "exlude": []}, signOf={})
    del tree["metadata"]["uid"], tree["metadata"]["generation"]

    with pytest.raises(Refused) as refused:
        api.create(tree, fieldValidation=validation)

    assert "spec.protect.exlude: unknown field" in str(refused.value)
    assert "spec.signOf: unknown field" in str(refused.value)


def test_a_policy_that_loses_its_sense_in_an_update_is_not_written(
    api: ApiServer, webhook: Serving
) -> None:
    """A patch is judged by what it results in."""
    del webhook
    everything(api)
    patch = {"spec": {"enforcment": "audit"}}

    with pytest.raises(Refused, match=r"spec\.enforcment: unknown field"):
        api.patch(stored.policy(), patch, "application/merge-patch+json")


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        (
            stored.roster(
                stored.person(),
                stored.person("ravi", aliases={"git": ["dana@acme.example"]}),
            ),
            "expected each id, identity and alias once",
        ),
        (
            stored.trust_root(keys=[{"name": "k", "pem": "garbage"}]),
            "a public key in PEM",
        ),
        (stored.revocation({"kind": "bundle", "value": "x"}), "expected sha256:"),
        (
            stored.bundle_set(stored.packed(b"x", data="AAAA")),
            "expected gzip in base64",
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_objects_of_ours_that_nobody_could_read_are_not_written(
    api: ApiServer, webhook: Serving, tree: dict[str, Any], problem: str
) -> None:
    """What a schema cannot say, the parser does."""
    del webhook
    sent = {**tree, "metadata": {"name": tree["metadata"]["name"]}}
    if tree["kind"] == "BundleSet":
        sent["metadata"]["namespace"] = SPACE

    with pytest.raises(Refused, match=problem):
        api.create(sent)


def test_evidence_may_be_put_beside_objects_by_anyone_with_the_right(
    api: ApiServer, webhook: Serving
) -> None:
    """Writing a BundleSet is not gated: what is in it is proven when it is used."""
    del webhook
    tree = stored.bundle_set(stored.packed(b"bundle"))
    tree["metadata"] = {"name": tree["metadata"]["name"], "namespace": SPACE}
    try:
        api.create(tree)
        with pytest.raises(Refused, match="does not change"):
            api.patch(tree, {"spec": {"intents": []}}, "application/merge-patch+json")
    finally:
        api.delete(tree)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        pytest.param(
            {"signOf": {}}, "spec.signOf: unknown field", id="a misspelt field"
        ),
        pytest.param(
            {"roster": "elsewhere"},
            "spec.roster: no Roster 'elsewhere'",
            id="a roster that is not there",
        ),
        pytest.param(
            {"protect": {"namespaces": [SPACE], "excusedApiGroups": ["shop.example"]}},
            "spec.protect.excusedApiGroups: this version cannot honour it",
            id="what only a later version can do",
        ),
    ],
)
def test_an_invalid_policy_that_is_stored_denies_what_it_would_have_matched(
    plane: ControlPlane,
    api: ApiServer,
    served: Serving,
    spec: dict[str, Any],
    problem: str,
) -> None:
    """It came in before the webhook did: the load refuses what admission would have."""
    spec = {"protect": {"namespaces": [SPACE]}, **spec}
    everything(api, policy=stored.policy(**spec))

    register(plane, served)

    eventually(plane, problem)


@pytest.mark.parametrize(
    ("method", "path", "content_type", "status"),
    [
        ("POST", "/validat", "application/json", 404),
        ("POST", "/validate/", "application/json", 404),
        ("POST", "/", "application/json", 404),
        ("POST", "/%2e/validate", "application/json", 404),
        ("POST", "//validate", "application/json", 404),
        ("POST", "/validate", "application/yaml", 415),
        ("POST", "/validate", "text/plain", 415),
        ("GET", "/validate", "application/json", 405),
        ("PATCH", "/validate", "application/json", 405),
    ],
)
def test_refuses_what_is_not_exactly_its_path_and_content(
    served: Serving, method: str, path: str, content_type: str, status: int
) -> None:
    """No slip in a registration ends at a verdict."""
    code, text = served.request(method, path, body(), content_type)

    assert code == status
    assert "allowed" not in text


def test_an_unknown_path_in_the_registration_denies(
    plane: ControlPlane, served: Serving
) -> None:
    """The API server makes a refusal of every answer that is no review."""
    register(plane, replace(served, url=f"{served.url}/nowhere"))

    assert "failed calling webhook" in why(plane)


def test_may_read_what_it_needs_and_write_nothing(
    plane: ControlPlane, served: Serving
) -> None:
    """Every watch is filled with the role that the chart gives."""
    kinds = {
        line.partition('"')[2].partition('"')[0]
        for line in served.get("/metrics")[1].splitlines()
        if line.startswith("countersign_watch_age_seconds{")
    }

    for kind in kinds:
        until(
            lambda: "" if served.metric(age_of(kind)) < 60 else "never",  # noqa: B023
            what=kind,
        )
    for verb in ("create", "update", "patch", "delete"):
        assert not allowed(plane, verb, "configmaps")
        assert not allowed(plane, verb, "protectionpolicies.countersign.dev")
    assert not allowed(plane, "list", "secrets")
    assert not allowed(plane, "get", "secrets")


def age_of(kind: str) -> str:
    """Return the metric of a watch's age."""
    return f'countersign_watch_age_seconds{{kind="{kind}"}}'


def allowed(plane: ControlPlane, verb: str, resource: str) -> bool:
    """Tell whether the webhook's user may do something anywhere."""
    done = plane.kubectl("auth", "can-i", verb, resource, "-A", user=USER)
    return done.stdout.strip() == "yes"


def test_the_api_server_comes_up_without_us(
    plane: ControlPlane, kubeconfig: Path, tmp_path: Path
) -> None:
    """Rule 17: it writes its bootstrap roles before anybody could answer.

    With cluster-scoped kinds registered, a bootstrap role missing and the webhook dead,
    an API server that asked us would exit after half a minute.
    """
    with serving(plane, tmp_path, kubeconfig, protected_namespaces=SPACE) as served:
        served.ready()
        register(plane, served, cluster_scoped=RECOMMENDED)
        plane.kubectl("delete", "clusterrole", "system:basic-user").check()
    assert "failed calling webhook" in why(plane)

    plane.restart_apiserver()

    plane.kubectl("get", "clusterrole", "system:basic-user").check()
    assert "failed calling webhook" in why(plane)
