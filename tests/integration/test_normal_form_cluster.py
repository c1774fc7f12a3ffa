"""What the server writes because of other objects, older states or other tools."""

import copy
import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from countersign.binding.match import same, state_digest
from tests.support.apiserver import MERGE_PATCH, ApiServer, Refused, Tree
from tests.support.judge import SALT, Judge
from tools.controlplane import ControlPlane

POD: Tree = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "pod"},
    "spec": {
        "initContainers": [{"name": "init", "image": "a:1"}],
        "containers": [
            {"name": "bare", "image": "a:1"},
            {"name": "some", "image": "a:1", "resources": {"requests": {"cpu": "10m"}}},
        ],
    },
}
DEPLOYMENT: Tree = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "nginx"}]},
        },
    },
}
SERVICE: Tree = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {
        "type": "NodePort",
        "ports": [{"name": "http", "port": 80}, {"name": "tls", "port": 443}],
    },
}


CLAIM: Tree = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}
INGRESS: Tree = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web"},
    "spec": {"defaultBackend": {"service": {"name": "w", "port": {"number": 80}}}},
}


def changed(tree: Tree, **paths: Any) -> Tree:
    """Return a copy with values set: ``spec__replicas=3``."""
    copied = copy.deepcopy(tree)
    for path, value in paths.items():
        *way, last = path.split("__")
        parent: Any = copied
        for key in way:
            parent = parent[int(key)] if isinstance(parent, list) else parent[key]
        parent[last] = value
    return copied


@pytest.fixture(name="namespace")
def _namespace(control_plane: ControlPlane) -> str:
    name = f"normal-form-{uuid.uuid4().hex[:8]}"
    control_plane.create_namespace(name)
    return name


@pytest.fixture(name="made")
def _made(server: ApiServer) -> Iterator[Any]:
    """Makes objects that are removed afterwards."""
    with ExitStack() as stack:

        def make(tree: Tree) -> Tree:
            stack.callback(server.delete, tree)
            return server.create(tree)

        yield make


