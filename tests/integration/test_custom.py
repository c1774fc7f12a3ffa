"""Custom resources through the gate, as their definitions are at that moment."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chart import NAMESPACE
from tests.support.gate import Gate, Judged, documents, written
from tools.stack.access import SERVE
from tools.stack.ready import until

GROUP = "shop.example.com"
RESOURCE = f"widgets.{GROUP}"

Tree = dict[str, Any]


def definition(**fields: Any) -> Tree:
    """Return a definition: stored as v2, which knows a field more than v1."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": RESOURCE},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [
                _version("v1", storage=False),
                _version("v2", storage=True, guard={"type": "boolean"}, **fields),
            ],
        },
    }


def _version(name: str, *, storage: bool, **more: Any) -> Tree:
    spec: Tree = {
        "size": {"type": "integer", "default": 1},
        "colour": {"type": "string", "default": "blue"},
        "free": {"x-kubernetes-preserve-unknown-fields": True},
        **more,
    }
    body = {
        "spec": {"type": "object", "properties": spec},
        "status": {"type": "object", "properties": {"seen": {"type": "integer"}}},
    }
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.seen"}
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": body}},
        "subresources": {"status": {}, "scale": scale},
    }


def widget(name: str, version: str = "v2", **spec: Any) -> Tree:
    """Return a custom resource."""
    return {
        "apiVersion": f"{GROUP}/{version}",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"free": {"a": [1, True, None]}, **spec},
    }


@pytest.fixture(scope="module", name="served")
def _served(gate: Gate) -> Iterator[Gate]:
    """The gate of a cluster that has the definition, and whose webhook knows it."""
    plane = gate.stack.plane
    define(gate, definition())
    crd = f"crd/{RESOURCE}"
    plane.kubectl("wait", "--for=condition=Established", crd, "--timeout=60s").check()
    for tree in sight():
        plane.kubectl("apply", "-f", "-", stdin=tree).check()
    wait(gate, gate.approved(widget("known")), admitted=True)
    yield gate
    for tree in sight():
        plane.kubectl("delete", "-f", "-", stdin=tree).check()
    plane.kubectl("delete", "crd", RESOURCE, "--ignore-not-found").check()


def sight() -> list[Tree]:
    """Return what lets the webhook look at what is scaled."""
    rbac, name = "rbac.authorization.k8s.io", "countersign-serve-widgets"
    rule = {"apiGroups": [GROUP], "resources": ["widgets"], "verbs": ["get"]}
    head: Tree = {"apiVersion": f"{rbac}/v1", "metadata": {"name": name}}
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": name}
    serve = {"apiGroup": rbac, "kind": "User", "name": SERVE}
    return [
        {**head, "kind": "ClusterRole", "rules": [rule]},
        {**head, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [serve]},
    ]


def define(gate: Gate, tree: Tree) -> None:
    """Write the definition as the administrator."""
    gate.stack.plane.kubectl("apply", "-f", "-", stdin=tree).check()


def wait(gate: Gate, text: str, *, admitted: bool) -> None:
    """Wait until the webhook has heard of a definition: a dry run shows it."""

    def otherwise() -> str:
        seen = gate.kubectl("apply", "--dry-run=server", "-f", "-", by=None, stdin=text)
        return "" if (not seen.reasons and seen.code == 0) is admitted else seen.out

    until(otherwise, what="what the webhook heard of a definition")


