"""The operator on a real API server: conditions come, change, and cost one write each."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.adapters.audit.store import archive
from countersign.adapters.sign.key import KeySigner
from countersign.binding.canonical import canonical_json
from countersign.binding.registration import webhook_configuration
from countersign.core.types.decision import Batch, Entry
from countersign.wire.resources.bundleset import render_bundle_set
from tests.support import resources as stored
from tests.support.apiserver import MERGE_PATCH, ApiServer
from tests.support.operating import Operating, operating
from tests.support.owed import broken_glass, review_of
from tools import controlplane
from tools.controlplane import ControlPlane
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

_ROOT = Path(__file__).parents[2]
USER = "countersign-operate"
OURS = "protectionpolicies,rosters,trustroots,revocations,bundlesets"
OPEN = 'countersign_review_debts{state="open"}'
REGISTRATION = "validatingwebhookconfiguration/countersign"
BINDING: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": USER},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": USER,
    },
    "subjects": [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}
    ],
}


@pytest.fixture(scope="module", name="plane")
def _plane() -> Iterator[ControlPlane]:
    """Run a control plane of our own, which does not know our kinds yet."""
    with controlplane.running() as plane:
        plane.kubectl("apply", "-f", _ROOT / "manifests/roles.yaml").check()
        plane.kubectl("apply", "-f", "-", stdin=BINDING).check()
        yield plane


@pytest.fixture(scope="module", name="operated", autouse=True)
def _operated(
    plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operating]:
    """Start the operator, and let our kinds come only then."""
    folder = tmp_path_factory.mktemp("operated")
    with operating(plane, folder, plane.user(USER)) as operated:
        plane.kubectl("apply", "-f", _ROOT / "manifests/crds").check()
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all").check()
        yield operated


@pytest.fixture(name="api")
def _api(plane: ControlPlane) -> Iterator[ApiServer]:
    with closing(ApiServer(plane.admin)) as server:
        yield server
    plane.kubectl("delete", REGISTRATION, "--ignore-not-found").check()
    plane.kubectl("delete", OURS, "--all", "-A").check()


def create(api: ApiServer, tree: Any, **query: str) -> Any:
    """Create an object as people write it."""
    sent = json.loads(json.dumps(tree))
    for name in ("uid", "generation"):
        sent["metadata"].pop(name, None)
    api.create(sent, **query)
    return sent


def everything(api: ApiServer) -> Any:
    """Create a policy and what it names; return the policy."""
    create(api, stored.roster())
    create(api, stored.sigstore_root())
    return create(api, stored.policy())


def condition(api: ApiServer, tree: Any, about: str = "Ready") -> Any:
    """Return a condition of an object; empty before there is one."""
    said = api.get(tree).get("status", {}).get("conditions", ())
    return next((one for one in said if one["type"] == about), {})


def becomes(api: ApiServer, tree: Any, status: str, about: str = "Ready") -> Any:
    """Wait until a condition is `status`; return it."""

    def otherwise() -> str:
        seen = condition(api, tree, about)
        return "" if seen.get("status") == status else f"saw {seen}"

    until(otherwise, what=f"{about}={status}")
    return condition(api, tree, about)


def register(plane: ControlPlane, *protected: str) -> None:
    """Register a webhook that is never called in these tests."""
    tree = webhook_configuration(
        name="countersign",
        protected=protected,
        own_namespace="countersign",
        client_config={"url": "https://127.0.0.1:1/validate"},
    )
    plane.kubectl("apply", "-f", "-", stdin=tree).check()


def reminded(plane: ControlPlane) -> list[Any]:
    """Return the events that somebody owes a review."""
    listed = ("get", "events.events.k8s.io", "-n", "default", "-o", "json")
    found = json.loads(plane.kubectl(*listed).check().stdout)["items"]
    return [event for event in found if event["reason"] == "ReviewOwed"]


def test_a_policy_is_ready_when_all_that_it_names_is(api: ApiServer) -> None:
    """It follows what comes and goes, and says what is missing."""
    policy = create(api, stored.policy())
    said = becomes(api, policy, "False")
    assert "spec.roster: no Roster 'platform' that can be read" in said["message"]
    assert "no TrustRoot 'public-good'" in said["message"]

    roster = create(api, stored.roster())
    create(api, stored.sigstore_root())
    assert becomes(api, policy, "True")["observedGeneration"] == 1

    api.delete(roster)
    assert "no Roster 'platform'" in becomes(api, policy, "False")["message"]


def test_a_typo_that_the_server_let_in_is_named(api: ApiServer) -> None:
    """It keeps unknown fields, so that somebody may refuse them."""
    everything(api)
    tree = stored.policy("ledger", enforcment="audit")
    policy = create(api, tree, fieldValidation="Ignore")
    becomes(api, policy, "False")

    assert api.get(policy)["status"]["invalidFields"] == [
        "spec.enforcment: unknown field"
    ]
    api.patch(policy, {"spec": {"enforcment": None}}, MERGE_PATCH)
    assert becomes(api, policy, "True")["observedGeneration"] == 2
    assert api.get(policy)["status"]["invalidFields"] == []


def test_covered_is_what_is_really_registered(
    plane: ControlPlane, api: ApiServer
) -> None:
    """With the server's own defaults in it; each edit shows, and each mending."""
    policy = everything(api)
    gone = becomes(api, policy, "False", "Covered")
    assert "no ValidatingWebhookConfiguration countersign" in gone["message"]

    register(plane, "payments")
    becomes(api, policy, "True", "Covered")

    ignore = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    edit = ("patch", REGISTRATION, "--type=json", "-p", json.dumps(ignore))
    plane.kubectl(*edit).check()
    said = becomes(api, policy, "False", "Covered")
    assert "failurePolicy is Ignore" in said["message"]
    assert "helm upgrade countersign charts/countersign" in said["message"]

    register(plane, "pay*", "ledger")
    becomes(api, policy, "True", "Covered")
    register(plane, "ledger")
    said = becomes(api, policy, "False", "Covered")
    assert "--set 'protectedNamespaces={ledger,payments}'" in said["message"]


def test_people_see_it_in_a_list(plane: ControlPlane, api: ApiServer) -> None:
    """READY, AGE and what is most worth a column."""
    policy = everything(api)
    becomes(api, policy, "True")
    shown = plane.kubectl("get", "pp,rosters").check().stdout

    assert shown.splitlines()[0].split() == ["NAME", "COVERED", "READY", "AGE"]
    assert shown.splitlines()[1].split()[1:3] == ["False", "True"]
    assert shown.splitlines()[3].split() == ["NAME", "PERSONS", "READY", "AGE"]
    assert shown.splitlines()[4].split()[1:3] == ["1", "True"]


def test_evidence_beside_objects_says_what_it_speaks_of(api: ApiServer) -> None:
    """And that nobody will find it, where its name is another."""
    intent = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    named: Any = render_bundle_set(
        "release", [b"{}"], [json.dumps(intent).encode()], "default"
    )
    create(api, named)
    other = create(api, {**named, "metadata": {"name": "x", "namespace": "default"}})

    becomes(api, named, "True")
    assert api.get(named)["status"]["objects"] == ["ConfigMap/a"]
    assert "expected to end with" in becomes(api, other, "False")["message"]


def test_events_alone_cost_no_write(api: ApiServer, operated: Operating) -> None:
    """Else each write would be the event of the next."""
    policy = everything(api)
    becomes(api, policy, "True")
    becomes(api, policy, "False", "Covered")
    for at in range(5):
        touch = {"metadata": {"labels": {"touched": str(at)}}}
        version = api.patch(policy, touch, MERGE_PATCH)["metadata"]["resourceVersion"]
        # what was made after it has its status: so the touch was looked at
        becomes(api, create(api, stored.roster(name=f"after-{at}")), "True")

        assert api.get(policy)["metadata"]["resourceVersion"] == version
    writes = operated.metric("countersign_status_writes_total")
    becomes(api, create(api, stored.roster(name="last")), "True")

    assert operated.metric("countersign_status_writes_total") == writes + 1


def test_the_time_of_a_transition_is_that_of_a_turn(api: ApiServer) -> None:
    """Not of another message, through the server's merge of lists.

    Failed with the time of the write in all that is said.
    """
    policy = everything(api)
    becomes(api, policy, "False", "Covered")
    said = api.get(policy)["status"]["conditions"]
    long_ago = [{**one, "lastTransitionTime": "2020-01-01T00:00:00Z"} for one in said]
    path = f"{api.path(policy)}/status"
    told = {"status": {"conditions": long_ago}}
    api.request("PATCH", path, told, content_type=MERGE_PATCH)

    api.patch(policy, {"spec": {"enforcement": "audit"}}, MERGE_PATCH)
    until(
        lambda: (
            ""
            if "noted" in condition(api, policy).get("message", "")
            else f"saw {condition(api, policy)}"
        ),
        what="another message",
    )
    assert condition(api, policy)["lastTransitionTime"] == "2020-01-01T00:00:00Z"

    api.delete(stored.roster())
    turned = becomes(api, policy, "False")
    assert turned["lastTransitionTime"] > "2026"


