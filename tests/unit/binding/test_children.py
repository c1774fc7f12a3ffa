"""Children are what their owners make of them, to the last field."""

from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.children import (
    DERIVATIONS,
    comes_from,
    compare_roots,
    named_after,
    publishes_root,
)
from countersign.binding.derivations.kin import Kin
from countersign.binding.tree import ABSENT
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.request import Verb
from tests.support.families import CHILDREN, REQUESTS, differ, family
from tests.support.recording import find
from tests.support.trees import having
from tests.support.world import DEVELOPER


@pytest.mark.parametrize("name", CHILDREN)
def test_what_a_controller_made_is_derived(name: str) -> None:
    """Recorded from a real one, each with its owner of that moment."""
    _, kin = family(name)

    assert differ(kin) == ()


@pytest.mark.parametrize("name", ["service-endpoints", "service-endpointslice"])
def test_what_a_controller_changed_is_derived(name: str) -> None:
    """Endpoints come with the Pods, and are looked up there."""
    _, kin = family(name, Verb.UPDATE)

    assert differ(kin) == ()
    strange = Kin(owner=kin.owner, child=kin.child, old=kin.old)
    assert differ(strange) != ()


# Attempts, by name -------------------------------------------------------------------

EXTRA_VOLUME = {"name": "root", "hostPath": {"path": "/"}}
OURS = "/metadata/annotations/countersign.dev~1bundles"


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        pytest.param(
            "replicaset-pod", "/spec/containers/0/image", "evil:1", id="another image"
        ),
        pytest.param("replicaset-pod", "/spec/hostNetwork", True, id="the host's net"),
        pytest.param(
            "replicaset-pod", "/spec/volumes/0", EXTRA_VOLUME, id="the host's files"
        ),
        pytest.param(
            "replicaset-pod", "/spec/serviceAccountName", "admin", id="another account"
        ),
        pytest.param("replicaset-pod", "/spec/nodeName", "one", id="a node of choice"),
        pytest.param("replicaset-pod", OURS, "x", id="our annotation on a Pod"),
        pytest.param(
            "replicaset-pod", "/metadata/name", "ledger-evil", id="a name of choice"
        ),
        pytest.param(
            "replicaset-pod", "/metadata/finalizers", ["x/y"], id="a finalizer"
        ),
        pytest.param(
            "deployment-replicaset", OURS, "x", id="other bundles than the owner's"
        ),
        pytest.param("deployment-replicaset", "/spec/replicas", 99, id="too many"),
        pytest.param(
            "deployment-replicaset",
            "/metadata/annotations/deployment.kubernetes.io~1revision",
            "x; rm",
            id="a revision that is no number",
        ),
        pytest.param(
            "deployment-replicaset",
            "/metadata/labels/pod-template-hash",
            "aeiou",
            id="a hash of other letters",
        ),
        pytest.param(
            "indexed-job-pod",
            "/metadata/annotations/batch.kubernetes.io~1job-completion-index",
            "2",
            id="an index beyond the last",
        ),
        pytest.param(
            "cronjob-job",
            "/metadata/name",
            "tick-1",
            id="a minute that is not its time",
        ),
        pytest.param("cronjob-job", "/spec/parallelism", 9, id="more at once"),
    ],
)
def test_a_child_cannot_be_more(name: str, path: str, value: Any) -> None:
    """Whoever asks for it."""
    _, kin = family(name)

    assert differ(replace(kin, child=having(kin.child, path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/metadata/uid", "another", id="one of that name since"),
        pytest.param("/metadata/name", "another", id="another owner"),
    ],
)
def test_a_child_names_its_very_owner(path: str, value: str) -> None:
    """The reference is compared as a whole."""
    _, kin = family("replicaset-pod")

    assert differ(replace(kin, owner=having(kin.owner, path, value)))


def test_two_owners_are_one_too_many() -> None:
    """Rule 12: exactly one, and it is the controller."""
    _, kin = family("replicaset-pod")
    tree: Any = kin.child
    owner = tree["metadata"]["ownerReferences"][0]
    for owners in (
        [owner, {**owner, "uid": "2", "controller": False}],
        [{**owner, "blockOwnerDeletion": False}],
        [],
    ):
        child = having(tree, "/metadata/ownerReferences", owners)

        assert differ(replace(kin, child=child))


def test_traffic_goes_to_selected_pods_only() -> None:
    """An address must be a live Pod's, which the Service selects."""
    _, kin = family("service-endpointslice", Verb.UPDATE)
    new = replace(kin, old=None)

    assert differ(new) == ()
    assert differ(replace(new, pods=()))
    elsewhere = [having(pod, "/metadata/labels/app", "other") for pod in kin.pods]
    assert differ(replace(new, pods=tuple(elsewhere)))
    moved = [having(pod, "/status/podIPs", [{"ip": "192.0.2.9"}]) for pod in kin.pods]
    assert differ(replace(new, pods=tuple(moved)))
    everything = having(kin.owner, "/spec/selector", {})
    assert differ(replace(new, owner=everything))


def test_an_address_of_any_other_pod_is_refused() -> None:
    """Also where the port is a number, and so says nothing about Pods."""
    _, kin = family("service-endpointslice", Verb.UPDATE)
    child: Any = kin.child
    raw = [port for port in child["ports"] if port["name"] == "raw"]
    numbers = [{"port": 81, "name": "raw", "targetPort": 8081, "appProtocol": "http"}]
    plain = replace(
        kin,
        old=None,
        owner=having(kin.owner, "/spec/ports", numbers),
        child=having(child, "/ports", raw),
    )
    others = tuple(having(p, "/metadata/labels", {"app": "other"}) for p in kin.pods)

    assert differ(plain) == ()
    assert differ(replace(plain, pods=others))


def test_a_job_makes_no_pod_beyond_its_last() -> None:
    """Even one that is numbered consistently."""
    _, kin = family("indexed-job-pod")
    key = "batch.kubernetes.io~1job-completion-index"
    child: Any = kin.child
    for index, derived in (("0", True), ("2", False)):
        made = having(child, f"/metadata/annotations/{key}", index)
        made = having(made, f"/metadata/labels/{key}", index)
        made = having(made, "/spec/hostname", f"indexed-{index}")
        made = having(made, "/metadata/generateName", f"indexed-{index}-")
        made = having(made, "/metadata/name", f"indexed-{index}-bcdfg")

        assert (differ(replace(kin, child=made)) == ()) is derived


def test_an_older_state_still_comes_from_its_owner() -> None:
    """Scaled and re-annotated meanwhile, but with the same template."""
    request, kin = family("deployment-replicaset")
    (way,) = (w for w in DERIVATIONS.values() if w.rule == "deployment-replicaset")
    scaled = having(kin.child, "/spec/replicas", 40)
    lagging = having(scaled, "/metadata/annotations/team", "an older one")
    changed = having(lagging, "/spec/template/spec/containers/0/image", "evil:1")
    renamed = having(lagging, "/metadata/labels/app", "other")

    assert comes_from(way, kin.owner, lagging, request.ref)
    assert not comes_from(way, kin.owner, changed, request.ref)
    assert not comes_from(way, kin.owner, renamed, request.ref)


def test_a_recreated_rollout_has_no_surge() -> None:
    """The most that may be asked for is what the Deployment asks for."""
    _, kin = family("deployment-replicaset")
    owner = having(kin.owner, "/spec/strategy", {"type": "Recreate"})
    plain = replace(kin, owner=owner)

    assert differ(replace(plain, child=having(kin.child, "/spec/replicas", 2))) == ()
    assert differ(replace(plain, child=having(kin.child, "/spec/replicas", 3)))


@pytest.mark.parametrize(
    ("surge", "most"),
    [
        pytest.param("25%", 3, id="a share, rounded up"),
        pytest.param(4, 6, id="a number"),
        pytest.param("many", 2, id="neither"),
    ],
)
def test_a_surge_is_bounded(surge: Any, most: int) -> None:
    """Of two replicas."""
    _, kin = family("deployment-replicaset")
    path = "/spec/strategy/rollingUpdate/maxSurge"
    plain = replace(kin, owner=having(kin.owner, path, surge))

    for replicas, derived in ((most, True), (most + 1, False)):
        child = having(kin.child, "/spec/replicas", replicas)

        assert (differ(replace(plain, child=child)) == ()) is derived


def test_root_certificates_are_those_of_the_cluster() -> None:
    """Else whoever plays the publisher is the API server to every Pod."""
    request = find(REQUESTS, by="root-ca-cert-publisher")
    child: Any = request.object
    root = having(child, "/metadata/namespace", "kube-system")
    more = having(child, "/data/extra", "x")
    other = having(child, "/data/ca.crt", "another")

    assert publishes_root(request)
    assert not publishes_root(replace(request, requester=DEVELOPER))
    assert compare_roots(root, child, request.ref) == ()
    assert compare_roots(root, more, request.ref)
    assert compare_roots(root, other, request.ref)
    assert compare_roots(root, having(child, OURS, "x"), request.ref)


def test_endpoints_are_named_after_their_service() -> None:
    """They have no owner reference; nothing else is found that way."""
    by = "system:serviceaccount:kube-system:endpoint-controller"
    endpoints = named_after(GroupKind("", "Endpoints"), by)

    assert endpoints is not None
    assert endpoints[0] == GroupKind("", "Service")
    assert named_after(GroupKind("", "Pod"), by) is None
    assert named_after(GroupKind("", "Endpoints"), "lee") is None


# What the recording did not meet ----------------------------------------------------

JOB_ANNOTATION = "/metadata/annotations/batch.kubernetes.io~1"


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("2026-13-22T12:00:00Z", id="a thirteenth month"),
        pytest.param("soon", id="no time"),
    ],
)
def test_a_job_has_a_time(when: str) -> None:
    """Its name repeats it."""
    _, kin = family("cronjob-job")
    path = f"{JOB_ANNOTATION}cronjob-scheduled-timestamp"

    assert differ(replace(kin, child=having(kin.child, path, when)))


