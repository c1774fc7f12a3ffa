"""Operators and injectors that a policy names, on the real API server.

An operator is played by whoever may impersonate its service account: what passes must
follow from the owner that people signed, never from the name.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import chart
from tests.support.chart import Tree
from tests.support.gate import Gate, Judged, annotations, written
from tests.support.lines import events
from tools.stack.ready import until

ORDERS = "orders"
GROUP = "issuer.example"
USER = f"system:serviceaccount:{ORDERS}:issuer"
CONTROLLERS = {
    "user": USER,
    "own": [{"kind": "Service", "paths": ["/metadata/annotations/issuer.example~1ip"]}],
    "children": [
        {
            "kind": "Secret",
            "owner": {"group": GROUP, "version": "v1", "kind": "Order"},
            "fields": {
                "derive": [{"from": "/spec/secretName", "to": "/metadata/name"}],
                "free": ["/data/tls.crt", "/data/tls.key", "/type"],
            },
        }
    ],
}
SIDECAR = {
    "name": "mesh-proxy",
    "image": "registry.k8s.io/pause:3.10",
    "env": [{"name": "MESH", "value": "~on|off"}],
}
INJECTION = {
    "name": "mesh",
    "containers": [SIDECAR],
    "labels": {"mesh.example/injected": "~v[0-9]+"},
}


@pytest.fixture(name="gate", scope="module")
def _gate(gate: Gate) -> Iterator[Gate]:
    """Let ``orders`` name an operator and an injector."""
    exceptions = {"controllers": [CONTROLLERS], "injection": [INJECTION]}
    with named(gate, exceptions):
        yield gate


@contextlib.contextmanager
def named(gate: Gate, exceptions: Tree) -> Iterator[None]:
    """Have the policy say this, and wait until the webhook goes by it."""
    plane = gate.stack.plane

    def say(spec: Tree) -> None:
        patch = json.dumps({"spec": {"exceptions": spec}})
        plane.kubectl(
            "patch", "protectionpolicy", ORDERS, "--type=merge", "-p", patch
        ).check()

    plane.kubectl("apply", "-f", "-", stdin=written(_definition())).check()

    def unknown() -> str:
        owner = signed(gate, order("probe"))
        return "" if owner.admitted else owner.out

    until(unknown, what="orders")
    say(exceptions)
    probe = secret(gate, "probe")

    def passes(*, wanted: bool) -> str:
        done = ask(gate, "create", probe, "--dry-run=server")
        return "" if done.admitted is wanted else f"{done.reasons} {done.out}"

    until(lambda: passes(wanted=True), what="the operator of the policy")
    try:
        yield
    finally:
        say(dict.fromkeys(exceptions))
        until(lambda: passes(wanted=False), what="no operator")


def _definition() -> list[Tree]:
    """Return what an operator's chart brings: its kind, and who may read it."""
    text = {"type": "string"}
    schema: Tree = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "secretName": text,
                    "algorithm": {**text, "default": "Ed25519"},
                },
            },
            "status": {"type": "object", "properties": {"serial": text}},
        },
    }
    rbac = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"orders.{GROUP}"},
            "spec": {
                "group": GROUP,
                "scope": "Namespaced",
                "names": {"plural": "orders", "kind": "Order"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "subresources": {"status": {}},
                        "schema": {"openAPIV3Schema": schema},
                    }
                ],
            },
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {
                "name": "issuer-owners",
                "labels": {"countersign.dev/aggregate-to-serve": "true"},
            },
            "rules": [
                {"apiGroups": [GROUP], "resources": ["orders"], "verbs": ["get"]}
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {
                "name": "issuer-users",
                "labels": {f"{rbac}/aggregate-to-admin": "true"},
            },
            "rules": [{"apiGroups": [GROUP], "resources": ["orders"], "verbs": ["*"]}],
        },
    ]