def test_nothing_but_status_is_written_on_our_objects(api: ApiServer) -> None:
    """No annotation, no finalizer, and nothing by another name."""
    policy = everything(api)
    becomes(api, policy, "True")
    about = api.get(policy)["metadata"]
    by = {one["manager"]: one for one in about["managedFields"]}

    assert "annotations" not in about
    assert "finalizers" not in about
    assert by[USER]["subresource"] == "status"
    assert set(by[USER]["fieldsV1"]) == {"f:status"}
    assert len(by) == 2  # and whoever created it


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("update", "protectionpolicies.countersign.dev"),
        ("patch", "protectionpolicies.countersign.dev"),
        ("create", "bundlesets.countersign.dev"),
        ("update", "validatingwebhookconfigurations"),
        ("patch", "customresourcedefinitions"),
        ("get", "secrets"),
        ("list", "configmaps"),
        ("create", "leases"),
        ("patch", "events.events.k8s.io"),
    ],
)
def test_may_do_no_more_than_it_needs(
    plane: ControlPlane, verb: str, resource: str
) -> None:
    """Whoever takes over this process cannot open the gate with it."""
    done = plane.kubectl("auth", "can-i", verb, resource, "-A", user=USER)

    assert done.stdout.strip() == "no"


def test_rights_that_come_back_are_used_and_the_recorder_runs_on(
    plane: ControlPlane, api: ApiServer, operated: Operating
) -> None:
    """Of the operator's faults the recorder knows nothing."""
    policy = everything(api)
    becomes(api, policy, "True")
    failures = 'countersign_operator_failures_total{part="conditions"}'
    before = operated.metric(failures)

    plane.kubectl("delete", "clusterrolebinding", USER).check()
    api.patch(policy, {"spec": {"roster": "nobody"}}, MERGE_PATCH)
    until(
        lambda: "" if operated.metric(failures) > before else "none", what="a failure"
    )
    assert operated.get("/healthz")[0] == 200

    plane.kubectl("apply", "-f", "-", stdin=BINDING).check()
    assert "no Roster 'nobody'" in becomes(api, policy, "False")["message"]


def test_an_api_server_that_comes_back_is_followed(
    plane: ControlPlane, operated: Operating
) -> None:
    """Also what was deleted meanwhile would be missed in no list."""
    with closing(ApiServer(plane.admin)) as api:
        policy = everything(api)
        becomes(api, policy, "True")
    plane.restart_apiserver()
    with closing(ApiServer(plane.admin)) as api:
        api.delete(stored.roster())

        assert "no Roster 'platform'" in becomes(api, policy, "False")["message"]
    assert operated.get("/healthz")[0] == 200
    plane.kubectl("delete", OURS, "--all", "-A").check()


def test_ends_when_it_is_told_to(
    plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By SIGTERM, with nothing torn."""
    folder = tmp_path_factory.mktemp("ended")
    with operating(plane, folder, plane.user(USER)) as other:
        until(
            lambda: "" if other.get("/readyz")[0] == 200 else "not ready",
            what="the recorder",
        )
    said = other.log.read_text()

    assert "Traceback" not in said
    assert "never retrieved" not in said


async def test_a_review_that_lies_beside_the_object_settles_a_debt(
    plane: ControlPlane, api: ApiServer, tmp_path: Path
) -> None:
    """Seen at once, and kept: the metric says what is owed, the store who reviewed."""
    now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
    decision = broken_glass(now - timedelta(hours=1))
    async with archive(tmp_path / "audit.db") as store:
        entries = (Entry(1, decision),)
        await store.add(Batch(spool="0" * 32, entries=entries, lost=0, more=False))
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    dana = {"name": "dana", "pem": pem.decode()}
    create(api, stored.trust_root(keys=[dana]))
    create(api, stored.roster())
    protect = {"namespaces": ["default"]}
    create(api, stored.policy(protect=protect, preset="manual", provenance={}))

    with operating(plane, tmp_path, plane.user(USER)) as other:
        until(lambda: "" if other.metric(OPEN) == 1 else "no debt", what="an open debt")
        until(lambda: "" if reminded(plane) else "not yet", what="a reminder")
        (event,) = reminded(plane)
        assert event["regarding"]["name"] == decision.object.name
        assert event["note"].endswith(f"countersign sign-off --decision {decision.id}")
        bundle = await KeySigner(key).sign(review_of(decision, now))
        assert decision.proposal is not None
        assert decision.proposal.intent is not None
        intent = canonical_json(decision.proposal.intent.tree)
        api.create(render_bundle_set("review", [bundle], [intent], "default"))
        until(
            lambda: "" if other.metric(OPEN) == 0 else "a debt", what="a settled debt"
        )

    async with archive(tmp_path / "audit.db") as store:
        kept = await store.get(decision.id)
    assert kept is not None
    assert kept.reviewed is not None
    assert kept.reviewed.persons == ("dana",)