def named(kind: str, version: str, name: str, **fields: Any) -> Tree:
    """Return an object with a name of its own."""
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def test_limit_ranges_fill_containers_and_say_so(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """The values come from the live LimitRange, the annotation's text is exact."""
    item = {
        "default": {"cpu": "2"},
        "defaultRequest": {"cpu": "0.1"},
        "max": {"memory": "2Gi"},
    }
    items = [{"type": "Container", **item}]
    where = {"namespace": namespace}
    limits = named("LimitRange", "v1", "limits", metadata=where, spec={"limits": items})
    made(limits)
    pod = changed(POD, metadata__namespace=namespace)
    seen = eventually_limited(server, pod)
    forged = changed(seen, spec__containers__0__resources__limits__cpu="3")

    assert judge.differences(pod, seen) == ()
    assert judge.differences(pod, seen, live={}) != ()
    assert [d.path for d in judge.differences(pod, forged)] == [
        "/spec/containers/0/resources/limits/cpu"
    ]


def eventually_limited(server: ApiServer, pod: Tree) -> Tree:
    """Try until the plugin's own cache has the LimitRange."""
    for _ in range(2000):
        seen = server.create(pod, dryRun="All")
        if "annotations" in seen["metadata"]:
            return seen
    pytest.fail("the LimitRange was never honoured")


def test_pull_secrets_come_from_the_account(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """They are those of the live ServiceAccount, and automounting is its choice too."""
    account = named("ServiceAccount", "v1", "app", metadata={"namespace": namespace})
    made(
        account
        | {"imagePullSecrets": [{"name": "r"}], "automountServiceAccountToken": False}
    )
    pod = changed(POD, metadata__namespace=namespace, spec__serviceAccountName="app")
    seen = server.create(pod, dryRun="All")
    forged = changed(seen, spec__imagePullSecrets=[{"name": "other"}])

    assert judge.differences(pod, seen) == ()
    assert judge.differences(pod, forged) != ()
    assert judge.differences(pod, seen, live={}) != ()


def test_a_pod_gets_the_priority_of_its_class(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """The number is the class's, whether the Pod names it or gets it by default."""
    version = "scheduling.k8s.io/v1"
    name = f"class-{namespace}"
    made(named("PriorityClass", version, name, value=42, preemptionPolicy="Never"))
    pod = changed(POD, metadata__namespace=namespace, spec__priorityClassName=name)
    seen = server.create(pod, dryRun="All")
    assert seen["spec"]["priority"] == 42
    assert judge.differences(pod, seen) == ()
    assert judge.differences(pod, changed(seen, spec__priority=43)) != ()

    made(
        named("PriorityClass", version, f"all-{namespace}", value=7, globalDefault=True)
    )
    plain = changed(POD, metadata__namespace=namespace)
    for _ in range(2000):
        seen = server.create(plain, dryRun="All")
        if seen["spec"]["priority"] == 7:
            break
    assert judge.differences(plain, seen) == ()


def test_a_claim_gets_the_default_storage_class(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """The one that is marked default; any other name is a difference."""
    mark = {"storageclass.kubernetes.io/is-default-class": "true"}
    name, metadata = f"class-{namespace}", {"annotations": mark}
    version, provisioner = "storage.k8s.io/v1", "x.example/y"
    made(
        named("StorageClass", version, name, metadata=metadata, provisioner=provisioner)
    )
    claim = changed(CLAIM, metadata__namespace=namespace)

    assert_gets_default(server, judge, claim, "storageClassName", name)


def test_an_ingress_gets_the_default_ingress_class(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """The one that is marked default; any other name is a difference."""
    mark = {"ingressclass.kubernetes.io/is-default-class": "true"}
    name, metadata = f"class-{namespace}", {"annotations": mark}
    version, spec = "networking.k8s.io/v1", {"controller": "x.example/y"}
    made(named("IngressClass", version, name, metadata=metadata, spec=spec))
    ingress = changed(INGRESS, metadata__namespace=namespace)

    assert_gets_default(server, judge, ingress, "ingressClassName", name)


def assert_gets_default(
    server: ApiServer, judge: Judge, manifest: Tree, field: str, name: str
) -> None:
    """Try until the plugin's own cache has the class, then compare."""
    seen: Tree = {}
    for _ in range(2000):
        seen = server.create(manifest, dryRun="All")
        if seen["spec"].get(field) == name:
            break
    forged = changed(seen, **{f"spec__{field}": "other"})

    assert seen["spec"][field] == name
    assert judge.differences(manifest, seen) == ()
    assert [d.path for d in judge.differences(manifest, forged)] == [f"/spec/{field}"]


def updated(server: ApiServer, manifest: Tree, submit: Any) -> tuple[Tree, Tree]:
    """Submit until no controller was faster; return the object before and after."""
    for _ in range(20):
        old = server.get(manifest)
        version = old["metadata"]["resourceVersion"]
        try:
            return old, submit(changed(manifest, metadata__resourceVersion=version))
        except Refused as error:
            if error.code != 409:
                raise
    pytest.fail("the controllers never came to rest")


def test_replicas_that_nobody_signs_stay_what_they_were(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """A manifest without replicas leaves them to whoever scales; on CREATE they are 1."""
    manifest = changed(DEPLOYMENT, metadata__namespace=namespace)
    live = made(manifest)
    server.patch(manifest, {"spec": {"replicas": 5}}, MERGE_PATCH)
    relabelled = changed(manifest, metadata__labels={"now": "signed"})
    old, new = updated(server, relabelled, server.apply)
    jumped = changed(new, spec__replicas=6)

    assert judge.differences(manifest, live) == ()
    assert new["spec"]["replicas"] == 5
    assert judge.differences(relabelled, new, old=old) == ()
    assert [d.path for d in judge.differences(relabelled, new)] != []
    assert [d.path for d in judge.differences(relabelled, jumped, old=old)] == [
        "/spec/replicas"
    ]


def test_a_pull_policy_stays_when_the_tag_moves_on(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """Always came with ``:latest``; the default for ``:v1`` would be IfNotPresent."""
    manifest = changed(DEPLOYMENT, metadata__namespace=namespace)
    made(manifest)
    image = "spec__template__spec__containers__0__image"
    tagged = changed(manifest, **{image: "nginx:v1"})
    old, new = updated(server, tagged, server.apply)

    container = new["spec"]["template"]["spec"]["containers"][0]
    assert container["imagePullPolicy"] == "Always"
    assert judge.differences(tagged, new, old=old) == ()
    policy = "spec__template__spec__containers__0__imagePullPolicy"
    assert judge.differences(tagged, changed(new, **{policy: "Never"}), old=old) != ()


def test_node_ports_go_with_the_name_of_their_port(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """Ports change places and keep their node ports, by PUT as by apply."""
    manifest = changed(SERVICE, metadata__namespace=namespace)
    made(manifest)
    swapped = changed(manifest, spec__ports=manifest["spec"]["ports"][::-1])
    old, new = updated(server, swapped, server.replace)
    first, second = (port["nodePort"] for port in new["spec"]["ports"])
    stolen = copy.deepcopy(new)
    stolen["spec"]["ports"][0]["nodePort"] = 30000 + (first + 1) % 2000

    assert (second, first) == tuple(p["nodePort"] for p in old["spec"]["ports"])
    assert judge.differences(swapped, new, old=old) == ()
    assert judge.differences(swapped, stolen, old=old) != ()


def test_what_controllers_wrote_may_stay(
    server: ApiServer, judge: Judge, namespace: str, made: Any
) -> None:
    """The revision annotation of a Deployment is in nobody's manifest."""
    manifest = changed(DEPLOYMENT, metadata__namespace=namespace)
    made(manifest)
    key = "deployment.kubernetes.io/revision"
    for _ in range(5000):
        if key in server.get(manifest)["metadata"].get("annotations", {}):
            break
    relabelled = changed(manifest, metadata__labels={"now": "signed"})
    old, new = updated(server, relabelled, server.apply)
    forged = copy.deepcopy(new)
    forged["metadata"]["annotations"][key] = "99"

    assert key in new["metadata"]["annotations"]
    assert judge.differences(relabelled, new, old=old) == ()
    assert judge.differences(relabelled, forged, old=old) != ()


def test_applying_again_changes_nothing(
    server: ApiServer, namespace: str, made: Any
) -> None:
    """Server-side apply always reaches the webhook; an equal object is the same."""
    manifest = changed(DEPLOYMENT, metadata__namespace=namespace)
    made(manifest)
    updated(server, manifest, server.apply)
    old, new = updated(server, manifest, server.apply)
    annotated = copy.deepcopy(new)
    annotated["metadata"].setdefault("annotations", {})["countersign.dev/bundles"] = "x"

    assert same(old, new)
    assert state_digest(old) == state_digest(new)
    assert not same(old, annotated)
    assert state_digest(old) == state_digest(annotated)


def test_a_secret_is_compared_without_its_values(
    judge: Judge, namespace: str, made: Any
) -> None:
    """One changed value is found, and no value is shown."""
    manifest: Tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": namespace},
        "stringData": {"user": "admin", "password": "hunter2"},
    }
    live = made(manifest)
    forged = changed(live, data__password="aHVudGVyMw==")
    found = judge.differences(manifest, forged)

    assert judge.differences(manifest, live) == ()
    assert [d.path for d in found] == ["/data/password"]
    assert "hunter" not in repr(found)
    assert "aHVud" not in repr(found)
    assert state_digest(live, salt=SALT) != state_digest(forged, salt=SALT)


def test_kubectl_apply_is_no_other_change(
    control_plane: ControlPlane, server: ApiServer, judge: Judge, namespace: str
) -> None:
    """Client-side and server-side apply, replace and edit-like patches by kubectl."""
    first = changed(DEPLOYMENT, metadata__namespace=namespace)
    second = changed(first, spec__replicas=2, metadata__labels={"a": "b"})
    ways = (
        ("apply", first),
        ("apply", second),
        ("apply", "--server-side", "--force-conflicts", first),
        ("replace", second),
    )
    for *arguments, manifest in ways:
        old = existing(server, manifest)
        flags = (*arguments, "-o", "json", "-f", "-")
        result = control_plane.kubectl(*flags, stdin=json.dumps(manifest))
        new = result.check().json()

        assert judge.differences(manifest, new, old=old) == (), arguments
    server.delete(first)


def existing(server: ApiServer, manifest: Tree) -> Tree | None:
    """Return a Deployment that its controller has come to rest with, or None."""
    for _ in range(5000):
        try:
            live = server.get(manifest)
        except Refused:
            return None
        if live["status"].get("observedGeneration") == live["metadata"]["generation"]:
            return live
    pytest.fail("the Deployment never came to rest")