def test_a_job_that_tracks_and_counts_by_itself_is_left_as_it_is() -> None:
    """Neither the finalizer nor the variable is added twice."""
    _, kin = family("indexed-job-pod")
    template = "/spec/template"
    tracking = ["batch.kubernetes.io/job-tracking"]
    finalized = having(kin.owner, f"{template}/metadata/finalizers", tracking)
    env = [{"name": "JOB_COMPLETION_INDEX", "value": "own"}]
    own = having(finalized, f"{template}/spec/containers/0/env", env)
    child = having(kin.child, "/spec/containers/0/env", env)

    assert differ(replace(kin, owner=own, child=child)) == ()
    assert differ(replace(kin, owner=own))


def test_failures_are_counted_only_where_they_are_limited() -> None:
    """Per index, as a number."""
    _, kin = family("indexed-job-pod")
    path = f"{JOB_ANNOTATION}job-index-failure-count"
    failed = replace(kin, child=having(kin.child, path, "1"))
    unlimited = having(kin.owner, "/spec/backoffLimitPerIndex", ABSENT)

    assert differ(failed) == ()
    assert differ(replace(kin, child=having(kin.child, path, "many")))
    assert differ(replace(failed, owner=unlimited))


def test_a_job_without_template_makes_an_empty_pod() -> None:
    """Nothing is assumed about a live object."""
    _, kin = family("job-pod")

    assert differ(replace(kin, owner=having(kin.owner, "/spec/template", ABSENT)))


