"""Claims survive the wire; what is not a claim is Malformed and nothing else."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, Subject
from countersign.core.types.evidence import (
    Assistance,
    CommitRange,
    Contributor,
    Declaration,
    Part,
    Provenance,
    SignOff,
)
from countersign.wire.attestation import parse_attestation
from countersign.wire.declaration import render_declaration
from countersign.wire.provenance_statement import (
    CommitDetail,
    MarkDetail,
    ProvenanceDetail,
    render_provenance,
)
from countersign.wire.signoff import render_sign_off
from tests.support import claims

COMMIT = Digest(Algorithm.GIT_COMMIT, "9f" * 20)
IMAGE = Subject("image:ghcr.io/acme/payments", Digest(Algorithm.SHA256, "3b" * 32))
others = st.lists(claims.subjects, max_size=3)


@given(claims.provenances(), others)
def test_a_provenance_survives(claim: Provenance, subjects: list[Subject]) -> None:
    """Seen to fail with namespaces, and with prompters, left out of the text."""
    read = parse_attestation(render_provenance(claim, subjects))

    assert read.claim == claim
    assert read.subjects >= set(subjects)


@given(claims.sign_offs, others)
def test_a_sign_off_survives(claim: SignOff, subjects: list[Subject]) -> None:
    """Seen to fail with a deletion's policy, and with restoreUntil, left out."""
    read = parse_attestation(render_sign_off(claim, [*subjects, IMAGE]))

    assert read.claim == claim
    assert read.subjects >= set(subjects)


@given(claims.declarations, others)
def test_a_declaration_survives(claim: Declaration, subjects: list[Subject]) -> None:
    """Seen to fail with the range's base left out."""
    read = parse_attestation(render_declaration(claim, subjects))

    assert read.claim == claim


@given(claims.provenances(), st.data())
def test_detail_changes_no_claim(claim: Provenance, data: st.DataObject) -> None:
    """What people read beside the claim neither adds nor hides anybody."""
    named = st.sampled_from(sorted(c.id for c in claim.contributors))
    authors = {c.id for c in claim.contributors if c.part is Part.AUTHOR}
    committers = {c.id for c in claim.contributors if c.part is Part.COMMITTER}
    commit = CommitDetail(
        digest=claim.range.target,
        assistance=claim.assistance,
        author=data.draw(st.sampled_from(sorted(authors))),
        committer=data.draw(st.sampled_from(["", *sorted(committers)])),
        paths=("src/ledger.go",),
        marks=(0,) if claim.marked else (),
    )
    mark = MarkDetail(
        kind="trailer",
        value=f"Assisted-by: {data.draw(named)}",
        commit=claim.range.target,
        claims=Assistance.MIXED,
        confidence=75,
    )
    detail = ProvenanceDetail(
        commits=[commit],
        marks=[mark] if claim.marked else [],
        files=[("src/ledger.go", claim.lines)],
        registry=("https://countersign.dev/registry", IMAGE.digest),
        collector_version="0.1.0",
        target_ref="refs/heads/main",
        review_link="https://example.test/42",
    )

    assert parse_attestation(render_provenance(claim, [], detail)).claim == claim


@given(st.binary(max_size=80))
def test_only_malformed_escapes_bytes(raw: bytes) -> None:
    """Whatever came as a payload."""
    with pytest.raises(Malformed):
        parse_attestation(raw)


EXAMPLES = {
    "provenance": render_provenance(
        Provenance(
            repository="https://example.test/payments",
            range=CommitRange(None, COMMIT),
            assistance=Assistance.MIXED,
            complete=True,
            marked=True,
            contributors=frozenset({Contributor(Part.AUTHOR, "dev@example.com")}),
            tools=("amazon-q 2026-03",),
            clusters=frozenset({"prod"}),
        ),
        [IMAGE],
    ),
    "sign-off": render_sign_off(claims.SIGN_OFF, [IMAGE]),
    "declaration": render_declaration(
        Declaration(
            repository="https://example.test/payments",
            range=CommitRange(None, COMMIT),
            declared_on=claims.NOON,
        )
    ),
}


