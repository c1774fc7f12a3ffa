"""What runs is verified again: reports, events, and silence where nothing changes."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from countersign.adapters.audit.store import archive
from countersign.adapters.sign.key import KeySigner
from countersign.binding.canonical import canonical, canonical_json
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.change import Base, ObjectChange, Operation
from countersign.core.types.decision import Batch, Entry
from countersign.core.types.evidence import Result, SignOff
from countersign.core.types.time import Interval
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.signoff import render_sign_off
from tests.support import resources as stored
from tests.support import rights
from tests.support.apiserver import MERGE_PATCH, ApiServer, Refused
from tests.support.lines import events
from tests.support.operating import Operating, operating
from tests.support.owed import broken_glass
from tests.support.reports import OPEN_REPORTS
from tools import controlplane
from tools.controlplane import ControlPlane, Options
from tools.stack.ready import until

pytestmark = pytest.mark.cluster

_ROOT = Path(__file__).parents[2]
USER = "system:serviceaccount:countersign:countersign-operate"
OWN, SPACE, CLUSTER = "countersign", "shop", "test"
_AUDIT: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}


@dataclass(frozen=True)
class Shop:
    """A protected namespace with a signed object, and who signs.

    Attributes:
        plane: The control plane.
        api: Its server, as its administrator.
        key: Dana's.
        audit: The server's log of writes.
    """

    plane: ControlPlane
    api: ApiServer
    key: ec.EllipticCurvePrivateKey
    audit: Path

    def put(self, name: str, **data: str) -> Any:
        """Create a ConfigMap, as nobody was asked about it; return it as stored."""
        return self.api.create(config_map(name, **data))

    async def sign(
        self, tree: Any, *, until_: timedelta = timedelta(days=1)
    ) -> dict[str, Any]:
        """Lay Dana's sign-off of an object beside it."""
        now = datetime.now(UTC)
        intent = canonical(tree, namespace=SPACE)
        change = ObjectChange(
            object=ObjectRef("", "ConfigMap", SPACE, tree["metadata"]["name"]),
            digest=intent.digest,
            operation=Operation.CREATE_OR_UPDATE,
            base=Base.ABSENT,
        )
        claim = SignOff(
            result=Result.APPROVED,
            meanings=frozenset({"approval"}),
            reviewer="Dana",
            started_on=None,
            reviewed_on=now,
            clusters=frozenset({CLUSTER}),
            changes=(change,),
            validity=Interval(now - timedelta(days=2), now + until_),
        )
        bundle = await KeySigner(self.key).sign(render_sign_off(claim))
        tree = render_bundle_set("s", [bundle], [canonical_json(intent.tree)], SPACE)
        found: dict[str, Any] = self.api.create(tree)
        return found

    def report(self) -> dict[str, Any]:
        """Return the report of the namespace; empty before there is one."""
        path = f"/apis/openreports.io/v1alpha1/namespaces/{OWN}/reports/{SPACE}"
        return self.seen(path) or {}

    def seen(self, path: str) -> Any:
        """Return what lies at a path; None: nothing."""
        try:
            return self.api.request("GET", path)
        except Refused as error:
            if error.code != 404:
                raise
            return None

    def faults(self) -> dict[str, str]:
        """Return what is reported of each object by its name."""
        return {
            one["resources"][0]["name"]: one["rule"]
            for one in self.report().get("results", ())
            if "resources" in one
        }

    def writes(self) -> list[tuple[str, str]]:
        """Return what the operator wrote so far: verb, and resource.

        Not that it holds its Lease, and not what it tries with a dry run.
        """
        return [
            (str(one["verb"]), str(one["objectRef"]["resource"]))
            for one in events(self.audit)[0]
            if one["user"]["username"] == USER
            and one["objectRef"]["resource"] != "leases"
            and "dryRun=All" not in one["requestURI"]
        ]

    def events(self, reason: str) -> list[dict[str, Any]]:
        """Return the events of a reason in the namespace."""
        found = self.seen(f"/api/v1/namespaces/{SPACE}/events")["items"]
        return [event for event in found if event["reason"] == reason]


