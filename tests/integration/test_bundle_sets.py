"""Evidence beside objects, on a real API server: plain manifests, and what it opens."""

import asyncio
import copy
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from countersign.adapters.cluster.bundle_sets import WatchedBundleSets
from countersign.adapters.cluster.client import connect
from countersign.adapters.cluster.watch import Pace
from countersign.binding.canonical import canonical_json
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.change import (
    Access,
    Base,
    Deletion,
    NamespaceWindow,
    ObjectChange,
    Operation,
)
from countersign.usecases.prepare import prepare
from countersign.wire.resources.objects import bundle_set
from tests.support import chart
from tests.support.beside import Tree, approval, beside, parted, put
from tests.support.chart import NAMESPACE
from tests.support.gate import Gate, documents, written
from tests.support.watched import running
from tools.stack.access import bindings
from tools.stack.people import DANA, LEE, OMAR, RAVI
from tools.stack.ready import until

BUNDLES, INTENT = "countersign.dev/bundles", "countersign.dev/intent"


def _name(tree: Tree) -> str:
    return f"bundleset/{tree['metadata']['name']}"


def _uid(gate: Gate, what: str, namespace: str = NAMESPACE) -> str:
    plane = gate.stack.plane
    got = plane.kubectl("get", what, "-n", namespace, "-o", "jsonpath={.metadata.uid}")
    return got.check().stdout


# Plain manifests


def test_a_plain_manifest_with_its_set(gate: Gate, name: str) -> None:
    """One file: first the set, then the object as it is; its Pods appear."""
    evidence, plain = parted(gate.approved(chart.deployment(name)))
    applied = gate.apply(written([evidence, *plain]))

    assert applied.admitted, applied.out
    assert applied.bases == ("payments: signed senior=dana",)
    assert gate.pod(name)
    assert gate.apply(written(plain)).bases in ((), ("payments: unchanged",))


def test_a_set_that_comes_after_the_denial(gate: Gate, name: str) -> None:
    """The very same request passes at once, again and again: no race with a watch."""
    for n in range(5):
        evidence, plain = parted(gate.approved(chart.config_map(f"{name}-{n}")))
        denied = gate.apply(written(plain))
        put(gate, evidence)
        admitted = gate.apply(written(plain))

        assert "no_evidence" in denied.reasons, denied.out
        assert admitted.admitted, admitted.out


def test_a_set_of_another_namespace_does_not_count(gate: Gate, name: str) -> None:
    """Who writes there has nothing to say here."""
    evidence, plain = parted(gate.approved(chart.config_map(name)), "orders")
    put(gate, evidence)

    assert "no_evidence" in gate.apply(written(plain)).reasons


def test_a_set_for_another_object_does_not_count(gate: Gate, name: str) -> None:
    """Nor one for another state of it."""
    evidence, _ = parted(gate.approved(chart.config_map(name, region="one")))
    put(gate, evidence)

    other = gate.apply(written([chart.config_map(name, region="two")]))
    another = gate.apply(written([chart.config_map(f"{name}-x", region="one")]))

    assert "changed" in other.reasons, other.out
    assert "no_evidence" in another.reasons, another.out


def test_an_update_beside_the_object(gate: Gate, name: str) -> None:
    """What speaks of the old state lies beside it too, so nothing older returns."""
    first, old = parted(gate.approved(chart.config_map(name, region="one")))
    assert gate.apply(written([first, *old])).admitted
    made = datetime.now(UTC)
    while datetime.now(UTC).replace(microsecond=0) <= made:
        continue  # stamps have no smaller unit
    second, new = parted(gate.approved(chart.config_map(name, region="two")))
    assert gate.apply(written([second, *new])).admitted

    assert "stale_base" in gate.apply(written(old)).reasons


