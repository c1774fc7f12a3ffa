"""The live object and what it would become, as a reviewer compares them."""

from copy import deepcopy

from countersign.binding.canonical import canonical
from countersign.binding.landing import allocated, landing
from countersign.core.types.artifacts import Tree

SERVICE: Tree = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "ledger", "namespace": "payments"},
    "spec": {"selector": {"app": "ledger"}, "ports": [{"name": "http", "port": 80}]},
}
LIVE: Tree = {
    **SERVICE,
    "metadata": {
        "name": "ledger",
        "namespace": "payments",
        "uid": "6d9b0e5e-0000-4000-8000-000000000000",
        "resourceVersion": "7",
        "creationTimestamp": "2026-11-20T10:00:00Z",
        "managedFields": [],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
    },
    "spec": {
        "selector": {"app": "ledger"},
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}],
        "type": "ClusterIP",
        "clusterIP": "10.0.0.7",
        "clusterIPs": ["10.0.0.7"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
    },
    "status": {"loadBalancer": {}},
}


def test_what_is_already_there_lands_as_it_is() -> None:
    """Defaults, addresses and what the server owns make no difference."""
    found = landing(canonical(SERVICE).tree, LIVE, "payments")

    assert found.before == found.after


def test_only_the_change_differs() -> None:
    """One port more is one port more, and nothing beside it."""
    wanted = deepcopy(SERVICE)
    wanted["spec"]["selector"]["app"] = "other"  # type: ignore[index, call-overload]

    found = landing(canonical(wanted).tree, LIVE, "payments")

    assert found.before is not None
    assert found.before != found.after
    restored = deepcopy(found.after)
    restored["spec"]["selector"]["app"] = "ledger"  # type: ignore[index, call-overload]
    assert restored == found.before


def test_a_new_object_is_shown_as_it_is_written() -> None:
    """Its defaults would hide what somebody wrote."""
    found = landing(canonical(SERVICE).tree, None, "payments")

    assert found.before is None
    assert found.after["spec"] == SERVICE["spec"]


def test_values_of_secrets_are_masked() -> None:
    """A reviewer sees that a value changes, not the value."""
    secret: Tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": "payments"},
        "stringData": {"password": "correct horse"},
    }
    live: Tree = {**secret, "data": {"password": "b2xk"}}
    del live["stringData"]

    found = landing(canonical(secret, salt=b"s" * 32).tree, live, "payments")

    assert found.before is not None
    assert found.before["data"] != found.after["data"]
    assert "correct horse" not in str(found)
    assert "b2xk" not in str(found)


def test_allocates_what_a_server_computes() -> None:
    """So that a file can stand for what a server would show of it."""
    job: Tree = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once", "annotations": {"countersign.dev/intent": "x"}},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}},
    }

    found = allocated(job, "payments")

    assert "controller-uid" in str(found)
    assert found["metadata"]["annotations"] == {"countersign.dev/intent": "x"}  # type: ignore[index, call-overload]
    assert allocated(SERVICE, "payments")["spec"]["ipFamilyPolicy"] == "SingleStack"  # type: ignore[index, call-overload]


def test_leaves_alone_what_no_server_adds_to() -> None:
    """And kinds that nobody here knows."""
    for kind in ("ConfigMap", "Unheard"):
        tree: Tree = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}}

        assert allocated(tree, "payments") == tree


def test_a_job_lands_on_its_own_labels() -> None:
    """They name its uid, which stays."""
    manifest: Tree = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "it", "namespace": "here"},
        "spec": {"template": {"metadata": {"labels": {"app": "it"}}}},
    }
    live = allocated(manifest, "here")
    intent = canonical(manifest).tree

    found = landing(intent, live, "here")
    assert found.before == found.after
    metadata = live["metadata"]
    assert isinstance(metadata, dict)
    other = landing(intent, {**live, "metadata": {**metadata, "uid": "u-2"}}, "here")
    assert other.before != other.after