def config_map(name: str, **data: str) -> dict[str, Any]:
    """Return a ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": SPACE},
        "data": data or {"a": "b"},
    }


@pytest.fixture(scope="module", name="shop")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Run a control plane of our own, whose log keeps every write."""
    folder = tmp_path_factory.mktemp("audited")
    (folder / "policy.json").write_text(json.dumps(_AUDIT))
    audit = folder / "audit.log"
    flags = {
        "audit-policy-file": str(folder / "policy.json"),
        "audit-log-path": str(audit),
    }
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with controlplane.running(Options(cluster=CLUSTER, apiserver_flags=flags)) as plane:
        plane.kubectl("apply", "-f", _ROOT / "manifests/crds").check()
        plane.kubectl("apply", "-f", "-", stdin=OPEN_REPORTS).check()
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all").check()
        for name in (OWN, SPACE):
            plane.create_namespace(name)
        chart = _ROOT / "charts/countersign"
        values = (
            "--set",
            "clusterName=test",
            "--set",
            f"protectedNamespaces={{{SPACE}}}",
        )
        rights = ("templates/roles.yaml", "templates/operate-rights.yaml")
        shown = [word for one in rights for word in ("--show-only", one)]
        done = plane.helm("template", "r", chart, "-n", OWN, *values, *shown).check()
        plane.kubectl("apply", "-n", OWN, "-f", "-", stdin=done.stdout).check()
        operate: Any = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "operate"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "countersign-operate",
            },
            "subjects": [
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}
            ],
        }
        plane.kubectl("apply", "-f", "-", stdin=operate).check()
        with closing(ApiServer(plane.admin)) as api:
            dana = {"name": "dana", "pem": pem.decode()}
            for tree in (
                stored.trust_root(keys=[dana]),
                stored.roster(),
                stored.policy(
                    protect={"namespaces": [SPACE]}, preset="manual", provenance={}
                ),
            ):
                for name in ("uid", "generation"):
                    tree["metadata"].pop(name, None)
                api.create(tree)
            yield Shop(plane, api, key, audit)


async def test_reports_what_break_glass_let_in(shop: Shop, tmp_path: Path) -> None:
    """Also what is not there any more, and what is late as a failure. Before others run.

    Fault seen caught: debts asked of the namespace that reports lie in.
    """
    now = datetime.now(UTC)
    owed = broken_glass(now - timedelta(hours=1))
    owed = replace(owed, object=replace(owed.object, namespace=SPACE))
    late = replace(owed, id="Z" * 26, review_due=now - timedelta(hours=1))
    async with archive(tmp_path / "audit.db") as store:
        entries = (Entry(1, owed), Entry(2, late))
        await store.add(Batch(spool="0" * 32, entries=entries, lost=0, more=False))

    with operating(
        shop.plane,
        tmp_path,
        shop.plane.user(USER),
        cluster_name=CLUSTER,
        own_namespace=OWN,
        scan__every_s=1,
        scan__rate=500,
    ):
        until(lambda: "" if shop.report() else "none", what="a report")
        results = shop.report()["results"]

    told = {one["rule"]: one for one in results if "properties" in one}
    assert {rule: one["result"] for rule, one in told.items()} == {
        "reviewOwed": "warn",
        "reviewOverdue": "fail",
    }
    close = f"countersign sign-off --decision {owed.id}"
    assert told["reviewOwed"]["message"].endswith(close)


@pytest.fixture(scope="module", name="operated")
def _operated(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operating]:
    folder = tmp_path_factory.mktemp("rescanned")
    with operating(
        shop.plane,
        folder,
        shop.plane.user(USER),
        cluster_name=CLUSTER,
        own_namespace=OWN,
        scan__every_s=1,
        scan__rate=500,
    ) as operated:
        yield operated


