"""One finding for each reason, as the law and the use cases make them."""

from countersign.core.types.artifacts import Difference, Subject
from countersign.core.types.evidence import Assistance, Lines
from countersign.core.types.verdict import (
    DeclarationGap,
    Detail,
    Differences,
    Expected,
    Facts,
    Finding,
    Gap,
    Ineligible,
    Names,
    OpenSlots,
    ProvenanceGap,
    Reason,
    SignedBy,
    Window,
    WordGap,
)
from tests.support import a

IMAGE = Subject("docker.io/acme/ledger", a.RUNS)
DANA = SignedBy("https://accounts.acme.example dana@acme.example", "dana")
OPEN = OpenSlots(
    open=("senior", "service-owner"),
    eligible=("dana", "ravi"),
    ineligible=(Ineligible("lee", Reason.NOT_INDEPENDENT, "author"),),
    assistance=Assistance.MIXED,
    tools=("amazon-q 2026-03",),
    lines=Lines(ai=41, human=12, unknown=7),
    collected=("ci", a.NOON),
    authors=True,
)
_WINDOW = Window(a.NOON - a.DAY, a.NOON - a.HOUR, a.NOON)
_OLD = Differences(a.MANIFEST, (Difference("/spec/replicas", "2", "3"),))


def _by(needed: str, seen: str) -> SignedBy:
    return SignedBy(DANA.signer, DANA.person, needed, seen)


FACTS: dict[Reason, Facts] = {
    Reason.NOT_READY: Detail("no first list of policies yet"),
    Reason.STALE: Detail("the watch of policies was cut 5 minutes ago"),
    Reason.NO_POLICY: None,
    Reason.POLICY_INVALID: Detail("spec.signOf: unknown field"),
    Reason.GOVERNANCE: Detail("the root roster cannot be deleted"),
    Reason.UNAVAILABLE: Detail("not everything was proven in time"),
    Reason.MALFORMED: Detail("expected gzip in base64"),
    Reason.CONVERTED: Expected("shop.example/v2", "shop.example/v1"),
    Reason.UNSUPPORTED: Expected("", "apps/v1/StatefulSet"),
    Reason.NO_EVIDENCE: None,
    Reason.OVER_LIMIT: Detail("expected at most 32 bundles, saw 33"),
    Reason.PROOF_REJECTED: Detail("the signature is not of this key"),
    Reason.REVOKED: DANA,
    Reason.EVIDENCE_REMOVED: Names(("countersign.dev/bundles",)),
    Reason.FOREIGN_ANNOTATION: Names(("countersign.dev/admit",)),
    Reason.UNSIGNED_SOURCE: Names(("sh.helm.release.v1.web.v1",)),
    Reason.CHANGED: _OLD,
    Reason.WRONG_CLUSTER: Expected("prod-eu", "staging"),
    Reason.WRONG_OBJECT: Expected(str(a.OBJECT), "payments/Deployment/other"),
    Reason.WRONG_OPERATION: Expected("update", "create"),
    Reason.STALE_BASE: Expected("sha256:aa", "sha256:bb"),
    Reason.IMAGE_UNPINNED: Names(("acme/ledger:1.2",)),
    Reason.IMAGE_UNCOVERED: DANA,
    Reason.EXPIRED: _WINDOW,
    Reason.NOT_YET_VALID: _WINDOW,
    Reason.WINDOW_TOO_LONG: Expected("30d", "90d"),
    Reason.TIME_MISSING: DANA,
    Reason.TIME_IMPLAUSIBLE: Expected("2026-11-22T12:00:00Z", "2027-11-22T12:00:00Z"),
    Reason.SLOT_OPEN: OPEN,
    Reason.DECLARATION_REJECTED: DeclarationGap(
        WordGap.SILENT, DANA.signer, DANA.person, "lee@acme.example"
    ),
    Reason.SIGNER_UNKNOWN: SignedBy(
        "https://accounts.acme.example m@elsewhere.example"
    ),
    Reason.PERSON_INVALID: _by("", "2026-11-22T12:00:00Z"),
    Reason.ROLE_MISSING: _by("senior", "developer"),
    Reason.NOT_INDEPENDENT: _by("senior", "author"),
    Reason.AUTHORS_UNKNOWN: ProvenanceGap(Gap.UNANCHORED, "gitCommit:abc"),
    Reason.AUTHOR_UNRESOLVED: Names(("mallory@elsewhere.example",)),
    Reason.PRESENCE_MISSING: _by("touch", "none"),
    Reason.REJECTED: DANA,
    Reason.CONCERN: Names(("topology-not-in-code",)),
    Reason.QUESTIONS_OPEN: Names(("topology-not-in-code",)),
    Reason.TRACEABILITY_MISSING: Names(("TICKET",)),
    Reason.MEANING_MISSING: _by("approval", "review"),
    Reason.WORSE_PROVENANCE: Expected("unknown", "mixed"),
    Reason.AI_DENIED: Names(("amazon-q 2026-03",)),
    Reason.UNKNOWN_DENIED: Expected("human", "unknown"),
    Reason.TOOL_BANNED: Names(("amazon-q 2026-03",)),
    Reason.OWNER_UNPROVEN: Detail("nobody of the roster stands for Deployment/web"),
    Reason.CHILD_DIFFERS: _OLD,
    Reason.DELETION: OPEN,
    Reason.SUBRESOURCE: Expected("", "connect exec"),
    Reason.STATUS_METADATA: Names(("/metadata/labels/app",)),
}
_IMAGES = {Reason.IMAGE_UNCOVERED, Reason.AUTHORS_UNKNOWN}


def finding(reason: Reason, policy: str = "payments", facts: Facts = None) -> Finding:
    """Return a finding with `reason`, with its usual facts unless others are given."""
    return Finding(
        policy=policy,
        reason=reason,
        about=IMAGE if reason in _IMAGES else a.OBJECT,
        facts=FACTS[reason] if facts is None else facts,
    )


ALL = tuple(finding(reason) for reason in Reason)
