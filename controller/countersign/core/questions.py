"""The questions that no tool can answer, as data pinned by digest.

A policy names a question set by address and digest; only sets that are known here can be
asked, so that which ids must be answered never depends on what a signer says.
"""

import json
from dataclasses import dataclass

from countersign.core.types.artifacts import Digest
from countersign.core.types.policy import QuestionSet


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `id` is what an answer names."""

    id: str
    text: str


DEFAULT_URI = "https://countersign.dev/questions/default/1"

DEFAULT_QUESTIONS = (
    Question(
        "topology-not-in-code",
        "Does the change interact with anything in the production topology that is "
        "not in the code?",
    ),
    Question(
        "human-maintained-invariants",
        "Does it depend on invariants that people keep, not the system?",
    ),
    Question(
        "production-scale-and-failure-modes",
        "Does the logic hold at production scale and under failure modes that no "
        "test models?",
    ),
)


def question_set(uri: str, questions: tuple[Question, ...]) -> QuestionSet:
    """Return what a policy pins of `questions`.

    The digest is over the canonical JSON (RFC 8785) of ``{uri, questions: [{id, text}]}``;
    for ASCII text without numbers, which these are, the standard library writes it.

    Raises:
        Malformed: there is no question.
    """
    body = {"uri": uri, "questions": [{"id": q.id, "text": q.text} for q in questions]}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    ids = tuple(question.id for question in questions)
    return QuestionSet(uri, Digest.sha256(canonical.encode("ascii")), ids)


DEFAULT = question_set(DEFAULT_URI, DEFAULT_QUESTIONS)

_KNOWN = {DEFAULT.digest: (DEFAULT, DEFAULT_QUESTIONS)}


def known(digest: Digest) -> QuestionSet | None:
    """Return the question set with `digest`, or None if nobody here knows it."""
    return _KNOWN[digest][0] if digest in _KNOWN else None


def texts(digest: Digest) -> tuple[Question, ...]:
    """Return the questions of a set for a person to read; empty if it is unknown."""
    return _KNOWN[digest][1] if digest in _KNOWN else ()