def becomes(shop: Shop, **faults: str) -> None:
    """Wait until exactly these faults are reported."""
    expected = {name.replace("_", "-"): fault for name, fault in faults.items()}

    def otherwise() -> str:
        seen = shop.faults()
        return "" if shop.report() and seen == expected else f"saw {seen}"

    until(otherwise, what=f"{expected} to be reported")


@pytest.mark.usefixtures("operated")
async def test_says_what_is_wrong_with_what_runs_and_then_is_silent(
    shop: Shop, operated: Operating
) -> None:
    """Never signed, changed since, withdrawn, out of time; and once mended, nothing."""
    stray = shop.put("stray")
    signed = shop.put("signed")
    await shop.sign(config_map("signed"))
    becomes(shop, stray="neverSeen")

    api = shop.api
    api.patch(signed, {"data": {"a": "changed"}}, MERGE_PATCH)
    becomes(shop, stray="neverSeen", signed="drift")
    (event,) = shop.events("Drifted")
    assert event["involvedObject"]["uid"] == signed["metadata"]["uid"]
    assert "countersign sign-off --live -n shop ConfigMap/signed" in event["message"]

    api.patch(signed, {"data": {"a": "b"}}, MERGE_PATCH)
    await shop.sign(config_map("stray"), until_=timedelta(days=-1))
    becomes(shop, stray="expired")
    summary = shop.report()["summary"]
    assert (summary["warn"], summary["fail"], summary["error"]) == (1, 0, 0)

    revoked = stored.stored(
        "Revocation",
        "dana",
        {"entries": [{"kind": "person", "value": "dana", "reason": "left"}]},
    )
    for name in ("uid", "generation"):
        revoked["metadata"].pop(name)
    api.create(revoked)
    becomes(shop, stray="revoked", signed="revoked")
    api.delete(revoked)
    becomes(shop, stray="expired")

    scans = operated.metric("countersign_scan_timestamp_seconds")
    writes = shop.writes()
    until(
        lambda: (
            ""
            if operated.metric("countersign_scan_timestamp_seconds") > scans + 3
            else "none yet"
        ),
        what="further scans",
    )
    assert shop.writes() == writes
    for tree in (stray, signed):
        api.delete(tree)
    becomes(shop)
    gone = {"spec": {"protect": {"namespaces": ["other"]}}}
    api.patch(stored.policy(), gone, MERGE_PATCH)
    until(lambda: "there" if shop.report() else "", what="a report that goes")


def rendered(plane: ControlPlane) -> list[dict[str, Any]]:
    """Return what the chart makes."""
    chart = _ROOT / "charts/countersign"
    values = ("--set", "clusterName=test", "--set", f"protectedNamespaces={{{SPACE}}}")
    done = plane.helm("template", "r", chart, "-n", OWN, *values).check()
    return [tree for tree in yaml.safe_load_all(done.stdout) if tree]


def test_certificates_are_renewed_by_the_authority_that_is_registered(
    shop: Shop, tmp_path: Path
) -> None:
    """Long before they end, by who may read no other Secret; they go with it."""
    plane, secrets = shop.plane, {}
    for tree in rendered(plane):
        if tree["kind"] == "Secret":
            plane.kubectl("apply", "-n", OWN, "-f", "-", stdin=tree).check()
            secrets[tree["metadata"]["name"]] = tree["data"]

    def leaf(name: str) -> Any:
        return shop.seen(f"/api/v1/namespaces/{OWN}/secrets/{name}")

    def certificate(secret: Any) -> x509.Certificate:
        return x509.load_pem_x509_certificate(b64decode(secret["data"]["tls.crt"]))

    def appears(name: str) -> None:
        until(lambda: "" if leaf(name) else "none", what=name)

    def changes(seen: x509.Certificate) -> None:
        def same() -> str:
            now = certificate(leaf("countersign-tls-renewed"))
            return "the same" if now == seen else ""

        until(same, what="a new certificate")

    names = {
        "countersign-tls-renewed": f"countersign.{OWN}.svc",
        "countersign-spool-renewed": "countersign-serve",
        "countersign-recorder-renewed": f"countersign-recorder.{OWN}.svc",
        "countersign-client-renewed": "countersign-recorder",
    }
    with operating(
        plane,
        tmp_path,
        plane.user(USER),
        own_namespace=OWN,
        scan__every_s=0,
        certificates__days=6 / 86400,
        certificates__every_s=0.2,
        certificates__authorities=",".join(sorted(n for n in secrets if "auth" in n)),
    ):
        for name, told in names.items():
            appears(name)
            first = certificate(leaf(name))
            of = "webhook" if "tls" in name else "internal"
            authority = leaf(f"countersign-{of}-authority")
            first.verify_directly_issued_by(certificate(authority))
            (common,) = first.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            assert common.value == told
            (owner,) = leaf(name)["metadata"]["ownerReferences"]
            assert owner["uid"] == authority["metadata"]["uid"]
        seen = certificate(leaf("countersign-tls-renewed"))
        changes(seen)
        assert datetime.now(UTC) < seen.not_valid_after_utc
    registered = secrets["countersign-tls"]["ca.crt"]
    assert registered == secrets["countersign-webhook-authority"]["tls.crt"]


