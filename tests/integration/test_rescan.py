"""What runs is verified again: reports, events, and silence where nothing changes."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.adapters.sign.key import KeySigner
from countersign.binding.canonical import canonical, canonical_json
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.change import Base, ObjectChange, Operation
from countersign.core.types.evidence import Result, SignOff
from countersign.core.types.time import Interval
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.signoff import render_sign_off
from tests.support import resources as stored
from tests.support.apiserver import MERGE_PATCH, ApiServer
from tests.support.lines import events
from tests.support.operating import Operating, operating
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
        found = self.plane.kubectl(
            "get", "reports.openreports.io", SPACE, "-n", OWN, "-o", "json"
        )
        return json.loads(found.stdout) if found.code == 0 else {}

    def faults(self) -> dict[str, str]:
        """Return what is reported of each object by its name."""
        return {
            one["resources"][0]["name"]: one["rule"]
            for one in self.report().get("results", ())
            if "resources" in one
        }

    def writes(self) -> list[tuple[str, str]]:
        """Return what the operator wrote so far: verb, and resource; the Lease apart."""
        return [
            (str(one["verb"]), str(one["objectRef"]["resource"]))
            for one in events(self.audit)[0]
            if one["user"]["username"] == USER
            and one["objectRef"]["resource"] != "leases"
        ]

    def events(self, reason: str) -> list[dict[str, Any]]:
        """Return the events of a reason in the namespace."""
        found = self.plane.kubectl("get", "events", "-n", SPACE, "-o", "json").check()
        return [e for e in json.loads(found.stdout)["items"] if e["reason"] == reason]


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
        lease__name="countersign-operate",
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
            if operated.metric("countersign_scan_timestamp_seconds") > scans + 12
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