def test_evidence_is_removed(gate: Gate, name: str) -> None:
    """Without a set for it that is a denial; with one it moves beside the object."""
    text = gate.approved(chart.config_map(name))
    evidence, plain = parted(text)
    assert gate.apply(text).admitted
    denied = gate.apply(written(plain))
    put(gate, evidence)
    admitted = gate.apply(written(plain))

    assert denied.reasons == ("evidence_removed",)
    assert admitted.admitted, admitted.out


def test_a_scale_within_the_signed_range(gate: Gate, name: str) -> None:
    """The range lies beside the object."""
    elastic = f"Deployment/{name}:/spec/replicas=1..3"
    text = gate.sign(gate.attest(chart.deployment(name)), "--elastic", elastic)
    evidence, plain = parted(text)
    assert gate.apply(written([evidence, *plain])).admitted
    inside = gate.kubectl("scale", "deployment", name, "--replicas=3")
    outside = gate.kubectl("scale", "deployment", name, "--replicas=4")

    assert inside.admitted, inside.out
    assert outside.reasons == ("subresource",)


# The end of a set


def test_a_set_that_something_rests_on_stays(gate: Gate, name: str) -> None:
    """Until the object is gone, or there is another set that says the same."""
    evidence, plain = parted(gate.approved(chart.deployment(name)))
    assert gate.apply(written([evidence, *plain])).admitted
    gate.pod(name)
    denied = gate.kubectl("delete", _name(evidence), by=None)
    collection = gate.kubectl("delete", "bundlesets", "--all", "--wait=false", by=None)
    twin = _twin(evidence)
    put(gate, twin)
    beside_twin = gate.kubectl("delete", _name(evidence), by=None)
    alone = gate.kubectl("delete", _name(twin), by=None)

    assert denied.reasons == ("evidence_removed",), denied.out
    assert f"Deployment/{name}" in denied.out
    assert "evidence_removed" in collection.reasons
    assert beside_twin.code == 0, beside_twin.out
    assert alone.reasons == ("evidence_removed",)

    uid = _uid(gate, f"deployment/{name}")
    ref = ObjectRef("apps", "Deployment", NAMESPACE, name)
    put(gate, beside(name, [approval(gate, Deletion(object=ref, uid=uid))]))
    gone = gate.kubectl("delete", f"deployment/{name}", by=LEE)
    after = gate.kubectl("delete", _name(twin), by=None)

    assert gone.admitted, gone.out
    assert after.code == 0, after.out


def _twin(tree: Tree) -> Tree:
    """Return a set with the same evidence under another name: in another order."""
    # the same digest at its end: a name in front of it is free
    twin = copy.deepcopy(tree)
    twin["metadata"]["name"] = f"twin-{tree['metadata']['name']}"
    return twin


def test_a_set_goes_with_its_namespace(gate: Gate) -> None:
    """Or no protected namespace could ever be deleted. That one lies with us."""
    plane = gate.stack.plane
    tree = chart.service("last")
    tree["metadata"]["namespace"] = "orders"
    evidence, plain = parted(
        gate.sign(written([tree]), "--carrier", "annotations"), "orders"
    )
    applied = gate.kubectl(
        "apply", "-n", "orders", "-f", "-", stdin=written([evidence, *plain])
    )
    assert applied.admitted, applied.out
    kept = gate.kubectl("delete", "-n", "orders", _name(evidence), by=None)
    assert kept.reasons == ("evidence_removed",), kept.out
    assert gate.kubectl("delete", "namespace", "orders", by=None).code != 0
    got = plane.kubectl("get", "namespace/orders", "-o", "jsonpath={.metadata.uid}")
    end = Deletion(object=ObjectRef("", "Namespace", "", "orders"), uid=got.stdout)
    plane.kubectl("create", "namespace", "countersign")  # if no other test did
    put(gate, beside("orders", [approval(gate, end)], namespace="countersign"))
    gone = gate.kubectl("delete", "namespace", "orders", "--wait=false", by=None)
    assert gone.bases == ("orders: signed senior=dana",), gone.out
    try:
        going = gate.kubectl("delete", "-n", "orders", _name(evidence), by=None)
        assert going.code == 0 or "not found" in going.out.lower(), going.out
    finally:
        until(
            lambda: "" if plane.kubectl("get", "namespace", "orders").code else "there",
            what="the end of a namespace",
        )
        _restore(gate)


