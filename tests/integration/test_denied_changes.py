"""What was signed is not what is sent: each difference is denied for its own reason."""

import base64
import copy
import gzip
import json
from collections.abc import Callable

import pytest

from tests.support import chart
from tests.support.gate import Gate, annotations, documents, written
from tools.stack.history import BUILT, TAMPERED

BUNDLES = "countersign.dev/bundles"
INTENT = "countersign.dev/intent"


def _container(tree: chart.Tree) -> chart.Tree:
    container: chart.Tree = tree["spec"]["template"]["spec"]["containers"][0]
    return container


def _pod(tree: chart.Tree) -> chart.Tree:
    pod: chart.Tree = tree["spec"]["template"]["spec"]
    return pod


CHANGES: dict[str, Callable[[chart.Tree], object]] = {
    "one byte of spec": lambda t: _container(t)["env"][0].update(value="eu-central-2"),
    "an added env": lambda t: _container(t)["env"].append({"name": "X", "value": "1"}),
    "an added volume": lambda t: _pod(t).update(
        volumes=[{"name": "host", "hostPath": {"path": "/"}}]
    ),
    "an added container": lambda t: _pod(t)["containers"].append(
        {"name": "miner", "image": chart.PINNED}
    ),
    "an init container": lambda t: _pod(t).update(
        initContainers=[{"name": "first", "image": chart.PINNED}]
    ),
    "an added label": lambda t: t["metadata"]["labels"].update(team="x"),
    "an added annotation": lambda t: annotations(t).update(note="x"),
    "an annotation of the template": lambda t: t["spec"]["template"]["metadata"].update(
        annotations={"sidecar.istio.io/inject": "true"}
    ),
    "privileged": lambda t: _container(t).update(securityContext={"privileged": True}),
    "another digest": lambda t: _container(t).update(
        image=chart.PINNED.replace(BUILT, TAMPERED)
    ),
    "a tag instead": lambda t: _container(t).update(image="ghcr.io/acme/ledger:v1"),
    "a tag beside the digest": lambda t: _container(t).update(
        image=chart.PINNED.replace("@", ":v2@")
    ),
    "more replicas": lambda t: t["spec"].update(replicas=9),
    "another service account": lambda t: _pod(t).update(serviceAccountName="admin"),
    "a node": lambda t: _pod(t).update(nodeName="n1"),
    "a finalizer": lambda t: t["metadata"].update(finalizers=["acme.example/mine"]),
    "an owner": lambda t: t["metadata"].update(
        ownerReferences=[
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": "x",
                "uid": "00000000-0000-0000-0000-000000000000",
            }
        ]
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_change_after_the_signature(gate: Gate, what: str) -> None:
    """Every change is noticed, whatever it is."""
    name = f"tampered-{sum(map(ord, what))}"
    signed = documents(gate.approved(chart.deployment(name)))
    CHANGES[what](signed[0])

    denied = gate.apply(written(signed), "--dry-run=server")

    assert "changed" in denied.reasons, denied.out


def test_the_same_change_by_patch(gate: Gate, name: str) -> None:
    """An admitted object is not open to edits."""
    assert gate.apply(gate.approved(chart.deployment(name))).admitted

    scaled = gate.kubectl("scale", "deployment", name, "--replicas=5")
    image = gate.kubectl("set", "image", f"deployment/{name}", "app=evil:latest")
    label = gate.kubectl("label", "deployment", name, "team=x")
    note = gate.kubectl("annotate", "deployment", name, "note=x")
    restart = gate.kubectl("rollout", "restart", f"deployment/{name}")

    assert "changed" in image.reasons
    assert "changed" in label.reasons
    assert "changed" in note.reasons
    assert "changed" in restart.reasons
    assert scaled.code != 0
    assert scaled.reasons


def test_evidence_taken_away(gate: Gate, name: str) -> None:
    """Applying an object without the evidence it carries now."""
    tree = chart.config_map(name)
    assert gate.apply(gate.approved(tree)).admitted

    denied = gate.kubectl("replace", "-f", "-", stdin=tree)

    assert "evidence_removed" in denied.reasons


def test_another_namespace(gate: Gate, name: str) -> None:
    """What was signed for payments does not enter ledger."""
    moved = documents(gate.approved(chart.config_map(name)))
    moved[0]["metadata"]["namespace"] = "ledger"

    denied = gate.apply(written(moved))

    assert "wrong_object" in denied.reasons, denied.out


def test_another_name(gate: Gate, name: str) -> None:
    """What was signed for one name does not make another."""
    renamed = documents(gate.approved(chart.config_map(name)))
    renamed[0]["metadata"]["name"] = f"{name}-2"

    denied = gate.apply(written(renamed))

    assert "wrong_object" in denied.reasons, denied.out


def test_another_kind(gate: Gate, name: str) -> None:
    """The evidence of a ConfigMap on a Secret."""
    signed = documents(gate.approved(chart.config_map(name)))[0]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": signed["metadata"],
        "stringData": signed["data"],
    }

    denied = gate.apply(written([secret]))

    assert "wrong_object" in denied.reasons, denied.out


def test_another_cluster(gate: Gate, name: str) -> None:
    """A sign-off for the staging cluster."""
    text = gate.sign(gate.attest(chart.config_map(name)), "--cluster", "staging")

    denied = gate.apply(text)

    assert set(denied.reasons) == {"slot_open", "wrong_cluster"}
    assert "staging" in denied.out
    assert "local" in denied.out