def order(name: str) -> Tree:
    """Return what people sign."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Order",
        "metadata": {"name": name, "namespace": ORDERS},
        "spec": {"secretName": f"{name}-tls"},
    }


def signed(gate: Gate, *trees: Tree) -> Judged:
    """Sign for objects in ``orders``, and apply them as a developer."""
    return gate.apply(gate.sign(written(trees)))


def secret(gate: Gate, name: str, **fields: Any) -> Tree:
    """Return what the operator makes of the ConfigMap `name`."""
    found = gate.stack.plane.kubectl(
        "get", f"orders.{GROUP}", name, "-n", ORDERS, "-o", "jsonpath={.metadata.uid}"
    ).check()
    owner = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Order",
        "name": name,
        "uid": found.stdout,
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"{name}-tls",
            "namespace": ORDERS,
            "ownerReferences": [owner],
            **fields.pop("metadata", {}),
        },
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": "Y3J0", "tls.key": "a2V5"},
        **fields,
    }


def ask(gate: Gate, verb: str, tree: Tree, *flags: str, user: str = USER) -> Judged:
    """Ask for something under a service account's name."""
    play = ("-n", ORDERS, "--as", user, "--as-group", "system:masters")
    return gate.kubectl(verb, *play, "-f", "-", *flags, by=None, stdin=written([tree]))


def test_what_an_operator_makes_of_a_signed_owner_passes(gate: Gate, name: str) -> None:
    """It is made, renewed and ended; nobody signs for each certificate."""
    assert signed(gate, order(name)).admitted
    made = ask(gate, "create", secret(gate, name))
    renewed = ask(
        gate, "replace", secret(gate, name, data={"tls.crt": "bmV3", "tls.key": "bmV3"})
    )
    ended = ask(gate, "delete", secret(gate, name))

    assert made.doors == renewed.doors == {"derived"}, made.out + renewed.out
    assert "operator-secret" in made.bases[0]
    assert ended.admitted, ended.out


def test_running_stands_by_what_an_operator_made(gate: Gate, name: str) -> None:
    """For the sake of the custom resource, for which somebody stands in this cluster."""
    assert signed(gate, order(name)).admitted
    assert ask(gate, "create", secret(gate, name)).admitted

    def nobodys(*more: str) -> dict[str, bool]:
        ran = gate.cli(
            *("audit", "running", "-n", ORDERS, "-o", "json", *more),
            *("--kubeconfig", gate.stack.folder / "kubeconfig"),
            COUNTERSIGN_POLICIES="",
        )
        assert "not seen" not in ran.err
        return {one["object"]: one["nobody"] for one in json.loads(ran.out)}

    order_, child = f"{ORDERS}/Order/{name}", f"{ORDERS}/Secret/{name}-tls"
    here, away = nobodys(), nobodys("--cluster", "elsewhere")
    assert (here[order_], here[child]) == (False, False)
    assert (away[order_], away[child]) == (True, True)


def test_only_the_operator_and_only_its_own(gate: Gate, name: str) -> None:
    """Another account, another name, another value, an owner that nobody signed."""
    assert signed(gate, order(name)).admitted
    child = secret(gate, name)
    other = ask(gate, "create", child, user=f"system:serviceaccount:{ORDERS}:other")
    renamed = ask(gate, "create", secret(gate, name, metadata={"name": "db-password"}))
    more = ask(
        gate, "create", secret(gate, name, data={"ca.crt": "eA==", **child["data"]})
    )
    forged = secret(gate, name)
    forged["metadata"]["ownerReferences"][0]["uid"] = (
        "0f0f0f0f-0000-4000-8000-000000000000"
    )
    nobody = ask(gate, "create", forged)

    assert other.code != 0
    assert renamed.reasons == ("child_differs",), renamed.out
    assert more.reasons == ("child_differs",), more.out
    assert "owner_unproven" in nobody.reasons, nobody.out


def test_it_does_not_take_over_what_people_signed(gate: Gate, name: str) -> None:
    """A Secret that somebody signed for never becomes an operator's child."""
    assert signed(gate, order(name)).admitted
    mine = secret(gate, name, metadata={"ownerReferences": []}, type="Opaque")
    assert signed(gate, mine).admitted
    taken = secret(gate, name, type="Opaque")

    assert ask(gate, "replace", taken).code != 0


def test_what_an_operator_wrote_stays_in_the_next_signed_state(
    gate: Gate, name: str
) -> None:
    """It writes its own field, nothing else; the next signed apply does not take it."""
    tree = chart.service(name)
    tree["metadata"]["namespace"] = ORDERS
    assert signed(gate, tree).admitted
    play = ("--as", USER, "--as-group", "system:masters", "--overwrite", "-n", ORDERS)
    mine = gate.kubectl(
        "annotate", *play, f"service/{name}", "issuer.example/ip=10.0.0.1", by=None
    )
    other = gate.kubectl("annotate", *play, f"service/{name}", "other=x", by=None)
    tree["spec"]["ports"][0]["targetPort"] = 9090
    again = signed(gate, tree)
    live = json.loads(
        gate.stack.plane.kubectl(
            "get", "service", name, "-n", ORDERS, "-o", "json"
        ).stdout
    )

    assert mine.doors == {"delta"}, mine.out
    assert other.code != 0
    assert again.doors == {"signed"}, again.out
    assert annotations(live)["issuer.example/ip"] == "10.0.0.1"


