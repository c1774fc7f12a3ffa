"""Helm's storage passes by its form alone, and nothing may use it (rule 15)."""

import base64
import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.binding.helm import hook_is_over, stores, used
from countersign.core.types.request import Resource
from tests.support.helm import NAME, config_map, secret
from tests.support.trees import having
from tests.support.world import Tree, create, delete, update

STORAGE = [
    pytest.param(secret(), id="a Secret"),
    pytest.param(config_map(), id="a ConfigMap"),
    pytest.param(secret(status="pending-upgrade", version=1234), id="a late revision"),
    pytest.param(secret(release="a.b-c"), id="a release with dots"),
]


@pytest.mark.parametrize("tree", STORAGE)
def test_helm_keeps_its_releases(tree: Tree) -> None:
    """Each step of a revision's life, with or without times in the labels."""
    later = copy.deepcopy(tree)
    later["metadata"]["labels"] |= {"status": "superseded", "modifiedAt": "1790000000"}
    del later["metadata"]["labels"]["createdAt"]

    assert stores(create(tree))
    assert stores(update(tree, later))
    assert stores(delete(later))


@pytest.mark.parametrize(
    "status",
    [
        "unknown",
        "deployed",
        "uninstalled",
        "superseded",
        "failed",
        "uninstalling",
        "pending-install",
        "pending-upgrade",
        "pending-rollback",
    ],
)
def test_a_release_is_in_one_of_these_states(status: str) -> None:
    """All that Helm has: ``pkg/release/status.go``."""
    assert stores(create(secret(status=status)))


BAD: list[tuple[str, Any, str]] = [
    ("/type", "Opaque", "another type"),
    ("/type", None, "no type"),
    ("/immutable", True, "one that Helm could not update"),
    ("/data/other", "eA==", "a second key"),
    ("/data", {"config": "eA=="}, "another key"),
    ("/data", {}, "no release"),
    ("/data", None, "no data"),
    ("/data/release", "", "an empty release"),
    ("/data/release", base64.b64encode(b"").decode(), "nothing in it"),
    ("/data/release", base64.b64encode(b"listen: 80").decode(), "a readable file"),
    ("/data/release", "%", "no base64"),
    ("/data/release", "ä", "no ASCII"),
    ("/data/release", 1, "a number"),
    ("/stringData", {"release": "x"}, "a second way to write it"),
    ("/metadata/name", "sh.helm.release.v1.web.v2", "the name of another revision"),
    ("/metadata/name", "sh.helm.release.v1.api.v1", "the name of another release"),
    ("/metadata/name", "web", "an ordinary name"),
    ("/metadata/name", NAME + "x", "a longer name"),
    ("/metadata/name", "x" + NAME, "a name before it"),
    ("/metadata/name", "sh.helm.release.v1.web.v01", "a version with a zero"),
    ("/metadata/name", None, "no name"),
    ("/metadata/generateName", "sh.", "a generated name"),
    ("/metadata/annotations", {"x": "y"}, "an annotation"),
    ("/metadata/finalizers", ["x/y"], "a finalizer"),
    ("/metadata/ownerReferences", [{}], "an owner"),
    ("/metadata/labels/owner", "argo", "another owner"),
    ("/metadata/labels/owner", None, "no owner"),
    ("/metadata/labels/name", "api", "another release"),
    ("/metadata/labels/version", "2", "another version"),
    ("/metadata/labels/status", "x", "a status Helm does not know"),
    ("/metadata/labels/createdAt", "now", "no time"),
    ("/metadata/labels/modifiedAt", 1, "a time that is no text"),
    (
        "/metadata/labels/argocd.argoproj.io~1secret-type",
        "cluster",
        "a label that acts",
    ),
    ("/metadata/labels/status", [], "a status that is no text"),
    ("/metadata/labels", None, "no labels"),
    ("/metadata/labels", [], "labels of another shape"),
    ("/metadata", [], "metadata of another shape"),
    ("/kind", "Role", "another kind"),
    ("/apiVersion", "x.example/v1", "another group"),
]


@pytest.mark.parametrize(
    ("path", "value"), [pytest.param(path, value, id=why) for path, value, why in BAD]
)
def test_nothing_else_of_that_shape_passes(path: str, value: Any) -> None:
    """Neither as it comes, nor as it changes, nor as it goes."""
    good, bad = secret(), having(secret(), path, value)

    assert not stores(replace(create(good), object=bad))
    assert not stores(replace(update(good, good), object=bad))
    assert not stores(replace(update(good, good), old=bad))
    going = path == "/metadata/finalizers"  # of a deletion in the foreground
    assert stores(replace(delete(good), old=bad)) is going


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/type", "helm.sh/release.v1", id="with a type"),
        pytest.param("/binaryData", {"x": "eA=="}, id="binary data"),
        pytest.param("/data/release", "a: b", id="a readable file"),
        pytest.param("/immutable", False, id="immutable"),
    ],
)
def test_a_config_map_is_held_to_its_form(path: str, value: Any) -> None:
    """As a Secret is."""
    assert not stores(create(having(config_map(), path, value)))


def test_only_the_object_itself() -> None:
    """No subresource, no update without an old state, no orphans left behind."""
    tree = secret()
    asked = update(tree, tree)

    assert not stores(replace(asked, old=None))
    assert not stores(replace(asked, resource=Resource("", "v1", "secrets", "status")))
    assert not stores(replace(delete(tree), options={"propagationPolicy": "Orphan"}))
    assert not stores(replace(delete(tree), old=None))


_SOURCES = [
    ("Pod", "/spec/volumes", [{"secret": {"secretName": NAME}}]),
    ("Pod", "/spec/volumes", [{"configMap": {"name": NAME}}]),
    (
        "Pod",
        "/spec/volumes",
        [{"projected": {"sources": [{"secret": {"name": NAME}}]}}],
    ),
    ("Pod", "/spec/volumes", [{"csi": {"nodePublishSecretRef": {"name": NAME}}}]),
    ("Pod", "/spec/containers/0/envFrom", [{"secretRef": {"name": NAME}}]),
    ("Pod", "/spec/imagePullSecrets", [{"name": NAME}]),
    (
        "Pod",
        "/spec/initContainers",
        [
            {
                "env": [
                    {"valueFrom": {"configMapKeyRef": {"name": NAME, "key": "release"}}}
                ]
            }
        ],
    ),
    ("Ingress", "/spec/tls", [{"secretName": NAME}]),
    ("Ingress", "/metadata/annotations", {"nginx.org/auth-secret": f"payments/{NAME}"}),
    ("Certificate", "/spec/anything", {"deep": [NAME]}),
    ("Certificate", "/spec/anything", {NAME: {}}),
    ("ServiceAccount", "/secrets", [{"name": NAME}]),
    ("ConfigMap", "/metadata/ownerReferences", [{"kind": "Secret", "name": NAME}]),
]


@pytest.mark.parametrize(("kind", "path", "value"), _SOURCES)
def test_what_would_use_it_is_seen(kind: str, path: str, value: Any) -> None:
    """In whatever field it stands."""
    tree: Tree = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {"containers": [{}]},
    }
    assert used(tree) == ()
    assert len(used(having(tree, path, value))) == 1


@given(st.recursive(st.just(NAME), lambda inner: st.lists(inner, min_size=1)))
def test_however_deep(inside: Any) -> None:
    """A custom resource has no table of references."""
    tree: Tree = {
        "apiVersion": "x.example/v1",
        "kind": "X",
        "metadata": {},
        "spec": inside,
    }

    assert used(tree) == (NAME,)


def test_what_only_speaks_of_it_is_let_be() -> None:
    """A Role over it, an object of that name, plain data, and a second copy of it."""
    applied = {"kubectl.kubernetes.io/last-applied-configuration": f'"name":"{NAME}"'}
    role: Tree = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reads"},
        "rules": [{"resources": ["secrets"], "resourceNames": [NAME]}],
    }
    named: Tree = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "annotations": applied},
        "data": {"note": NAME},
    }

    assert used(role) == ()
    assert used(named) == ()
    assert used({**named, "apiVersion": "x.example/v1"}) == (NAME,)
    assert used({"metadata": None}) == ()


HOOK: Tree = {
    "kind": "ConfigMap",
    "metadata": {
        "annotations": {
            "helm.sh/hook": "pre-install",
            "helm.sh/hook-delete-policy": "before-hook-creation, hook-succeeded",
        }
    },
}
_POLICY = "/metadata/annotations/helm.sh~1hook-delete-policy"
_HOOK = "/metadata/annotations/helm.sh~1hook"
JOB = {**HOOK, "kind": "Job"}
POD = {**HOOK, "kind": "Pod"}
COMPLETE = [
    {"type": "Suspended", "status": "False"},
    {"type": "Complete", "status": "True"},
]


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(HOOK, id="one that runs nothing"),
        pytest.param(having(HOOK, _POLICY, "hook-failed"), id="after a failure"),
        pytest.param(having(JOB, "/status", {"conditions": COMPLETE}), id="a Job"),
        pytest.param(having(POD, "/status", {"phase": "Failed"}), id="a Pod"),
    ],
)
def test_a_hook_goes_after_its_run(tree: Tree) -> None:
    """As it says of itself."""
    assert hook_is_over(tree)


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(having(HOOK, _POLICY, None), id="no word of it"),
        pytest.param(
            having(HOOK, _POLICY, "before-hook-creation"), id="before another"
        ),
        pytest.param(having(HOOK, _POLICY, "not-hook-succeeded"), id="a similar word"),
        pytest.param(having(HOOK, _POLICY, ["hook-succeeded"]), id="no text"),
        pytest.param(having(HOOK, _HOOK, None), id="no hook"),
        pytest.param(having(HOOK, _HOOK, ""), id="no hook of anything"),
        pytest.param(JOB, id="a Job that runs"),
        pytest.param(having(JOB, "/status", {"conditions": {}}), id="no conditions"),
        pytest.param(
            having(
                JOB,
                "/status",
                {"conditions": [{"type": "Complete", "status": "False"}]},
            ),
            id="a Job that is not complete",
        ),
        pytest.param(
            having(POD, "/status", {"phase": "Running"}), id="a Pod that runs"
        ),
        pytest.param({"kind": "ConfigMap", "metadata": {}}, id="an ordinary object"),
    ],
)
def test_nothing_else_goes_like_that(tree: Tree) -> None:
    """Before another run it may still be wanted, and a run is not cut short."""
    assert not hook_is_over(tree)
