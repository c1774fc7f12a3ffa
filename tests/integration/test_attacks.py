"""What people with rights try against the gate: none of it changes what runs.

Lee administers the namespace and signs nothing that counts; the administrator may act
as every controller. Each test is a way round that somebody thought of.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from countersign.adapters.proof.stamps import claimed_time
from tests.support import chart
from tests.support.chart import NAMESPACE, Tree
from tests.support.gate import (
    Gate,
    Judged,
    annotations,
    changed,
    documents,
    written,
)
from tools.stack.people import DANA, LEE

BUNDLES, INTENT = "countersign.dev/bundles", "countersign.dev/intent"
VICTIM = "victim"


@pytest.fixture(name="victim", scope="module")
def _victim(gate: Gate) -> str:
    """Apply a signed application with a Pod."""
    trees = [
        chart.deployment(VICTIM),
        chart.service(VICTIM),
        chart.config_map(VICTIM),
        chart.job(VICTIM),
        _secret(VICTIM),
        next(t for t in chart.everything(VICTIM) if t["kind"] == "Ingress"),
    ]
    applied = gate.apply(gate.approved(*trees))
    assert applied.admitted, applied.out
    return gate.pod(VICTIM)


def _secret(name: str) -> Tree:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": {"user": "ledger", "password": "hunter2-and-more"},
    }


# Bundles: what is signed of them is the statement alone.


def test_a_developer_hangs_on_a_range_of_his_own(gate: Gate, name: str) -> None:
    """Dana approved one replica; beside her sign-off is one that says 1000."""
    elastic = f"Deployment/{name}:/spec/replicas=0..1000"
    own = gate.sign(gate.attest(chart.deployment(name)), "--elastic", elastic, by=LEE)
    assert gate.apply(gate.sign(own, by=DANA)).admitted

    denied = gate.kubectl("scale", "deployment", name, "--replicas=7")

    assert denied.reasons == ("subresource",), denied.out


def test_a_stamp_is_taken_off_so_that_the_past_returns(gate: Gate, name: str) -> None:
    """What replaced it has no time any more; that does not make it old."""
    first = gate.approved(chart.config_map(name, region="old"))
    assert gate.apply(first).admitted
    second = _after(first, gate, chart.config_map(name, region="new"))
    assert gate.apply(second).admitted
    tree = documents(second)[0]
    bundles = _bundles(tree)
    for bundle in bundles:
        del bundle["verificationMaterial"]["timestampVerificationData"]
    annotations(tree)[BUNDLES] = _packed(bundles)
    assert gate.apply(written([tree])).admitted

    denied = gate.apply(first)

    assert "stale_base" in denied.reasons, denied.out


def test_undo_brings_back_what_was_replaced(gate: Gate, name: str) -> None:
    """The old ReplicaSet still holds the old evidence."""
    first = gate.approved(chart.deployment(name))
    assert gate.apply(first).admitted
    gate.pod(name)
    tree = chart.deployment(name)
    tree["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "eu-north-1"
    assert gate.apply(_after(first, gate, tree)).admitted

    denied = gate.kubectl("rollout", "undo", f"deployment/{name}")

    assert "stale_base" in denied.reasons, denied.out


def test_old_evidence_beside_the_new(gate: Gate, name: str) -> None:
    """Both sets of bundles, and the old state."""
    first = gate.approved(chart.config_map(name, region="old"))
    second = _after(first, gate, chart.config_map(name, region="new"))
    assert gate.apply(first).admitted
    assert gate.apply(second).admitted
    old, new = documents(first)[0], documents(second)[0]
    annotations(old)[BUNDLES] = _packed(_bundles(new) + _bundles(old))

    denied = gate.apply(written([old]))

    assert "stale_base" in denied.reasons, denied.out


def test_a_withdrawn_bundle_is_written_anew(gate: Gate, name: str) -> None:
    """Other spaces, another digest, the same statement."""
    text = gate.approved(chart.config_map(name))
    tree = documents(text)[0]
    bundles = _bundles(tree)
    values = [_statement_digest(bundle) for bundle in bundles]
    revocation = {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Revocation",
        "metadata": {"name": name},
        "spec": {"entries": [{"kind": "bundle", "value": v} for v in values]},
    }
    annotations(tree)[BUNDLES] = _packed(bundles, indent=1)
    with changed(gate, revocation):
        gate.wait_for("revoked", text)
        denied = gate.apply(written([tree]))

    assert "revoked" in denied.reasons, denied.out


def test_a_sign_off_to_create_updates_nothing(gate: Gate, name: str) -> None:
    """The operation is signed, too."""
    text = gate.sign(gate.attest(chart.config_map(name)), "--operation", "create")
    assert gate.apply(text).admitted
    attested = gate.attest(chart.config_map(name, region="new"))

    denied = gate.apply(gate.sign(attested, "--operation", "create"))

    assert "wrong_operation" in denied.reasons, denied.out


def test_a_generated_name_is_no_name_of_choice(gate: Gate, name: str) -> None:
    """What was signed for a prefix neither makes a chosen name nor updates."""
    tree = chart.config_map(name)
    tree["metadata"]["generateName"] = f"{tree['metadata'].pop('name')}-"
    signed = documents(gate.approved(tree))[0]
    created = gate.kubectl("create", "-f", "-", "-o", "name", stdin=signed)
    chosen = {**signed, "metadata": {**signed["metadata"], "name": f"{name}-evil"}}
    live = created.out.partition("/")[2].strip()

    assert created.admitted, created.out
    assert gate.kubectl("create", "-f", "-", stdin=chosen).reasons
    assert gate.kubectl("label", "configmap", live, "x=y").reasons


# The server, and what it equates.

MUTATIONS: dict[str, tuple[Callable[[str], Tree], Callable[[Tree], object]]] = {
    "a value under another key": (
        _secret,
        lambda t: t["stringData"].update(user="hunter2-and-more", password="ledger"),
    ),
    "a value of a secret": (_secret, lambda t: t["stringData"].update(user="evil")),
    "a key more": (_secret, lambda t: t.update(data={"more": ""})),
    "another type": (_secret, lambda t: t.update(type="example.com/other")),
    "immutable": (_secret, lambda t: t.update(immutable=True)),
    "data as bytes": (
        chart.config_map,
        lambda t: t.update(binaryData={"region": _encoded(t.pop("data")["region"])}),
    ),
    "an empty value": (chart.config_map, lambda t: t["data"].update(more=None)),
    "a letter that looks the same": (
        chart.config_map,
        lambda t: t["data"].update(region="eu-сentral-1"),  # noqa: RUF001
    ),
    "a port as a name": (
        chart.service,
        lambda t: t["spec"]["ports"][0].update(targetPort="http"),
    ),
    "an address of one's own": (
        chart.service,
        lambda t: t["spec"].update(externalIPs=["192.0.2.66"]),
    ),
    "a port on each node": (chart.service, lambda t: t["spec"].update(type="NodePort")),
    "another host": (
        chart.service,
        lambda t: t.update(spec={"type": "ExternalName", "externalName": "evil.test"}),
    ),
    "no selector": (chart.service, lambda t: t["spec"].pop("selector")),
    "a suspended job": (chart.job, lambda t: t["spec"].update(suspend=True)),
    "a job of many": (chart.job, lambda t: t["spec"].update(completions=9)),
    "an owner": (
        chart.job,
        lambda t: t["metadata"].update(
            ownerReferences=[
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": "x",
                    "uid": "x",
                    "controller": True,
                }
            ]
        ),
    ),
    "helm's secret": (
        _secret,
        lambda t: t["metadata"].update(
            name="sh.helm.release.v1.x.v1", labels={"owner": "helm"}
        ),
    ),
}


@pytest.fixture(name="signed", scope="module")
def _signed(gate: Gate) -> dict[str, Tree]:
    """Sign one object of each kind, together."""
    name = "mutant"
    made = [chart.config_map(name), chart.service(name), chart.job(name), _secret(name)]
    return {tree["kind"]: tree for tree in documents(gate.approved(*made))}


@pytest.mark.parametrize("what", MUTATIONS)
def test_one_field_after_the_signature(
    gate: Gate, signed: dict[str, Tree], what: str
) -> None:
    """Each is a change, however close to what was signed."""
    make, mutate = MUTATIONS[what]
    tree = make("mutant")
    tree["metadata"]["annotations"] = annotations(signed[tree["kind"]])
    good = gate.kubectl("create", "-f", "-", "--dry-run=server", stdin=tree)
    mutate(tree)

    denied = gate.kubectl("create", "-f", "-", "--dry-run=server", stdin=tree)

    assert good.admitted, good.out
    assert denied.reasons, denied.out
    assert not {"unavailable", "not_ready"} & set(denied.reasons)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (f"registry.k8s.io/pause@sha256:{'7' * 64}", ""),
        (f"registry.k8s.io.evil.test/pause@sha256:{'7' * 64}", "authors_unknown"),
        (f"registry.k8s.io/a/pause@sha256:{'7' * 64}", "authors_unknown"),
        (f"evil.test/registry.k8s.io/pause@sha256:{'7' * 64}", "authors_unknown"),
        (f"registry.k8s.io/pause@sha512:{'7' * 128}", "image_unpinned"),
        ("registry.k8s.io/pause:3.10", "image_unpinned"),
        ("registry.k8s.io/Pause@sha256:" + "7" * 64, "image_unpinned"),
    ],
)
@pytest.mark.parametrize("where", ["container", "volume"])
def test_an_image_that_is_nobodys(
    gate: Gate, where: str, image: str, reason: str
) -> None:
    """Signed, but nobody knows who made it, or it can be moved."""
    tree = chart.deployment("images")
    pod = tree["spec"]["template"]["spec"]
    if where == "container":
        pod["initContainers"] = [{"name": "first", "image": image}]
    else:
        pod["volumes"] = [{"name": "first", "image": {"reference": image}}]
    done = gate.apply(gate.approved(tree), "--dry-run=server")

    assert (reason in done.reasons) if reason else done.admitted, done.out


# Doors beside the object.

SUBRESOURCES = {
    "the status of traffic": (
        "patch",
        f"ingress/{VICTIM}",
        "--subresource=status",
        "--type=merge",
        '--patch={"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.66"}]}}}',
    ),
    "a revision through the status": (
        "patch",
        f"deployment/{VICTIM}",
        "--subresource=status",
        "--type=merge",
        '--patch={"metadata":{"annotations":{"deployment.kubernetes.io/revision":"9"}}}',
    ),
    "a finalizer through the status": (
        "patch",
        f"deployment/{VICTIM}",
        "--subresource=status",
        "--type=merge",
        '--patch={"metadata":{"finalizers":["acme.example/mine"]}}',
    ),
    "the set's number": (
        "scale",
        "replicaset",
        f"--selector=app={VICTIM}",
        "--replicas=3",
    ),
    "a token": ("create", "token", "default"),
    "a proxy to a service": (
        "get",
        f"--raw=/api/v1/namespaces/{NAMESPACE}/services/{VICTIM}/proxy/",
    ),
}


@pytest.mark.usefixtures("victim")
@pytest.mark.parametrize("what", SUBRESOURCES)
def test_a_side_door(gate: Gate, what: str) -> None:
    """Not for the administrator either."""
    denied = gate.kubectl(*SUBRESOURCES[what], by=None)

    assert denied.code != 0
    assert "denied the request" in denied.out


EDITS = {
    "a server-side apply": (
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=other",
        "-f",
        "-",
    ),
    "a pause": ("rollout", "pause", f"deployment/{VICTIM}"),
    "a JSON patch": (
        "patch",
        f"deployment/{VICTIM}",
        "--type=json",
        '--patch=[{"op":"add","path":"/spec/template/spec/hostNetwork","value":true}]',
    ),
    "an intent less": ("annotate", f"deployment/{VICTIM}", f"{INTENT}-"),
    "bundles less": ("annotate", f"deployment/{VICTIM}", f"{BUNDLES}-"),
    "an unknown note of ours": ("annotate", f"deployment/{VICTIM}", f"{BUNDLES}x=1"),
    "a Pod's label": ("label", "pod", f"--selector=app={VICTIM}", "tier=front"),
    "a set's label": ("label", "replicaset", f"--selector=app={VICTIM}", "tier=front"),
    "all of a kind": ("delete", "configmaps", "--all"),
    "another start": ("replace", "--force", "-f", "-"),
    "more of it": ("autoscale", f"deployment/{VICTIM}", "--max=9", "--name=more"),
    "a way in": ("expose", "deployment", VICTIM, "--name=way", "--port=80"),
    "rights": ("create", "rolebinding", "x", "--clusterrole=view", "--user=lee"),
}


@pytest.mark.usefixtures("victim")
@pytest.mark.parametrize("what", EDITS)
def test_an_edit(gate: Gate, what: str) -> None:
    """Whatever the verb, the result is judged."""
    tree = chart.deployment(VICTIM)
    tree["metadata"]["labels"]["tier"] = "front"
    denied = gate.kubectl(*EDITS[what], stdin=tree if "-" in EDITS[what] else None)

    assert denied.code != 0
    assert denied.reasons, denied.out


def _merge(kind: str, patch: Tree, name: str = VICTIM) -> tuple[str, ...]:
    return ("patch", kind, name, "--type=merge", f"--patch={json.dumps(patch)}")


_OWNED = {
    "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": VICTIM, "uid": "x"}
    ]
}
ACTORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "another template": (
        "deployment-controller",
        _merge("deployment", {"spec": {"template": {"spec": {"hostPID": True}}}}),
    ),
    "a number of its own": (
        "deployment-controller",
        _merge("deployment", {"spec": {"replicas": 9}}),
    ),
    "a number nobody signed": (
        "horizontal-pod-autoscaler",
        ("scale", "deployment", VICTIM, "--replicas=9"),
    ),
    "an owner for what has none": (
        "generic-garbage-collector",
        _merge("configmap", {"metadata": _OWNED}),
    ),
    "a finalizer": (
        "generic-garbage-collector",
        _merge("configmap", {"metadata": {"finalizers": ["orphan"]}}),
    ),
    "garbage that is none": (
        "generic-garbage-collector",
        ("delete", "configmap", VICTIM),
    ),
    "the end of a namespace that stays": (
        "namespace-controller",
        ("delete", "configmap", VICTIM),
    ),
    "a job before its time": (
        "ttl-after-finished-controller",
        ("delete", "job", VICTIM),
    ),
    "a Secret that is no token": (
        "legacy-service-account-token-cleaner",
        ("delete", "secret", VICTIM),
    ),
    "other roots": (
        "root-ca-cert-publisher",
        _merge("configmap", {"data": {"ca.crt": "evil"}}, "kube-root-ca.crt"),
    ),
    "an account that has secrets": (
        "service-account-controller",
        _merge("serviceaccount", {"imagePullSecrets": [{"name": "x"}]}, "default"),
    ),
    "a volume for a claim that is none": (
        "persistent-volume-binder",
        _merge("configmap", {"data": {"volumeName": "x"}}),
    ),
    "a service's end": ("service-controller", ("delete", "service", VICTIM)),
    "a balancer": (
        "service-controller",
        _merge("service", {"spec": {"type": "LoadBalancer"}}),
    ),
}


@pytest.mark.usefixtures("victim")
@pytest.mark.parametrize("what", ACTORS)
def test_a_controller_that_is_played(gate: Gate, what: str) -> None:
    """The name of a controller opens what that controller does, in its form."""
    who, command = ACTORS[what]
    denied = _as(gate, who, *command)

    assert denied.code != 0
    assert denied.reasons or "denied the request" in denied.out, denied.out


def test_endpoints_of_choice(gate: Gate, victim: str) -> None:
    """Where traffic goes follows from Pods, whoever writes it."""
    assert victim
    tree: Tree = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": VICTIM, "namespace": NAMESPACE},
        "subsets": [
            {
                "addresses": [{"ip": "192.0.2.66"}],
                "ports": [{"name": "http", "port": 8080}],
            }
        ],
    }
    by_admin = gate.kubectl("apply", "-f", "-", by=None, stdin=tree)
    played = _as(gate, "endpoint-controller", "apply", "-f", "-", stdin=tree)

    assert by_admin.reasons
    assert played.reasons


def _as(gate: Gate, who: str, *command: str, stdin: Any = None) -> Judged:
    """Run kubectl as a controller that the administrator plays, with all his rights."""
    user = f"--as=system:serviceaccount:kube-system:{who}"
    everything = "--as-group=system:masters"
    return gate.kubectl(user, everything, *command, by=None, stdin=stdin)


def _after(first: str, gate: Gate, tree: Tree) -> str:
    """Return `tree` approved at a later second: stamps have no smaller unit."""
    before = _stamp(first)
    while True:
        text = gate.approved(tree)
        if _stamp(text) > before:
            return text


def _stamp(text: str) -> datetime:
    stamps = [
        stamp["signedTimestamp"]
        for bundle in _bundles(documents(text)[0])
        for stamp in bundle["verificationMaterial"]["timestampVerificationData"][
            "rfc3161Timestamps"
        ]
    ]
    return max(claimed_time(base64.b64decode(stamp)) for stamp in stamps)


def _statement_digest(bundle: Tree) -> str:
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    return f"sha256:{hashlib.sha256(payload).hexdigest()}"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _bundles(tree: Tree) -> list[Tree]:
    packed = base64.b64decode(tree["metadata"]["annotations"][BUNDLES])
    found: list[Tree] = json.loads(gzip.decompress(packed))
    return found


def _packed(bundles: list[Tree], indent: int | None = None) -> str:
    text = json.dumps(bundles, indent=indent)
    return base64.b64encode(gzip.compress(text.encode())).decode()