def _mutation(image: str) -> list[Tree]:
    """Return a policy of the API server's own that injects a sidecar into Pods."""
    variable = 'Object.spec.containers.env{name: "MESH", value: "on"}'
    sidecar = (
        f'Object.spec.containers{{name: "mesh-proxy", image: "{image}", '
        f"env: [{variable}]}}"
    )
    rule: Tree = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "mesh"},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ]
            },
            "matchConditions": [
                {
                    "name": "asked",
                    "expression": "has(object.metadata.labels) "
                    "&& 'mesh.example/inject' in object.metadata.labels",
                }
            ],
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {
                        "expression": "Object{metadata: Object.metadata{labels: "
                        '{"mesh.example/injected": "v7"}}, '
                        f"spec: Object.spec{{containers: [{sidecar}]}}}}"
                    },
                }
            ],
        },
    }
    return [
        rule,
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": "mesh"},
            "spec": {"policyName": "mesh"},
        },
    ]


@contextlib.contextmanager
def injecting(gate: Gate, image: str) -> Iterator[None]:
    """Have the API server inject a sidecar, and wait until it does."""
    plane, manifests = gate.stack.plane, written(_mutation(image))
    plane.kubectl("apply", "-f", "-", stdin=manifests).check()
    pod = written(
        [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": "probe",
                    "namespace": "sandbox",
                    "labels": {"mesh.example/inject": "true"},
                },
                "spec": {"containers": [{"name": "main", "image": "x"}]},
            }
        ]
    )

    def not_yet() -> str:
        shown = plane.kubectl(
            "create", "--dry-run=server", "-o", "json", "-f", "-", stdin=pod
        )
        return "" if f'"{image}"' in shown.stdout else shown.stdout + shown.stderr

    until(not_yet, what="an injected sidecar")
    try:
        yield
    finally:
        plane.kubectl("delete", "-f", "-", stdin=manifests).check()


def _meshed(name: str) -> Tree:
    tree = chart.deployment(name)
    tree["metadata"]["namespace"] = ORDERS
    tree["spec"]["template"]["metadata"]["labels"]["mesh.example/inject"] = "true"
    return tree


def said_to_controller(gate: Gate) -> str:
    """Return why the API server refused the last Pod in ``orders``."""
    said = [
        one["responseStatus"].get("message", "")
        for one in events(gate.audit)[0]
        if one["user"]["username"].endswith(":replicaset-controller")
        and one.get("objectRef", {}).get("namespace") == ORDERS
        and one["objectRef"]["resource"] == "pods"
    ]
    return said[-1] if said else "no Pod was asked for"


def test_a_described_sidecar_is_let_into_real_pods(gate: Gate, name: str) -> None:
    """The real controller's Pods, with what the policy describes and nothing else."""
    with injecting(gate, "registry.k8s.io/pause:3.10"):
        applied = signed(gate, _meshed(name))
        assert applied.admitted, applied.out
        wanted = ("get", "pods", "-n", ORDERS, "-l", f"app={name}", "-o", "json")
        found: list[Tree] = []

        def missing() -> str:
            found[:] = json.loads(gate.stack.plane.kubectl(*wanted).stdout)["items"]
            return "" if found else said_to_controller(gate) or "not listed yet"

        until(missing, what="an injected Pod")
        names = {one["name"] for one in found[0]["spec"]["containers"]}

    assert "mesh-proxy" in names


def test_a_sidecar_of_another_image_is_not(gate: Gate, name: str) -> None:
    """The name is not enough: the Pods of the real controller are denied."""
    with injecting(gate, "registry.k8s.io/evil:1"):
        _, start = events(gate.audit)
        assert signed(gate, _meshed(name)).admitted

        def denied() -> str:
            said = [
                str(one.get("annotations"))
                for one in events(gate.audit, start)[0]
                if one["user"]["username"].endswith(":replicaset-controller")
                and one.get("objectRef", {}).get("namespace") == ORDERS
            ]
            return "" if any("child_differs" in one for one in said) else "none"

        until(denied, what="a denied Pod")
        pods = gate.stack.plane.kubectl(
            "get", "pods", "-n", ORDERS, "-l", f"app={name}", "-o", "name"
        )

    assert pods.stdout == ""
