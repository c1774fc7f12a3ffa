"""The in-toto statement: what artifacts a predicate speaks of.

Source:
    github.com/in-toto/attestation, spec/v1/statement.md and digest_set.md; v0.1 has the
    same layout, and real signers still write it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import rfc8785
from pydantic import Field

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Subject, Tree
from countersign.wire.bundle import MAX_BUNDLE
from countersign.wire.shapes import Shape, digests, render_digest, shaped
from countersign.wire.strict_json import parse_json

MAX_SUBJECTS = 256  # a release of more objects is signed in parts

_V1: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, its predicate still unread.

    Attributes:
        subjects: Never empty.
        predicate_type: URI.
        predicate: As it came.
    """

    subjects: frozenset[Subject]
    predicate_type: str
    predicate: Tree


class _Subject(Shape):
    name: str = ""
    digest: dict[str, Any]

    def subject(self) -> Subject | None:
        """Return the subject, or None where no digest is of an algorithm we know.

        Raises:
            Malformed: two are: commit, tree and image are different artifacts, and
                in-toto lets any digest of a set stand for the whole.
        """
        known = digests(self.digest)
        if len(known) > 1:
            raise Malformed(
                f"subject {self.name[:80]!r}: expected one digest, since each of ours "
                "names another artifact"
            )
        return Subject(self.name, known[0]) if known else None


class _Statement(Shape):
    type: Literal[
        "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"
    ] = Field(alias="_type")
    subject: list[_Subject]
    predicate_type: str
    predicate: dict[str, Any]


def parse_statement(payload: bytes) -> Statement:
    """Read a statement v1 or v0.1.

    Raises:
        Malformed: it is none, it names no artifact we know how to match, or it is over
            a limit.

    Limits:
        `MAX_SUBJECTS`; the payload is bounded by its bundle.
    """
    shape = shaped(_Statement, parse_json(payload, limit=MAX_BUNDLE), "statement")
    if len(shape.subject) > MAX_SUBJECTS:
        raise Malformed(
            f"expected at most {MAX_SUBJECTS} subjects, saw {len(shape.subject)}"
        )
    subjects = {subject for item in shape.subject if (subject := item.subject())}
    if not subjects:
        raise Malformed("expected a subject with a sha256, gitCommit or gitTree digest")
    return Statement(frozenset(subjects), shape.predicate_type, shape.predicate)


def render_statement(
    subjects: Iterable[Subject], predicate_type: str, predicate: Tree
) -> bytes:
    """Write a statement v1: canonical JSON (RFC 8785), subjects sorted.

    Raises:
        Malformed: there are no subjects, or more than `MAX_SUBJECTS`.
    """
    ordered = sorted(set(subjects))
    if not 0 < len(ordered) <= MAX_SUBJECTS:
        raise Malformed(f"expected 1 to {MAX_SUBJECTS} subjects, saw {len(ordered)}")
    return rfc8785.dumps(
        {
            "_type": _V1,
            "subject": [
                {"name": subject.name, "digest": render_digest(subject.digest)}
                for subject in ordered
            ],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )
