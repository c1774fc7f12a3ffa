"""What controllers write passes; the same by anyone else, or one thing more, does not."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from countersign.binding.actors import ANYBODY
from countersign.binding.canonical import canonical
from countersign.binding.delta import delta, judged_changes, restarts
from countersign.binding.inherited import RESTARTED_AT
from countersign.binding.match import match, same
from countersign.binding.writes import ROWS, Row
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb
from tests.support.recording import find, recorded
from tests.support.trees import having
from tests.support.world import (
    DEVELOPER,
    SALT,
    Tree,
    World,
    controller,
    ref_of,
    request,
)

REQUESTS = list(recorded(World()))
UPDATES = [r for r in REQUESTS if r.verb is Verb.UPDATE]
PASSING = [r for r in UPDATES if delta(r)]


def named(request_: AdmissionRequest) -> str:
    """Name a recorded request in the output."""
    who = request_.requester.name.rpartition(":")[2]
    return f"{who} {request_.resource} {request_.ref.name}"


def test_the_recording_meets_most_rows() -> None:
    """What a usual application makes the controllers write (see the README)."""
    seen = {delta(r) for r in PASSING}

    assert seen == {
        "claim-bound",
        "claim-protected",
        "collected",
        "disowned",
        "namespace-finalized",
        "revision",
        "rollout",
        "status",
        "token-issued",
        "token-used",
        "tracked",
    }


@pytest.mark.parametrize(
    "recorded_", [r for r in PASSING if delta(r) != "status"], ids=named
)
def test_nobody_else_may_write_that(recorded_: AdmissionRequest) -> None:
    """Neither a person nor another controller, whatever groups it says it is in."""
    others = [
        DEVELOPER,
        Requester("admin", "", frozenset({"system:masters"})),
        controller("horizontal-pod-autoscaler"),
        Requester(recorded_.requester.name + "x", "", recorded_.requester.groups),
        Requester(
            recorded_.requester.name.replace("kube-system", "payments"),
            "",
            recorded_.requester.groups,
        )
        if "kube-system" in recorded_.requester.name
        else DEVELOPER,
    ]

    for other in others:
        assert not delta(replace(recorded_, requester=other))


def further(tree: Any) -> Iterator[Any]:
    """Yield `tree` with one thing more that no row lets anyone write."""
    for path, value in (
        ("/metadata/labels/app", "other"),
        ("/metadata/annotations/nginx.ingress.kubernetes.io~1snippet", "x"),
        ("/metadata/annotations/countersign.dev~1bundles", "x"),
        ("/metadata/finalizers", ["example.com/mine"]),
        ("/metadata/ownerReferences", [{"kind": "ReplicaSet", "uid": "1"}]),
        ("/spec/more", 1),
        ("/data/more", "eA=="),
        ("/more", 1),
        ("/metadata/deletionTimestamp", "2026-11-22T12:00:01Z"),
        ("/metadata/uid", "another"),
    ):
        yield having(tree, path, value)


@pytest.mark.parametrize("recorded_", PASSING, ids=named)
def test_one_thing_more_closes_the_door(recorded_: AdmissionRequest) -> None:
    """A controller's name opens its own places only; a status opens none."""
    for more in further(recorded_.object):
        assert not delta(replace(recorded_, object=more)), named(recorded_)


@pytest.mark.parametrize("recorded_", PASSING, ids=named)
def test_the_same_through_another_door_is_shut(recorded_: AdmissionRequest) -> None:
    """A row is about one resource and one subresource of it."""
    for name, subresource in (
        (recorded_.resource.name + "x", recorded_.resource.subresource),
        (recorded_.resource.name, "scale"),
    ):
        other = replace(recorded_.resource, name=name, subresource=subresource)
        of_each = delta(recorded_) in ("status", "collected", "disowned")
        if of_each and subresource != "scale":
            continue

        assert not delta(replace(recorded_, resource=other))


def test_nothing_passes_a_row_for_want_of_a_change() -> None:
    """Zero changes are for the door unchanged to judge, which looks at normal forms."""
    pod = find(REQUESTS, by="job-controller", verb=Verb.UPDATE)

    assert not delta(replace(pod, object=pod.old))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"/metadata/labels/x": "y"}, id="a label [V: Pods]"),
        pytest.param({"/metadata/annotations/x": "y"}, id="an annotation [V]"),
        pytest.param({"/metadata/finalizers": ["x"]}, id="a finalizer"),
        pytest.param({"/metadata/ownerReferences": [{}]}, id="an owner [V]"),
        pytest.param({"/spec/x": 1}, id="the spec"),
    ],
)
def test_a_status_carries_nothing_else(change: dict[str, Any]) -> None:
    """Rule 16: through /status metadata can be written, and is not."""
    status = find(REQUESTS, by="node1", subresource="status")
    tree: Any = status.object
    for path, value in change.items():
        tree = having(tree, path, value)

    assert delta(status) == "status"
    assert not delta(replace(status, object=tree, requester=DEVELOPER))