def _restore(gate: Gate) -> None:
    """Make the namespace again, with the rights that people have there."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "orders"}}
    rights = [one for one in bindings(["orders"]) if one["kind"] == "RoleBinding"]
    for trees in ([space], rights):
        text = gate.sign(written(trees), "--base", "absent")
        made = gate.kubectl("apply", "-n", "orders", "-f", "-", by=None, stdin=text)
        assert made.code == 0, made.out


# What a set is


def test_a_name_without_its_digest(gate: Gate, name: str) -> None:
    """And one that the server makes up."""
    evidence, _ = parted(gate.approved(chart.config_map(name)))
    for metadata in ({"name": name}, {"generateName": "evidence-"}):
        tree = {**evidence, "metadata": {**metadata, "namespace": NAMESPACE}}
        refused = gate.kubectl("create", "-f", "-", by=None, stdin=tree)

        assert refused.code != 0
        assert "expected to end with" in refused.out


def test_a_set_does_not_change(gate: Gate, name: str) -> None:
    """By the schema, and by its name."""
    evidence, _ = parted(gate.approved(chart.config_map(name)))
    put(gate, evidence)
    patch = json.dumps({"spec": {"intents": []}})
    refused = gate.kubectl(
        "patch", _name(evidence), "--type=merge", f"--patch={patch}", by=None
    )

    assert refused.code != 0
    assert "does not change" in refused.out


# Junk


def test_junk_does_not_crowd_out(gate: Gate, name: str) -> None:
    """Hundreds of bundles in front, and a stranger's that are worth their proof."""
    evidence, plain = parted(gate.approved(chart.config_map(name)))
    (ref,) = [ObjectRef("", "ConfigMap", NAMESPACE, name)]
    intent = _intents(evidence)
    rotten = [
        beside("aaa", [b'{"n": %d, "m": %d}' % (n, m) for n in range(256)], intent)
        for m in range(2)
    ]
    forged = [approval(gate, Deletion(object=ref, uid=str(n))) for n in range(40)]
    spoilt = [raw.replace(b'"sig":"', b'"sig":"AAAA') for raw in forged]
    strange = [
        approval(gate, Deletion(object=ref, uid=str(n)), by=_EVE) for n in range(40)
    ]
    put(gate, *rotten, beside("aaa", spoilt, intent), beside("aaa", strange, intent))
    denied = gate.apply(written(plain))
    put(gate, evidence)
    admitted = gate.apply(written(plain))

    assert "no_evidence" in denied.reasons or "slot_open" in denied.reasons
    assert admitted.admitted, admitted.out


def test_a_hundred_releases_and_junk_in_between(gate: Gate, name: str) -> None:
    """Each of them passes, whichever is applied, and what is none of them does not."""
    releases = [
        prepare([_release(name, n)], namespace="orders", salt=bytes)[0]
        for n in range(100)
    ]
    sets = []
    for n, one in enumerate(releases):
        change = ObjectChange(
            object=one.ref,
            digest=one.intent.digest,
            operation=Operation.CREATE_OR_UPDATE,
            base=Base.ANY,
        )
        intent = canonical_json(one.intent.tree)
        noise = [b'{"n": %d, "m": %d}' % (n, m) for m in range(3)]
        sets.append(beside(name, [approval(gate, change)], [intent], "orders"))
        sets.append(beside("junk", noise, [intent], "orders"))
    create = ("create", "-n", "orders", "-f", "-")
    made = gate.kubectl(*create, by=None, stdin=written(sets))
    assert made.code == 0, made.out

    for n in (0, 37, 99):
        passed = gate.apply(written([_release(name, n)]), "--dry-run=server")
        assert passed.admitted, passed.out
    denied = gate.apply(written([_release(name, 100)]), "--dry-run=server")
    assert "changed" in denied.reasons, denied.out


def _release(name: str, n: int) -> Tree:
    tree: Tree = chart.config_map(name, release=str(n))
    tree["metadata"]["namespace"] = "orders"
    return tree


_EVE = replace(LEE, roles=())  # of the roster, and worth nothing here


def _intents(evidence: Tree) -> list[bytes]:
    return list(bundle_set(evidence)[1])


# What nothing can be attached to


def test_a_deletion_that_was_signed(gate: Gate, name: str) -> None:
    """Of this very object: one that was made again has another uid."""
    text = gate.approved(chart.config_map(name))
    assert gate.apply(text).admitted
    ref = ObjectRef("", "ConfigMap", NAMESPACE, name)
    uid = _uid(gate, f"configmap/{name}")
    denied = gate.kubectl("delete", "configmap", name)
    put(gate, beside(name, [approval(gate, Deletion(object=ref, uid="another"))]))
    other = gate.kubectl("delete", "configmap", name)
    put(gate, beside(name, [approval(gate, Deletion(object=ref, uid=uid))]))
    orphaned = gate.kubectl("delete", "configmap", name, "--cascade=orphan")
    admitted = gate.kubectl("delete", "configmap", name)

    assert denied.reasons == ("deletion",)
    assert "stale_base" in other.reasons
    assert "wrong_operation" in orphaned.reasons
    assert admitted.bases == ("payments: signed senior=dana",), admitted.out
    assert gate.apply(text).admitted
    assert "stale_base" in gate.kubectl("delete", "configmap", name).reasons


def test_a_collection_is_deleted_one_by_one(gate: Gate, name: str) -> None:
    """Identity comes from the object: the request names none."""
    labels = {"sweep": name}
    names = [f"{name}-{n}" for n in range(2)]
    trees = [chart.config_map(one) for one in names]
    for tree in trees:
        tree["metadata"]["labels"].update(labels)
    assert gate.apply(gate.approved(*trees)).admitted
    uids = [_uid(gate, f"configmap/{one}") for one in names]
    refs = [ObjectRef("", "ConfigMap", NAMESPACE, one) for one in names]
    raw = f"/api/v1/namespaces/{NAMESPACE}/configmaps?labelSelector=sweep%3D{name}"
    put(gate, beside(name, [approval(gate, Deletion(object=refs[0], uid=uids[0]))]))
    some = gate.kubectl("delete", f"--raw={raw}", by=None)
    put(gate, beside(name, [approval(gate, Deletion(object=refs[1], uid=uids[1]))]))
    rest = gate.kubectl("delete", f"--raw={raw}", by=None)

    assert "deletion" in some.reasons
    assert rest.code == 0, rest.out


def test_break_glass_for_an_exec(gate: Gate, name: str) -> None:
    """By who is on call, for this Pod; nothing else is opened."""
    assert gate.apply(gate.approved(chart.deployment(name))).admitted
    pod = gate.pod(name)
    ref = ObjectRef("", "Pod", NAMESPACE, pod.removeprefix("pod/"))
    uid = _uid(gate, pod)
    access = Access(
        object=ref, uid=uid, subresource="exec", operation=Operation.CONNECT
    )
    denied = gate.kubectl("exec", pod, "--", "true", by=None)
    by_dana = approval(gate, access, by=DANA, incident="INC-1")
    put(gate, beside(name, [by_dana]))
    not_on_call = gate.kubectl("exec", pod, "--", "true", by=None)
    put(gate, beside(name, [approval(gate, access, by=OMAR, incident="INC-1")]))
    admitted = gate.kubectl("exec", pod, "--", "true", by=None)
    attach = gate.kubectl("attach", pod, by=None)

    assert set(denied.reasons) == {"subresource"}
    assert "role_missing" in not_on_call.reasons, not_on_call.out
    # no kubelet runs here, so that is all that can become of it
    assert "denied the request" not in admitted.out
    assert not admitted.reasons, admitted.out
    assert "subresource" in attach.reasons
    assert attach.code != 0


def test_an_eviction_that_was_signed(gate: Gate, name: str) -> None:
    """It shows no uid, so the Pod is looked up."""
    bare: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": chart.deployment(name)["spec"]["template"]["spec"],
    }
    applied = gate.apply(gate.approved(bare))
    assert applied.admitted, applied.out
    ref = ObjectRef("", "Pod", NAMESPACE, name)
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": NAMESPACE},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction"
    ask = ("create", f"--raw={path}", "-f", "-")
    denied = gate.kubectl(*ask, by=None, stdin=eviction)
    deletion = Deletion(object=ref, uid=_uid(gate, f"pod/{name}"))
    put(gate, beside(name, [approval(gate, deletion)]))
    admitted = gate.kubectl(*ask, by=None, stdin=eviction)

    assert denied.reasons == ("deletion",)
    assert admitted.bases == ("payments: signed senior=dana",), admitted.out


def test_a_window_over_a_namespace_needs_two(gate: Gate, name: str) -> None:
    """One alone on call opens nothing."""
    window = NamespaceWindow(namespace=NAMESPACE)
    opened = beside(name, [approval(gate, window, by=OMAR, incident=name)])
    put(gate, opened)
    try:
        alone = gate.apply(written([chart.config_map(name)]))
    finally:
        shut = gate.kubectl("delete", _name(opened), by=None)

    assert "slot_open" in alone.reasons
    assert "on-call (1 of 2)" in alone.out
    assert shut.code == 0, shut.out


@pytest.mark.parametrize("key", [BUNDLES, INTENT])
def test_half_in_a_set(gate: Gate, name: str, key: str) -> None:
    """Part of the evidence may travel with the object, and part beside it."""
    text = gate.approved(chart.config_map(name))
    (full,) = documents(text)
    evidence, (plain,) = parted(text)
    plain["metadata"]["annotations"][key] = full["metadata"]["annotations"][key]
    applied = gate.apply(written([evidence, plain]))

    assert applied.admitted, applied.out


def test_a_second_person_signs_beside(gate: Gate, name: str) -> None:
    """Two sets, each with one signature, are as good as one with both."""
    one = gate.sign(gate.attest(chart.config_map(name)), by=DANA)
    two = gate.sign(gate.attest(chart.config_map(name)), by=RAVI)
    first, plain = parted(one)
    second, _ = parted(two)
    put(gate, first, second)

    assert gate.apply(written(plain)).admitted


# How a set is seen


async def test_a_large_set_comes_through_the_watch(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """In one line of 700 KB; and a live look fetches it by its name."""
    noise = [random.Random(n).randbytes(1 << 17) for n in range(4)]  # noqa: S311
    intent = b'{"kind":"X","metadata":{"name":"x","namespace":"sandbox"}}'
    tree = beside("large", noise, [intent], "sandbox")
    about = ObjectRef("", "X", "sandbox", "x")
    kubeconfig, pace = gate.stack.plane.admin, Pace(watch_s=5, stale_s=60)
    async with connect(kubeconfig=kubeconfig, context=None, request_s=10) as server:
        watched = WatchedBundleSets(server, pace, own_namespace="countersign")
        fresh = WatchedBundleSets(server, pace, own_namespace="countersign")
        async with running(watched.watch, fresh.watch):
            await _holds(lambda: not (watched.trouble() or fresh.trouble()))
            await asyncio.to_thread(put, gate, tree)
            await _holds(
                lambda: [one.intents for one in watched.about(about)] == [(intent,)]
            )
            await fresh.refresh("sandbox")
            assert fresh.about(about) == watched.about(about)
        await asyncio.to_thread(
            gate.kubectl, "delete", "-n", "sandbox", _name(tree), by=None
        )
        await watched.refresh("sandbox")
        assert watched.about(about) == ()
    assert "watch_failed" not in caplog.text


async def _holds(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not told():  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.02)