def test_somebody_elses_bundle(gate: Gate, name: str) -> None:
    """The evidence of another object, on this one."""
    donor = documents(gate.approved(chart.config_map(f"{name}-donor")))[0]
    thief = chart.config_map(name)
    thief["metadata"]["annotations"] = donor["metadata"]["annotations"]

    denied = gate.apply(written([thief]))

    assert "wrong_object" in denied.reasons


def test_an_image_is_signed_and_the_object_is_not(gate: Gate, name: str) -> None:
    """The same image with other rights is another change."""
    donor = documents(gate.approved(chart.deployment(f"{name}-donor")))[0]
    fresh = chart.deployment(name)
    _container(fresh)["securityContext"] = {"privileged": True}
    attested = documents(gate.attest(fresh))[0]
    annotations(attested)[BUNDLES] = _packed(_bundles(attested) + _bundles(donor))

    denied = gate.apply(written([attested]))

    assert "wrong_object" in denied.reasons


@pytest.mark.parametrize("key", [BUNDLES, INTENT])
@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param("", id="empty"),
        pytest.param("%%%", id="no base64"),
        pytest.param(base64.b64encode(b"x" * 100).decode(), id="no gzip"),
        pytest.param(base64.b64encode(gzip.compress(b"{]")).decode(), id="no json"),
        pytest.param(
            base64.b64encode(gzip.compress(b"0" * 50_000_000)).decode(), id="a bomb"
        ),
        pytest.param(
            base64.b64encode(gzip.compress(b"[" * 100_000)).decode(), id="a deep one"
        ),
    ],
)
def test_garbage_in_an_annotation(gate: Gate, key: str, garbage: str) -> None:
    """It is denied with an explanation, never with a fault, never admitted."""
    tree = documents(gate.approved(chart.config_map("garbage")))[0]
    annotations(tree)[key] = garbage

    denied = gate.apply(written([tree]), "--dry-run=server")

    assert denied.code != 0
    assert denied.reasons
    assert not {"unavailable", "not_ready"} & set(denied.reasons)


def test_an_annotation_under_our_prefix(gate: Gate, name: str) -> None:
    """What means nothing to us may mean something to somebody else."""
    tree = documents(gate.approved(chart.config_map(name)))[0]
    annotations(tree)["countersign.dev/approved"] = "true"

    denied = gate.apply(written([tree]))

    assert "foreign_annotation" in denied.reasons


def test_more_bundles_than_the_cap(gate: Gate, name: str) -> None:
    """Junk does not crowd out: what does not verify takes no place."""
    tree = documents(gate.approved(chart.config_map(name)))[0]
    honest = json.loads(json.dumps(_bundles(tree)))
    junk = [{**copy.deepcopy(honest[0]), "junk": str(i)} for i in range(40)]
    annotations(tree)[BUNDLES] = _packed(junk + honest)

    admitted = gate.apply(written([tree]))

    assert admitted.admitted, admitted.out


@pytest.mark.parametrize(
    "kind", ["StatefulSet", "DaemonSet", "Pod", "ReplicaSet", "PodDisruptionBudget"]
)
def test_an_unsigned_object_of_any_kind(gate: Gate, kind: str) -> None:
    """There is no kind that nobody asked about."""
    template = chart.deployment("any")["spec"]["template"]
    selector = {"matchLabels": {"app": "any"}}
    specs = {
        "StatefulSet": ("apps/v1", {"selector": selector, "template": template}),
        "DaemonSet": ("apps/v1", {"selector": selector, "template": template}),
        "ReplicaSet": ("apps/v1", {"selector": selector, "template": template}),
        "Pod": ("v1", template["spec"]),
        "PodDisruptionBudget": ("policy/v1", {"selector": selector}),
    }
    version, spec = specs[kind]
    tree = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "any", "namespace": "payments"},
        "spec": spec,
    }

    denied = gate.kubectl("create", "-f", "-", stdin=tree)

    assert denied.code != 0
    assert denied.reasons


def test_deletion(gate: Gate, name: str) -> None:
    """Removing an object is a change, too, and has to be signed for."""
    assert gate.apply(gate.approved(chart.config_map(name))).admitted

    denied = gate.kubectl("delete", "configmap", name)
    namespace = gate.kubectl("delete", "namespace", "payments", by=None)

    assert denied.reasons == ("deletion",)
    assert namespace.code != 0
    assert namespace.reasons


def test_subresources(gate: Gate, name: str) -> None:
    """exec, port-forward, eviction and the status are doors, too."""
    assert gate.apply(gate.approved(chart.deployment(name))).admitted
    pod = gate.pod(name)

    done = [
        gate.kubectl("exec", pod, "--", "id", by=None),
        gate.kubectl(
            "patch",
            pod,
            "--subresource=status",
            "--type=merge",
            "--patch",
            '{"metadata":{"labels":{"app":"other"}}}',
            by=None,
        ),
        gate.kubectl("debug", pod, "--image=busybox", "--attach=false", by=None),
    ]

    assert all(one.code != 0 for one in done)
    assert all(one.reasons for one in done), [one.out for one in done]


def _bundles(tree: chart.Tree) -> list[chart.Tree]:
    packed = base64.b64decode(tree["metadata"]["annotations"][BUNDLES])
    found: list[chart.Tree] = json.loads(gzip.decompress(packed))
    return found


def _packed(bundles: list[chart.Tree]) -> str:
    return base64.b64encode(gzip.compress(json.dumps(bundles).encode())).decode()