@pytest.mark.parametrize("kind", ["Service", "Ingress"])
def test_where_traffic_goes_is_nobodys_to_write(kind: str) -> None:
    """Rule 16 [V]: the addresses of a load balancer, by whomever."""
    version = "v1" if kind == "Service" else "networking.k8s.io/v1"
    old: Tree = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "it", "namespace": "payments"},
        "spec": {},
        "status": {"loadBalancer": {}},
    }
    ask = request(Verb.UPDATE, old, old, subresource="status")
    stolen = having(old, "/status/loadBalancer/ingress", [{"ip": "192.0.2.1"}])
    settled = having(old, "/status/conditions", [{"type": "Fine"}])

    assert delta(ask) == "status"
    assert delta(replace(ask, object=settled)) == "status"
    assert not delta(replace(ask, object=stolen))
    assert not delta(replace(ask, object=stolen, old=having(old, "/status", {})))
    assert not delta(replace(ask, object=old, old=stolen))


def test_a_finalizer_goes_only_from_what_goes() -> None:
    """The garbage collector cleans up after a deletion, never before."""
    cleaned = find(REQUESTS, by="garbage-collector", verb=Verb.UPDATE, name="front")
    standing = having(cleaned.old or {}, "/metadata/deletionTimestamp", None)

    assert delta(cleaned) == "collected"
    assert not delta(
        replace(
            cleaned,
            old=standing,
            object=having(cleaned.object or {}, "/metadata/deletionTimestamp", None),
        )
    )


def test_a_restart_is_that_and_no_more() -> None:
    """What kubectl rollout restart writes."""
    restart = next(r for r in UPDATES if restarts(r))
    tree: Any = restart.object

    assert not delta(restart)
    assert not restarts(replace(restart, object=having(tree, RESTARTED_AT, "now")))
    assert not restarts(replace(restart, object=having(tree, "/spec/replicas", 9)))
    assert not restarts(replace(restart, object=restart.old))
    assert not restarts(replace(restart, old=None))
    assert restarts(replace(restart, resource=Resource("apps", "v1", "daemonsets")))
    assert not restarts(replace(restart, resource=Resource("batch", "v1", "jobs")))


# One table, both directions (rule 14) ----------------------------------------------


@pytest.mark.parametrize(
    "rule", ["revision", "claim-bound", "token-issued", "token-used"]
)
def test_what_a_row_lets_in_may_stay_in_the_next_signed_apply(rule: str) -> None:
    """Else a controller's write would be in the way of the next sign-off."""
    written = next(r for r in PASSING if delta(r) == rule)
    manifest = find(REQUESTS, by="dev", verb=Verb.CREATE, name=written.ref.name)
    intent = canonical(_as_written(manifest.object or {}), salt=SALT)
    live: Any = written.object

    assert judged_changes(written)
    assert match(intent.tree, live, identity=ref_of(live), old=live) == ()
    assert match(intent.tree, live, identity=ref_of(live)) != ()


def test_a_leftover_of_another_secret_does_not_stay() -> None:
    """Only the server fills tokens; what a person signed before is a difference."""
    token = find(REQUESTS, by="kube-controller-manager", kind="Secret")
    manifest = find(REQUESTS, by="dev", verb=Verb.CREATE, kind="Secret")
    opaque = having(_as_written(manifest.object or {}), "/type", "Opaque")
    intent = canonical(opaque, salt=SALT)
    live: Any = having(token.object or {}, "/type", "Opaque")

    assert match(intent.tree, live, identity=ref_of(live), old=live) != ()


def _as_written(tree: Any) -> Any:
    """Return a stored object as its author could have written it."""
    made = copy.deepcopy(tree)
    made.pop("status", None)
    for field in ("uid", "creationTimestamp", "generation", "resourceVersion"):
        made["metadata"].pop(field, None)
    return made


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule} {row.resource}")
def test_each_row_is_closed(row: Row) -> None:
    """Who, where and how are all said; only the status of things is anybody's."""
    assert row.rule
    assert (row.actors == ANYBODY) is (row.rule == "status")
    assert bool(row.edits) is not (row.rule == "status")
    assert all("*" not in edit.path for edit in row.edits)


def test_same_is_asked_elsewhere() -> None:
    """The door unchanged compares normal forms with our annotations in them."""
    tree: Any = find(REQUESTS, by="dev", kind="Deployment").object
    ours = having(tree, "/metadata/annotations/countersign.dev~1bundles", "other")

    assert same(tree, tree)
    assert not same(tree, ours)
