"""Statements name artifacts by digests that we know how to match."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, Subject
from countersign.wire.statement import (
    MAX_SUBJECTS,
    parse_statement,
    render_statement,
)
from tests.support import claims

SHA256 = {"sha256": "ab" * 32}
COMMIT = {"gitCommit": "9f" * 20}


def statement(*digest_sets: dict[str, Any], **changes: Any) -> bytes:
    """Write a statement about artifacts with these digests."""
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "it", "digest": digests} for digests in digest_sets],
        "predicateType": "https://example.test/it",
        "predicate": {},
    }
    return json.dumps(document | changes).encode()


@given(st.lists(claims.subjects, min_size=1, max_size=5))
def test_subjects_survive(subjects: list[Subject]) -> None:
    """Seen to fail with subjects of one name merged."""
    read = parse_statement(render_statement(subjects, "https://example.test/it", {}))

    assert read.subjects == set(subjects)


@given(st.permutations([Subject(f"s{n}", Digest.sha256(bytes(n))) for n in range(4)]))
def test_the_order_of_subjects_does_not_matter(subjects: list[Subject]) -> None:
    """One statement, one digest."""
    ordered = render_statement(sorted(subjects), "https://example.test/it", {})

    assert render_statement(subjects, "https://example.test/it", {}) == ordered


def test_version_one_tenth_is_read() -> None:
    """Real signers still write it."""
    old = statement(SHA256, _type="https://in-toto.io/Statement/v0.1")

    assert parse_statement(old) == parse_statement(statement(SHA256))


def test_algorithms_that_nobody_matches_are_left_out() -> None:
    """A SHA-512 beside a SHA-256 is fine; alone it names nothing here."""
    both = statement(SHA256 | {"sha512": "ab" * 64}, {"sha512": "ab" * 64})

    assert parse_statement(both).subjects == {
        Subject("it", Digest(Algorithm.SHA256, "ab" * 32))
    }


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(statement(), "a subject with", id="no subject"),
        pytest.param(
            statement({"sha512": "ab" * 64}), "a subject with", id="none that we know"
        ),
        pytest.param(
            statement(SHA256 | COMMIT), "one digest", id="two artifacts in one subject"
        ),
        pytest.param(
            statement({"sha256": "AB" * 32}), "lowercase", id="an upper-case digest"
        ),
        pytest.param(statement({"sha256": "ab"}), "sha256", id="a short digest"),
        pytest.param(statement({"sha256": 7}), "sha256", id="a digest of a number"),
        pytest.param(
            statement(*[SHA256] * (MAX_SUBJECTS + 1)), "at most", id="too many"
        ),
        pytest.param(
            statement(SHA256, _type="https://in-toto.io/Statement/v2"),
            "Statement/v1",
            id="another version",
        ),
        pytest.param(statement(SHA256, predicate=[]), "predicate", id="no predicate"),
        pytest.param(
            statement(SHA256).replace(b'"predicate":', b'"subject":[],"predicate":'),
            "'subject' twice",
            id="two lists of subjects",
        ),
    ],
)
def test_refuses(payload: bytes, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Malformed, match=reason):
        parse_statement(payload)


@pytest.mark.parametrize("count", [0, MAX_SUBJECTS + 1])
def test_does_not_write_what_it_would_not_read(count: int) -> None:
    """Limits hold on both sides."""
    subjects = [Subject(str(n), Digest.sha256(b"%d" % n)) for n in range(count)]

    with pytest.raises(Malformed, match="subjects"):
        render_statement(subjects, "https://example.test/it", {})
