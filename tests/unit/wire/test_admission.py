"""AdmissionReviews: what the server sends is understood, all else is Malformed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.request import Requester, Resource, Verb
from countersign.wire.admission import Answer, parse_review, render_review
from tests.support.webhook import body, review


def test_reads_a_request() -> None:
    """Every field that the engine judges by arrives."""
    sent = review(subResource="status", dryRun=True)["request"]
    request = parse_review(body(subResource="status", dryRun=True))

    assert request.uid == sent["uid"]
    assert request.verb is Verb.CREATE
    assert request.resource == Resource("", "v1", "configmaps", "status")
    assert request.ref == ObjectRef("", "ConfigMap", "payments", "routes")
    assert request.version == "v1"
    assert request.object == sent["object"]
    assert request.old is None
    assert request.options == sent["options"]
    assert request.requester == Requester(
        "lee", "", frozenset({"system:authenticated"})
    )
    assert request.dry_run


@pytest.mark.parametrize(
    ("fields", "name", "prefix"),
    [
        pytest.param(
            {"name": ""}, "routes", "", id="the object's name if none is given"
        ),
        pytest.param(
            {
                "operation": "DELETE",
                "name": "",
                "object": None,
                "oldObject": {"metadata": {"name": "old"}},
            },
            "old",
            "",
            id="a deletecollection names no object but the old one",
        ),
        pytest.param(
            {"name": "", "object": {"metadata": {"generateName": "web-"}}},
            "",
            "web-",
            id="a name that is yet to be made",
        ),
        pytest.param(
            {
                "name": "web",
                "operation": "CONNECT",
                "object": {"kind": "PodExecOptions"},
            },
            "web",
            "",
            id="an object that is only options",
        ),
        pytest.param({"name": "", "object": {"metadata": 7}}, "", "", id="no metadata"),
    ],
)
def test_names_the_object(fields: dict[str, Any], name: str, prefix: str) -> None:
    """Where the name stands depends on the operation."""
    ref = parse_review(body(**fields)).ref

    assert (ref.name, ref.generate_name) == (name, prefix)


def test_reads_what_go_leaves_out() -> None:
    """Empty fields are omitted or null, and newer servers add some."""
    sent = review(newerField={"x": 1})
    for field in ("oldObject", "dryRun", "options", "name", "namespace"):
        del sent["request"][field]
    sent["request"]["userInfo"] = {"groups": None}
    sent["response"] = None

    request = parse_review(json.dumps(sent).encode())

    assert request.requester == Requester("")
    assert not request.dry_run


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="deep nesting"),
        pytest.param(body(uid=""), id="no uid"),
        pytest.param(body(uid="u" * 300), id="a uid without end"),
        pytest.param(body(operation="PATCH"), id="an operation that is none"),
        pytest.param(body(object=["x"]), id="an object that is a list"),
        pytest.param(body(dryRun="false"), id="text for a boolean"),
        pytest.param(body(namespace=None), id="null for a namespace"),
        pytest.param(
            json.dumps({**review(), "apiVersion": "admission.k8s.io/v1beta1"}).encode(),
            id="an older version",
        ),
        pytest.param(
            json.dumps({**review(), "kind": "Pod"}).encode(), id="another kind"
        ),
    ],
)
def test_refuses(raw: bytes) -> None:
    """What is no review cannot be answered as one."""
    with pytest.raises(Malformed):
        parse_review(raw)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_malformed(raw: bytes) -> None:
    """Seen to catch: a review without request as a KeyError."""
    with pytest.raises(Malformed):
        parse_review(raw)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
    st.sampled_from(sorted(review()["request"])),
)
def test_any_value_in_any_field_is_read_or_malformed(value: Any, field: str) -> None:
    """Seen to catch: a name taken from metadata that is a list."""
    try:
        parse_review(body(**{field: value}))
    except Malformed:
        return


def test_an_admission_says_no_more_than_that() -> None:
    """Nothing empty is sent."""
    answer = json.loads(render_review(Answer(uid="u", allowed=True)))

    assert answer == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u", "allowed": True},
    }


def test_a_denial_carries_its_reason_and_the_audit_log_its_story() -> None:
    """As kubectl and the cluster's audit log read them."""
    answer = Answer(
        uid="u",
        allowed=False,
        message="no evidence",
        warnings=("soon to be denied",),
        annotations={"verdict": "denied"},
    )

    response = json.loads(render_review(answer))["response"]

    assert response["status"] == {
        "status": "Failure",
        "code": 403,
        "reason": "Forbidden",
        "message": "no evidence",
    }
    assert response["warnings"] == ["soon to be denied"]
    assert response["auditAnnotations"] == {"verdict": "denied"}
