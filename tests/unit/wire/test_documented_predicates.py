"""The predicates as the documentation shows them, field by field."""

import json
from datetime import UTC, datetime

from countersign.core.types.artifacts import Algorithm, Digest, ObjectRef
from countersign.core.types.change import Elastic, ObjectChange, Operation
from countersign.core.types.evidence import (
    Answer,
    AnswerVerdict,
    Assistance,
    CommitRange,
    Contributor,
    Lines,
    Part,
    Provenance,
    Result,
    SignOff,
    Trace,
)
from countersign.core.types.time import Interval
from countersign.wire.attestation import parse_attestation

COMMIT, FROM, TREE = "9f" * 20, "1d" * 20, "77" * 20
IMAGE, MANIFEST, BASE = "3b" * 32, "e4" * 32, "ba" * 32
STATEMENT, QUESTIONS = "5a" * 32, "0e" * 32

SUBJECTS = [
    {
        "name": "commit:git+https://github.com/acme/payments",
        "digest": {"gitCommit": COMMIT},
    },
    {
        "name": "tree:git+https://github.com/acme/payments",
        "digest": {"gitTree": TREE},
    },
    {"name": "image:ghcr.io/acme/payments", "digest": {"sha256": IMAGE}},
    {
        "name": "manifest:apps/Deployment/payments/ledger",
        "digest": {"sha256": MANIFEST},
    },
]

PROVENANCE = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": SUBJECTS,
    "predicateType": "https://countersign.dev/attestation/ai-provenance/v0.1",
    "predicate": {
        "collector": {
            "id": "https://github.com/acme/ci/.github/workflows/provenance.yml@refs/heads/main",
            "version": "0.1.0",
        },
        "collectedOn": "2026-11-22T19:00:00Z",
        "vcs": {
            "type": "git",
            "uri": "https://github.com/acme/payments",
            "revision": COMMIT,
        },
        "scope": {"clusters": ["prod-eu"], "namespaces": ["payments"]},
        "validity": {
            "notBefore": "2026-11-22T19:00:00Z",
            "notAfter": "2026-12-22T19:00:00Z",
        },
        "actors": [
            {
                "role": "pusher",
                "id": "12345+lee@users.noreply.github.com",
                "source": "forge",
            }
        ],
        "range": {
            "targetRef": "refs/heads/main",
            "fromID": FROM,
            "targetID": COMMIT,
            "reviewLink": "https://github.com/acme/payments/pull/42",
        },
        "assistance": "mixed",
        "contributors": [
            {
                "type": "ai",
                "tool": {"name": "amazon-q", "version": "2026-03"},
                "modelId": "amazon/q-developer",
                "sessionId": "s_c9883b05a2487d",
                "humanAuthor": "Dev@example.com",
            }
        ],
        "commits": [
            {
                "digest": {"gitCommit": COMMIT},
                "assistance": "mixed",
                "author": "dev@example.com",
                "committer": "dev@example.com",
                "paths": ["src/ledger.go"],
                "evidence": [0],
            }
        ],
        "evidence": [
            {
                "kind": "trailer",
                "value": "AI-Assisted: amazon-q/2026-03",
                "source": {"digest": {"gitCommit": COMMIT}},
                "claims": "mixed",
                "confidence": 75,
            }
        ],
        "files": [
            {
                "path": "src/ledger.go",
                "lines": {"ai": 41, "human": 12, "mixed": 0, "unknown": 7},
            }
        ],
        "coverage": {
            "commitsTotal": 1,
            "commitsWithMarker": 1,
            "commitsUnknown": 0,
            "linesAi": 41,
            "linesHuman": 12,
            "linesUnknown": 7,
            "complete": True,
        },
        "registry": {
            "uri": "https://countersign.dev/registry/agents-2026-11.json",
            "digest": {"sha256": IMAGE},
        },
    },
}