def test_endpoints_may_be_too_many() -> None:
    """The controller says so with one word."""
    _, kin = family("service-endpoints")
    path = "/metadata/annotations/endpoints.kubernetes.io~1over-capacity"

    assert differ(replace(kin, child=having(kin.child, path, "truncated"))) == ()
    assert differ(replace(kin, child=having(kin.child, path, "more")))


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param("10.1.0.1", id="a text"),
        pytest.param({"addresses": ["10.1.0.1"]}, id="of no Pod"),
        pytest.param({"addresses": []}, id="of no address"),
    ],
)
def test_an_odd_endpoint_is_none(endpoint: Any) -> None:
    """The server would refuse some of them, too."""
    _, kin = family("service-endpointslice", Verb.UPDATE)
    child: Any = having(kin.child, "/endpoints", [endpoint])
    try:
        found = differ(replace(kin, old=None, child=child))
    except Malformed:
        return

    assert found


def test_a_named_port_is_one_of_a_selected_pod() -> None:
    """As its containers name it."""
    _, kin = family("service-endpointslice", Verb.UPDATE)
    strangers = [having(p, "/metadata/labels", {"app": "other"}) for p in kin.pods]
    child: Any = having(kin.child, "/endpoints", [])
    plain = replace(kin, old=None, child=child)

    assert differ(plain) == ()
    assert differ(replace(plain, pods=tuple(strangers)))