@given(
    st.sampled_from(sorted(EXAMPLES)),
    st.data(),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
def test_only_malformed_escapes_a_spoiled_field(
    name: str, data: st.DataObject, junk: Any
) -> None:
    """Any one place of a statement replaced by anything."""
    document = json.loads(EXAMPLES[name])
    places = list(_places(document))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = junk
    with suppress(Malformed):
        parse_attestation(json.dumps(document).encode())


def _places(node: Any) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in list(items):
        yield node, key
        if isinstance(child, dict | list):
            yield from _places(child)


def _subject(sha256: str) -> dict[str, Any]:
    return {"name": "it", "digest": {"sha256": sha256}}


def _answer(question: str) -> dict[str, str]:
    return {"id": question, "verdict": "addressed", "answer": "yes"}


def spoil(name: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change an example's JSON in place."""
    document = json.loads(EXAMPLES[name])
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(
            spoil("provenance", lambda d: d.update(predicateType="https://slsa.dev/x")),
            "one of our predicates",
            id="a predicate nobody here knows",
        ),
        pytest.param(
            spoil("provenance", lambda d: d["predicate"]["scope"].update(clusters=[])),
            "scope.clusters",
            id="no cluster is no wildcard",
        ),
        pytest.param(
            spoil("provenance", lambda d: d["predicate"].pop("scope")),
            "scope",
            id="no scope at all",
        ),
        pytest.param(
            spoil("provenance", lambda d: d["predicate"].update(actors=[])),
            "author",
            id="a provenance without authors",
        ),
        pytest.param(
            spoil(
                "provenance", lambda d: d["predicate"]["vcs"].update(revision="0" * 40)
            ),
            "vcs.revision",
            id="another revision than the range's",
        ),
        pytest.param(
            spoil("provenance", lambda d: d.update(subject=[_subject("3b" * 32)])),
            "among the subjects",
            id="a target that is no subject",
        ),
        pytest.param(
            spoil(
                "provenance",
                lambda d: d["predicate"]["actors"].append({"role": "x", "id": "y"}),
            ),
            "role",
            id="a role nobody knows",
        ),
        pytest.param(
            spoil("provenance", lambda d: d["predicate"].update(assistance="none")),
            "assistance",
            id="a word of assistance nobody knows",
        ),
        pytest.param(
            spoil(
                "provenance",
                lambda d: d["predicate"].update(
                    validity={
                        "notBefore": "2026-01-02T00:00:00Z",
                        "notAfter": "2026-01-01T00:00:00Z",
                    }
                ),
            ),
            "ends before",
            id="a window that ends before it starts",
        ),
        pytest.param(
            spoil("sign-off", lambda d: d["predicate"].update(reviewedOn="2026-11-22")),
            "reviewedOn",
            id="a day is no time",
        ),
        pytest.param(
            spoil(
                "sign-off",
                lambda d: d["predicate"].update(reviewedOn="2026-11-22T17:41:50+00:00"),
            ),
            "reviewedOn",
            id="a time that does not say Z",
        ),
        pytest.param(
            spoil("sign-off", lambda d: d.update(subject=[_subject("00" * 32)])),
            "among the subjects",
            id="a change that is no subject",
        ),
        pytest.param(
            spoil(
                "sign-off", lambda d: d["predicate"]["answers"].append(_answer("q1"))
            ),
            "one answer",
            id="a question answered twice",
        ),
        pytest.param(
            spoil(
                "sign-off",
                lambda d: d["predicate"]["changes"][0].update(namespace="payments"),
            ),
            "either an object or a namespace",
            id="a change of two kinds",
        ),
        pytest.param(
            spoil(
                "sign-off",
                lambda d: d["predicate"]["changes"][0]["object"].update(
                    generateName="ledger-"
                ),
            ),
            "a name or a generateName",
            id="an object with a name and a prefix",
        ),
        pytest.param(
            spoil(
                "sign-off",
                lambda d: d["predicate"]["changes"][0].update(operation="any"),
            ),
            "operation",
            id="any operation on an object",
        ),
        pytest.param(
            spoil(
                "sign-off",
                lambda d: d["predicate"]["inputAttestations"].append(
                    {"uri": "x", "digest": {"gitCommit": "0" * 40}}
                ),
            ),
            "sha256",
            id="a commit in place of a statement",
        ),
        pytest.param(
            spoil(
                "sign-off",
                lambda d: d["predicate"].update(reviewedOn="2026-13-01T00:00:00Z"),
            ),
            "a time that exists",
            id="a thirteenth month",
        ),
        pytest.param(
            spoil(
                "sign-off",
                lambda d: d["predicate"]["changes"].append(
                    {"namespace": "payments", "operation": "any", "later": 2**60}
                ),
            ),
            "canonical JSON",
            id="a change that has no canonical bytes",
        ),
        pytest.param(
            spoil("sign-off", lambda d: d["predicate"].update(breakGlass={})),
            "incident",
            id="an emergency without incident",
        ),
        pytest.param(
            spoil("declaration", lambda d: d["predicate"].update(statement="some-ai")),
            "no-ai-assistance",
            id="a declaration of something else",
        ),
        pytest.param(
            spoil(
                "declaration",
                lambda d: d["predicate"]["range"].update(targetID="9F" * 20),
            ),
            "lowercase",
            id="an upper-case digest",
        ),
    ],
)
def test_refuses(payload: bytes, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Malformed, match=reason):
        parse_attestation(payload)