SIGN_OFF = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": SUBJECTS[1:],
    "predicateType": "https://countersign.dev/attestation/senior-signoff/v0.1",
    "predicate": {
        "result": "approved",
        "meaning": ["review", "approval"],
        "reviewer": {"name": "Dana Lee"},
        "reviewStartedOn": "2026-11-22T17:02:11Z",
        "reviewedOn": "2026-11-22T17:41:50Z",
        "reviewLink": "https://github.com/acme/payments/pull/42#pullrequestreview-99",
        "scope": {"clusters": ["prod-eu"]},
        "changes": [
            {
                "object": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "namespace": "payments",
                    "name": "ledger",
                },
                "digest": {"sha256": MANIFEST},
                "operation": "createOrUpdate",
                "base": {"sha256": BASE},
                "elastic": [{"path": "/spec/replicas", "min": 2, "max": 20}],
            }
        ],
        "inputAttestations": [
            {
                "uri": "https://countersign.dev/attestation/ai-provenance/v0.1",
                "digest": {"sha256": STATEMENT},
            }
        ],
        "questionSet": {
            "uri": "https://countersign.dev/questions/default/1",
            "digest": {"sha256": QUESTIONS},
        },
        "answers": [
            {
                "id": "topology-not-in-code",
                "verdict": "addressed",
                "answer": "Traced.",
                "evidence": [
                    {"uri": "https://example.test", "digest": {"sha256": IMAGE}}
                ],
            },
            {
                "id": "human-maintained-invariants",
                "verdict": "notApplicable",
                "answer": "None are touched.",
            },
        ],
        "traceability": [
            {"type": "HLR", "id": "PAY-HLR-17", "uri": "https://example.test/17"}
        ],
        "validity": {
            "notBefore": "2026-11-22T17:41:50Z",
            "notAfter": "2026-12-22T17:41:50Z",
            "restoreUntil": "2027-01-21T17:41:50Z",
        },
    },
}


def test_the_provenance() -> None:
    """Everything the law reads, and nobody left out."""
    read = parse_attestation(json.dumps(PROVENANCE).encode())

    assert len(read.subjects) == 4
    assert read.claim == Provenance(
        repository="https://github.com/acme/payments",
        range=CommitRange(
            Digest(Algorithm.GIT_COMMIT, FROM), Digest(Algorithm.GIT_COMMIT, COMMIT)
        ),
        assistance=Assistance.MIXED,
        complete=True,
        marked=True,
        contributors=frozenset(
            {
                Contributor(Part.AUTHOR, "dev@example.com"),
                Contributor(Part.COMMITTER, "dev@example.com"),
                Contributor(Part.PROMPTER, "dev@example.com"),
                Contributor(Part.PUSHER, "12345+lee@users.noreply.github.com"),
            }
        ),
        tools=("amazon-q 2026-03",),
        lines=Lines(41, 12, 7),
        clusters=frozenset({"prod-eu"}),
        namespaces=frozenset({"payments"}),
        validity=Interval(
            datetime(2026, 11, 22, 19, tzinfo=UTC),
            datetime(2026, 12, 22, 19, tzinfo=UTC),
        ),
        collected_on=datetime(2026, 11, 22, 19, tzinfo=UTC),
        collector="https://github.com/acme/ci/.github/workflows/provenance.yml@refs/heads/main",
    )


def test_the_sign_off() -> None:
    """Every field of it."""
    read = parse_attestation(json.dumps(SIGN_OFF).encode())
    signed = datetime(2026, 11, 22, 17, 41, 50, tzinfo=UTC)

    assert read.claim == SignOff(
        result=Result.APPROVED,
        meanings=frozenset({"review", "approval"}),
        reviewer="Dana Lee",
        started_on=datetime(2026, 11, 22, 17, 2, 11, tzinfo=UTC),
        reviewed_on=signed,
        clusters=frozenset({"prod-eu"}),
        changes=(
            ObjectChange(
                object=ObjectRef("apps", "Deployment", "payments", "ledger"),
                digest=Digest(Algorithm.SHA256, MANIFEST),
                operation=Operation.CREATE_OR_UPDATE,
                base=Digest(Algorithm.SHA256, BASE),
                elastic=(Elastic("/spec/replicas", 2, 20),),
            ),
        ),
        inputs=frozenset({Digest(Algorithm.SHA256, STATEMENT)}),
        question_set=(
            "https://countersign.dev/questions/default/1",
            Digest(Algorithm.SHA256, QUESTIONS),
        ),
        answers=(
            Answer("topology-not-in-code", AnswerVerdict.ADDRESSED, "Traced."),
            Answer(
                "human-maintained-invariants",
                AnswerVerdict.NOT_APPLICABLE,
                "None are touched.",
            ),
        ),
        traceability=(Trace("HLR", "PAY-HLR-17", "https://example.test/17"),),
        validity=Interval(signed, datetime(2026, 12, 22, 17, 41, 50, tzinfo=UTC)),
        restore_until=datetime(2027, 1, 21, 17, 41, 50, tzinfo=UTC),
        link="https://github.com/acme/payments/pull/42#pullrequestreview-99",
    )
