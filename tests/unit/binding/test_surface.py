"""One table says what judges each request; the last row refuses."""

import itertools

import pytest

from countersign.binding.surface import (
    RECOMMENDED,
    ROWS,
    Entry,
    Rule,
    place_of,
    rule_for,
    subject_of,
)
from countersign.binding.unseen import UNSEEN
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb

SUBRESOURCES_OF_1_37 = (
    ("", "namespaces", "finalize"),
    ("", "namespaces", "status"),
    ("", "persistentvolumeclaims", "status"),
    ("", "pods", "attach"),
    ("", "pods", "binding"),
    ("", "pods", "ephemeralcontainers"),
    ("", "pods", "eviction"),
    ("", "pods", "exec"),
    ("", "pods", "log"),
    ("", "pods", "portforward"),
    ("", "pods", "proxy"),
    ("", "pods", "resize"),
    ("", "pods", "status"),
    ("", "replicationcontrollers", "scale"),
    ("", "replicationcontrollers", "status"),
    ("", "resourcequotas", "status"),
    ("", "serviceaccounts", "token"),
    ("", "services", "proxy"),
    ("", "services", "status"),
    ("apps", "deployments", "scale"),
    ("apps", "deployments", "status"),
    ("apps", "statefulsets", "scale"),
    ("batch", "jobs", "status"),
    ("example.com", "widgets", "scale"),
    ("example.com", "widgets", "status"),
    ("resource.k8s.io", "resourceclaims", "binding"),
)


def asked(
    group: str,
    resource: str,
    subresource: str = "",
    verb: Verb = Verb.UPDATE,
    of: str | None = None,
    **ref: str,
) -> AdmissionRequest:
    """Return a request about some object."""
    given = {
        "group": group if of is None else of,
        "kind": "Thing",
        "namespace": "payments",
        "name": "it",
    }
    return AdmissionRequest(
        uid="1",
        verb=verb,
        resource=Resource(group, "v1", resource, subresource),
        ref=ObjectRef(**{**given, **ref}),
        version="v1",
        object=None,
        old=None,
        options=None,
        requester=Requester("lee"),
    )


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        pytest.param(asked("", "events"), Rule.EXEMPT, id="events"),
        pytest.param(asked("events.k8s.io", "events"), Rule.EXEMPT, id="new events"),
        pytest.param(asked("coordination.k8s.io", "leases"), Rule.EXEMPT, id="leases"),
        pytest.param(
            asked("example.com", "events"),
            Rule.OBJECT,
            id="a custom resource that is called events [rule 21]",
        ),
        pytest.param(
            asked("example.com", "leases"), Rule.OBJECT, id="one called leases"
        ),
        pytest.param(asked("", "leases"), Rule.OBJECT, id="leases of another group"),
        pytest.param(
            asked("", "events", "status"), Rule.STATUS, id="a subresource of noise"
        ),
        pytest.param(asked("countersign.dev", "rosters"), Rule.OWN, id="our own kinds"),
        pytest.param(
            asked("countersign.dev", "others"), Rule.OBJECT, id="none of our kinds"
        ),
        pytest.param(
            asked("countersign.dev", "rosters", "status"),
            Rule.STATUS,
            id="the status of our own kinds",
        ),
        pytest.param(asked("apps", "deployments"), Rule.OBJECT, id="an update"),
        pytest.param(
            asked("apps", "deployments", verb=Verb.DELETE), Rule.DELETION, id="deletion"
        ),
        pytest.param(
            asked("", "namespaces", verb=Verb.DELETE), Rule.DELETION, id="a namespace"
        ),
        pytest.param(asked("", "namespaces", "finalize"), Rule.FINALIZE, id="finalize"),
        pytest.param(asked("apps", "deployments", "scale"), Rule.SCALE, id="scale"),
        pytest.param(asked("x", "y", "status"), Rule.STATUS, id="any status"),
        pytest.param(
            asked("x", "y", "status", Verb.CREATE), Rule.REFUSED, id="a created status"
        ),
        pytest.param(
            asked("", "pods", "binding", Verb.CREATE), Rule.BINDING, id="binding"
        ),
        pytest.param(
            asked("", "bindings", verb=Verb.CREATE), Rule.BINDING, id="old binding"
        ),
        pytest.param(
            asked("", "pods", "binding", Verb.UPDATE), Rule.REFUSED, id="its update"
        ),
        pytest.param(
            asked("x", "pods", "binding", Verb.CREATE),
            Rule.REFUSED,
            id="a binding of another group's Pods",
        ),
        pytest.param(
            asked("", "pods", "eviction", Verb.CREATE), Rule.EVICTION, id="eviction"
        ),
        pytest.param(
            asked("", "serviceaccounts", "token", Verb.CREATE), Rule.TOKEN, id="token"
        ),
        pytest.param(asked("", "pods", "exec", Verb.CONNECT), Rule.ACCESS, id="exec"),
        pytest.param(
            asked("", "pods", "exec", Verb.CREATE), Rule.REFUSED, id="no connection"
        ),
        pytest.param(
            asked("", "pods", "ephemeralcontainers"), Rule.EPHEMERAL, id="ephemeral"
        ),
        pytest.param(
            asked("x", "pods", "ephemeralcontainers"),
            Rule.REFUSED,
            id="of another group's Pods",
        ),
        pytest.param(asked("", "pods", "resize"), Rule.RESIZE, id="resize"),
        pytest.param(
            asked("", "nodes", "proxy", Verb.CONNECT), Rule.ACCESS, id="node proxy"
        ),
        pytest.param(
            asked("", "services", "proxy", Verb.CONNECT), Rule.ACCESS, id="proxy"
        ),
        pytest.param(
            asked("x", "y", "novelty", Verb.CREATE), Rule.REFUSED, id="what is new"
        ),
        pytest.param(
            asked("", "pods", verb=Verb.CONNECT), Rule.REFUSED, id="a bare connect"
        ),
    ],
)
def test_each_request_has_its_judge(request_: AdmissionRequest, rule: Rule) -> None:
    """By group, resource, subresource and verb."""
    assert rule_for(request_) is rule


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize(("group", "resource", "subresource"), SUBRESOURCES_OF_1_37)
def test_no_subresource_is_judged_as_an_object(
    group: str, resource: str, subresource: str, verb: Verb
) -> None:
    """Else a signed intent could be compared with an options object."""
    rule = rule_for(asked(group, resource, subresource, verb))

    assert rule not in {Rule.OBJECT, Rule.DELETION, Rule.EXEMPT, Rule.OWN}


def test_what_is_never_registered_has_no_row_of_its_own() -> None:
    """Else one of the two lists lies."""
    for row in ROWS:
        if row.entry is Entry.CLUSTER and not row.subresource:
            at = Resource(row.group, "v1", row.resource)
            assert not [one for one in UNSEEN if one.fits(at) and not one.subresource]
    assert all(one.why for one in UNSEEN)


def test_every_row_judges_something() -> None:
    """A row that another one hides is a rule that nobody keeps."""
    for row in ROWS:
        group, resource, subresource = (
            "other" if part == "*" else part
            for part in (row.group, row.resource, row.subresource)
        )
        asks = [asked(group, resource, subresource, verb) for verb in row.verbs]
        first = [next(r for r in ROWS if r.fits(q.resource, q.verb)) for q in asks]

        assert row in first


def test_only_noise_is_never_registered() -> None:
    """Whatever else has a judge must reach it."""
    unregistered = [row for row in ROWS if row.entry is None]

    assert {row.rule for row in unregistered} == {Rule.EXEMPT}
    assert all("*" not in (row.group, row.resource) for row in unregistered)


def test_what_may_stop_a_cluster_is_never_registered() -> None:
    """With the webhook away the server starts, nodes join, and Services get addresses."""
    never = {
        "certificatesigningrequests",
        "csinodes",
        "flowschemas",
        "ipaddresses",
        "nodes",
        "prioritylevelconfigurations",
        "resourceslices",
        "servicecidrs",
        "volumeattachments",
    }
    cluster = [row for row in ROWS if row.entry is Entry.CLUSTER]

    assert not never & {row.resource for row in cluster if not row.subresource}
    assert all("*" not in (row.group, row.resource) for row in cluster)


def test_each_recommended_kind_has_both_rows() -> None:
    """States and deletions of it, registered where a policy names it."""
    rows = {(r.group, r.kind, r.rule) for r in ROWS if r.entry is Entry.CLUSTER}

    for kind, rule in itertools.product(RECOMMENDED, (Rule.OBJECT, Rule.DELETION)):
        assert (kind.group, kind.kind, rule) in rows


@pytest.mark.parametrize(
    ("request_", "subject"),
    [
        pytest.param(
            asked("apps", "deployments", "scale", of="autoscaling", kind="Scale"),
            ObjectRef("apps", "Deployment", "payments", "it"),
            id="what is scaled",
        ),
        pytest.param(
            asked("", "pods", "exec", Verb.CONNECT, kind="PodExecOptions"),
            ObjectRef("", "Pod", "payments", "it"),
            id="what is entered",
        ),
        pytest.param(
            asked("", "namespaces", kind="Namespace", name="payments"),
            ObjectRef("", "Namespace", "", "payments"),
            id="a namespace lives in none",
        ),
        pytest.param(
            asked("x", "widgets", "scale", of="autoscaling", kind="Scale"),
            ObjectRef("autoscaling", "Scale", "payments", "it"),
            id="a parent that nobody knows",
        ),
    ],
)
def test_a_request_is_about_the_parent(
    request_: AdmissionRequest, subject: ObjectRef
) -> None:
    """Whatever object the server shows for a subresource."""
    assert subject_of(request_) == subject
    assert place_of(subject) == "payments"