@pytest.mark.parametrize("flags", [(), ("--server-side",)], ids=["client", "server"])
def test_what_was_signed_is_admitted(
    served: Gate, flags: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    """However it is sent, defaults and free values included; and again."""
    signed = served.approved(widget(f"admitted-{request.node.callspec.id}"))

    first = served.kubectl("apply", *flags, "-f", "-", by=None, stdin=signed)
    second = served.kubectl("apply", *flags, "-f", "-", by=None, stdin=signed)

    assert first.admitted, first.out
    assert first.doors == {"signed"}
    assert second.code == 0
    assert second.doors <= {"unchanged"}


def test_create_then_patch_to_the_signed_state(served: Gate, name: str) -> None:
    """A patch is judged by what comes of it."""
    created = served.kubectl(
        "create", "-f", "-", by=None, stdin=served.approved(widget(name))
    )
    (signed,) = documents(
        served.sign(
            served.attest(widget(name, colour="red")),
            "--kubeconfig",
            served.stack.folder / "kubeconfig",
        )
    )
    patch = {"metadata": {"annotations": signed["metadata"]["annotations"]}}
    kind = f"widget/{name}"
    half = served.kubectl(
        "patch", kind, "--type=merge", "-p", json.dumps(patch), by=None
    )
    patch["spec"] = {"colour": "red"}
    whole = served.kubectl(
        "patch", kind, "--type=merge", "-p", json.dumps(patch), by=None
    )

    assert created.admitted, created.out
    assert "changed" in half.reasons
    assert whole.admitted, whole.out


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("colour",), "red", id="another value for a default"),
        pytest.param(("size",), 2, id="another number"),
        pytest.param(("guard",), False, id="a field that nobody named"),
        pytest.param(("free", "a"), [True, 1, None], id="true for 1"),
        pytest.param(("free", "a"), [1, True], id="a null less"),
        pytest.param(("free", "b"), None, id="a null more"),
        pytest.param(("free", "b"), {}, id="an empty map"),
    ],
)
def test_anything_else_is_denied(
    served: Gate, path: tuple[str, ...], value: Any
) -> None:
    """True is not 1, and in free JSON even null and empty count."""
    (tree,) = documents(served.approved(widget("tampered")))
    *way, last = path
    parent = tree["spec"]
    for step in way:
        parent = parent[step]
    parent[last] = value

    judged = served.kubectl(
        "apply",
        "--server-side",
        "--dry-run=server",
        "-f",
        "-",
        by=None,
        stdin=written([tree]),
    )

    assert "changed" in judged.reasons, judged.out


def test_spelling_does_not_count(served: Gate) -> None:
    """A default that is written out changes nothing, nor does 1.0 for 1."""
    (tree,) = documents(served.approved(widget("respelled")))
    tree["spec"] |= {"colour": "blue", "size": 1}
    tree["spec"]["free"]["a"][0] = 1.0

    judged = served.kubectl(
        "create", "--dry-run=server", "-f", "-", by=None, stdin=json.dumps(tree)
    )

    assert judged.admitted, judged.out


def test_what_the_server_drops_was_not_signed_in_vain(served: Gate) -> None:
    """A field that the schema does not know is dropped, and so missed."""
    signed = served.approved(widget("misspelt", gaurd=True))

    judged = served.kubectl(
        "create",
        "--validate=ignore",
        "--dry-run=server",
        "-f",
        "-",
        by=None,
        stdin=signed,
    )

    assert "changed" in judged.reasons
    assert "/spec/gaurd" in judged.out


def test_an_older_version_is_not_stored_whole(served: Gate, name: str) -> None:
    """A write through it erases what it does not know, and shows no change (rule 10)."""
    stored = served.approved(widget(name, guard=True))
    assert served.kubectl("create", "-f", "-", by=None, stdin=stored).admitted
    older = ("get", f"widgets.v1.{GROUP}", name, "-n", NAMESPACE, "-o", "json")
    seen = json.loads(served.stack.plane.kubectl(*older).check().stdout)
    assert "guard" not in seen["spec"]

    unchanged = served.kubectl("replace", "-f", "-", by=None, stdin=seen)
    signed = served.kubectl(
        "create", "-f", "-", by=None, stdin=served.approved(widget("other", "v1"))
    )

    assert set(unchanged.reasons) == {"converted"}
    assert set(signed.reasons) == {"converted"}
    assert f"{GROUP}/v2" in signed.out
    kept = served.stack.plane.kubectl(
        "get", "widgets", name, "-n", NAMESPACE, "-o", "json"
    )
    assert json.loads(kept.stdout)["spec"]["guard"] is True


def test_signed_for_another_version(served: Gate) -> None:
    """What was signed as v1 is not signed as v2."""
    (tree,) = documents(served.approved(widget("moved", "v1")))
    tree["apiVersion"] = f"{GROUP}/v2"

    judged = served.kubectl(
        "create", "--dry-run=server", "-f", "-", by=None, stdin=tree
    )

    assert "changed" in judged.reasons
    assert "/apiVersion" in judged.out