@pytest.mark.parametrize(
    ("verb", "resource", "space", "may"),
    [
        ("get", "secrets/countersign-tls-renewed", OWN, True),
        ("get", "secrets/countersign-tls", OWN, False),
        ("list", "secrets", OWN, False),
        ("create", "secrets", OWN, False),
        ("list", "secrets", SPACE, False),
        ("patch", "secrets/countersign-tls", OWN, False),
        ("delete", "secrets/countersign-tls-renewed", OWN, False),
        ("update", "leases.coordination.k8s.io/other", OWN, False),
        ("create", "reports.openreports.io", SPACE, False),
        ("create", "deployments", SPACE, False),
        ("patch", "deployments", SPACE, False),
        ("delete", "pods", SPACE, False),
    ],
)
def test_whoever_takes_it_over_gains_little(
    shop: Shop, verb: str, resource: str, space: str, *, may: bool
) -> None:
    """It writes nothing where the gate stands, and reads no value of a Secret."""
    assert rights.may(shop.api, USER, verb, resource, space) is may


def test_another_one_takes_over_and_the_first_comes_back_to_wait(
    shop: Shop, tmp_path: Path
) -> None:
    """After an orderly end at once; after a kill when the Lease has run out."""
    plane, user = shop.plane, shop.plane.user(USER)

    def said(process: Operating, event: str) -> int:
        return sum(1 for one in events(process.log)[0] if one["event"] == event)

    def waits(process: Operating, event: str, count: int = 1) -> None:
        until(
            lambda: "" if said(process, event) >= count else "not yet",
            what=f"{event} in {process.log}",
        )

    told: dict[str, Any] = {
        "lease__name": "countersign-operate",
        "lease__lasts_s": 3,
        "own_namespace": OWN,
        "waits": False,
    }
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with operating(plane, tmp_path / "a", user, **told) as first:
        waits(first, "leading")
        with operating(plane, tmp_path / "b", user, **told) as second:
            waits(second, "standing_by")
            assert said(second, "recorder_listening") == 0
            plane.ledger.stop("operate-a", grace_s=0)
            waits(second, "leading")
            waits(second, "recorder_listening")
            lease = ("get", "lease", "countersign-operate", "-n", OWN, "-o", "json")
            spec = json.loads(plane.kubectl(*lease).check().stdout)["spec"]
            assert spec["leaseTransitions"] >= 1
            # whoever finds another in its place ends, and does nothing more
            stolen = {"spec": {"holderIdentity": "somebody-else"}}
            plane.kubectl(
                *("patch", "lease", "countersign-operate", "-n", OWN, "--type=merge"),
                *("-p", json.dumps(stolen)),
            ).check()
            until(
                lambda: "alive" if plane.ledger.alive("operate-b") else "",
                what="an end",
            )
            assert "another one leads now: somebody-else" in second.log.read_text()