def test_unknown_fields_are_ignored() -> None:
    """A newer signer is not locked out."""

    def add(document: dict[str, Any]) -> None:
        for holder in (document, document["predicate"], document["predicate"]["vcs"]):
            holder["later"] = {"any": ["thing"]}

    assert parse_attestation(spoil("provenance", add)) == parse_attestation(
        EXAMPLES["provenance"]
    )


def test_nobody_but_the_law_finds_a_change_human() -> None:
    """Rule 2: a statement's `human` reads as unknown."""

    def claim_human(document: dict[str, Any]) -> None:
        document["predicate"]["assistance"] = "human"
        document["predicate"]["contributors"] = []
        document["predicate"]["coverage"]["commitsWithMarker"] = 0

    claim = parse_attestation(spoil("provenance", claim_human)).claim

    assert isinstance(claim, Provenance)
    assert claim.assistance is Assistance.UNKNOWN
    assert not claim.marked


@pytest.mark.parametrize(
    "hint",
    [
        pytest.param({"evidence": [{"kind": "trailer"}]}, id="a mark"),
        pytest.param({"coverage": {"commitsWithMarker": 1}}, id="a count of marks"),
        pytest.param({"contributors": [{"type": "ai"}]}, id="an assistant"),
        pytest.param({"contributors": [{"type": "unknown"}]}, id="who knows whom"),
        pytest.param({"assistance": "mixed"}, id="the whole's state"),
        pytest.param(
            {"commits": [{"assistance": "ai", "author": "a@b", "committer": ""}]},
            id="one commit's state",
        ),
    ],
)
def test_any_hint_marks_the_change(hint: dict[str, Any]) -> None:
    """Whatever hints at assistance marks, and a commit's state raises the whole's."""

    def plain(document: dict[str, Any]) -> None:
        document["predicate"] |= {
            "assistance": "unknown",
            "contributors": [],
            "coverage": {"complete": True},
        }
        document["predicate"] |= hint

    claim = parse_attestation(spoil("provenance", plain)).claim

    assert isinstance(claim, Provenance)
    assert claim.marked
    assert (claim.assistance > Assistance.UNKNOWN) == (
        "commits" in hint or "assistance" in hint
    )