def test_its_controller_writes_status(served: Gate, name: str) -> None:
    """The server keeps spec and metadata as they were."""
    signed = served.approved(widget(name))
    served.kubectl("create", "-f", "-", by=None, stdin=signed)
    patch = {
        "status": {"seen": 3},
        "spec": {"colour": "red"},
        "metadata": {"labels": {"a": "b"}},
    }

    judged = served.kubectl(
        "patch",
        f"widget/{name}",
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps(patch),
        by=None,
    )
    again = served.kubectl("apply", "-f", "-", by=None, stdin=signed)

    assert judged.code == 0, judged.out
    assert not judged.reasons
    assert again.code == 0, again.out
    assert not again.reasons


@pytest.mark.parametrize("reset", [False, True], ids=["at-once", "after-a-reset"])
def test_a_status_in_an_older_version_erases_nothing(
    served: Gate, name: str, *, reset: bool
) -> None:
    """It would be converted as a whole, and lose what that version does not have."""
    name = f"{name}-{reset}".lower()
    signed = served.approved(widget(name, guard=True))
    assert served.kubectl("create", "-f", "-", by=None, stdin=signed).admitted
    if reset:  # of what the server knows of who wrote in which version
        forgotten = {"metadata": {"managedFields": [{}]}, "status": {"seen": 1}}
        done = _status(served, f"widgets.v2.{GROUP}/{name}", forgotten)
        assert done.code == 0, done.out
    older = _status(served, f"widgets.v1.{GROUP}/{name}", {"status": {"seen": 3}})
    stored = _status(served, f"widgets.v2.{GROUP}/{name}", {"status": {"seen": 4}})
    live = served.stack.plane.kubectl(
        "get", f"widget/{name}", "-n", NAMESPACE, "-o", "json"
    ).check()

    assert older.reasons == ("converted",), older.out
    assert stored.code == 0, stored.out
    assert json.loads(live.stdout)["spec"]["guard"] is True
    assert json.loads(live.stdout)["status"] == {"seen": 4}


def _status(gate: Gate, what: str, patch: Tree) -> Judged:
    words = ("--subresource=status", "--type=merge", "-p", json.dumps(patch))
    return gate.kubectl("patch", what, *words, by=None)


def test_scaled_within_the_signed_range(served: Gate, name: str) -> None:
    """The definition says which number ``/scale`` writes."""
    text = served.sign(
        served.attest(widget(name, size=2)),
        "--elastic",
        f"Widget/{name}:/spec/size=1..3",
    )
    assert served.kubectl("create", "-f", "-", by=None, stdin=text).admitted

    within = served.kubectl("scale", "widget", name, "--replicas=3", by=None)
    beyond = served.kubectl("scale", "widget", name, "--replicas=4", by=None)

    assert within.admitted, within.out
    assert within.doors == {"delta"}
    assert "subresource" in beyond.reasons
    assert f"/Widget/{name}: " in beyond.out


def test_a_definition_that_changes_after_signing(served: Gate) -> None:
    """Verdicts follow the live schema: its default is the server's, and so ours."""
    silent = served.approved(widget("silent"))
    spelled = copy.deepcopy(documents(silent)[0])
    spelled["spec"]["colour"] = "blue"
    try:
        define(served, definition(colour={"type": "string", "default": "green"}))
        wait(served, written([spelled]), admitted=False)

        judged = served.kubectl(
            "create", "--dry-run=server", "-f", "-", by=None, stdin=silent
        )

        assert judged.admitted, judged.out
    finally:
        define(served, definition())
        wait(served, written([spelled]), admitted=True)


def test_a_webhook_that_converts_must_be_trusted(served: Gate) -> None:
    """By name, in the policy; else not even the stored version will do."""
    signed = served.approved(widget("converted"))
    tree = definition()
    client = {"url": "https://127.0.0.1:1/convert"}
    review = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    tree["spec"]["conversion"] = {"strategy": "Webhook", "webhook": review}
    plane = served.stack.plane
    shown = plane.kubectl("get", "protectionpolicy", NAMESPACE, "-o", "json")
    policy = json.loads(shown.check().stdout)
    policy = {key: policy[key] for key in ("apiVersion", "kind", "spec")}
    policy["metadata"] = {"name": NAMESPACE}
    trusting = copy.deepcopy(policy)
    trusting["spec"]["conversion"] = {"trusted": [{"group": GROUP, "kind": "Widget"}]}
    try:
        define(served, tree)
        wait(served, signed, admitted=False)
        define(served, trusting)
        wait(served, signed, admitted=True)
    finally:
        define(served, policy)
        define(served, definition())
        wait(served, signed, admitted=True)
