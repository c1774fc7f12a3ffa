"""Builders of the law's values: say what a test is about, the rest is a small company.

Payments run in the cluster ``prod-eu``. Lee writes them, with an assistant or without;
``ci`` attests that; Dana (senior) and Ravi (senior and service owner) sign off; Omar and
Ines are on call. By default everything fits together: ``a.decide()`` admits.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from countersign.core import questions
from countersign.core.decide import decide as judge
from countersign.core.types.artifacts import (
    Algorithm,
    Difference,
    Digest,
    Image,
    ObjectRef,
    Subject,
)
from countersign.core.types.attestors import Attestor
from countersign.core.types.bound import BoundChange, BoundIntent, Mismatch, OldState
from countersign.core.types.change import Base, ObjectChange, Operation
from countersign.core.types.evidence import (
    Answer,
    AnswerVerdict,
    Assistance,
    Build,
    CertificateClaims,
    Claim,
    CommitRange,
    Contributor,
    Declaration,
    Emergency,
    Evidence,
    Lines,
    Part,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.people import (
    Alias,
    AliasKind,
    CertIdentity,
    Grant,
    Identity,
    KeyIdentity,
    Person,
    Roster,
)
from countersign.core.types.policy import (
    Baseline,
    BreakGlass,
    Demands,
    Policy,
    Revoked,
    Scope,
    Slot,
    Treatment,
)
from countersign.core.types.request import Requester
from countersign.core.types.time import Interval
from countersign.core.types.verdict import Finding, Reason, Verdict

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

CLUSTER, NAMESPACE = "prod-eu", "payments"
ISSUER = "https://accounts.acme.example"
CI_ISSUER = "https://token.ci.acme.example"
CI_SAN = "https://git.acme.example/acme/ci/provenance.yml@refs/heads/main"
REPOSITORY = "https://git.acme.example/acme/payments"


def digest(text: str) -> Digest:
    """Return some SHA-256 made from `text`."""
    return Digest.sha256(text.encode())


def commit(text: str) -> Digest:
    """Return some commit made from `text`."""
    return Digest(Algorithm.GIT_COMMIT, _sha1(text))


def tree(text: str) -> Digest:
    """Return the tree of the commit made from `text`."""
    return Digest(Algorithm.GIT_TREE, _sha1(f"tree of {text}"))


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


OBJECT = ObjectRef("apps", "Deployment", NAMESPACE, "ledger")
MANIFEST = digest("manifest of ledger")
RUNS = digest("image")
IMAGE = Image("acme/ledger@sha256:…", "docker.io/acme/ledger", "", RUNS)
START, HEAD = "start", "head"  # commits by name


# People


def person(name: str, *roles: str, **fields: Any) -> Person:
    """Return a person with a keyless identity, two keys and an address in git."""
    given: dict[str, Any] = {
        "id": name,
        "name": name.title(),
        "identities": frozenset({cert(name), key(name, "laptop"), key(name, "phone")}),
        "aliases": frozenset(
            {
                Alias(AliasKind.GIT, f"{name}@acme.example"),
                Alias(AliasKind.KUBERNETES, name),
            }
        ),
        "grants": tuple(Grant(role) for role in roles),
    }
    return Person(**{**given, **fields})


def cert(name: str) -> CertIdentity:
    """Return the keyless identity of a person."""
    return CertIdentity("public", ISSUER, f"{name}@acme.example")


def key(name: str, device: str) -> KeyIdentity:
    """Return the key that a person keeps on `device`."""
    return KeyIdentity("keys", f"{name}-{device}")


DANA = person("dana", "senior")
RAVI = person("ravi", "senior", "service-owner")
LEE = person("lee", "developer")
OMAR = person("omar", "on-call")
INES = person("ines", "on-call")
EVERYONE = (DANA, RAVI, LEE, OMAR, INES)
CI = CertIdentity("public", CI_ISSUER, CI_SAN)
STRANGER = CertIdentity("public", ISSUER, "mallory@elsewhere.example")


def by(who: Person, part: Part = Part.AUTHOR) -> Contributor:
    """Return a person's part in a range."""
    return Contributor(part, f"{who.id}@acme.example")


# Policies


def collector(**fields: Any) -> Attestor:
    """Return the collector ``ci``."""
    given: dict[str, Any] = {
        "name": "ci",
        "trust_root": "public",
        "issuer": CI_ISSUER,
        "san": CI_SAN,
        "source_repositories": (REPOSITORY,),
    }
    return Attestor(**{**given, **fields})


def slot(role: str, *independent_of: str, **fields: Any) -> Slot:
    """Return a slot; independent of author and prompter unless said otherwise."""
    names = independent_of or ("author", "prompter")
    return Slot(role=role, independent_of=frozenset(names), **fields)


def policy(**fields: Any) -> Policy:
    """Return a policy: one senior, independent; human admitted; a break-glass role.

    Args:
        **fields: Of `Policy`. Fields of `Demands` are taken too.
    """
    demands = {f: fields.pop(f) for f in Demands.__slots__ if f in fields}
    given: dict[str, Any] = {
        "name": "payments",
        "scope": Scope(namespaces=(NAMESPACE,)),
        "roster": Roster("platform", EVERYONE),
        "collectors": (collector(),),
        "builders": (collector(),),
        "baselines": frozenset({Baseline(REPOSITORY, commit(START))}),
        "declaring_roles": frozenset({"developer", "senior"}),
        "human": Treatment.ADMIT,
        "slots": (slot("senior"),),
        "demands": Demands(**{"questions": questions.DEFAULT, **demands}),
        "break_glass": BreakGlass(
            role="on-call", max_validity=4 * HOUR, review_within=72 * HOUR
        ),
    }
    return Policy(**{**given, **fields})


# Evidence


def evidence(
    claim: Claim,
    signer: Identity,
    *subjects: Digest,
    signed_at: datetime | None = NOON - HOUR,
    **fields: Any,
) -> Evidence:
    """Return verified evidence; bundle and statement are named after what it says."""
    said = repr((claim, sorted(subjects)))
    given: dict[str, Any] = {
        "bundle": digest(f"bundle {said} {signer} {signed_at}"),
        "statement": digest(f"statement {said}"),
        "subjects": frozenset(Subject(str(d), d) for d in subjects),
        "claim": claim,
        "signer": signer,
        "signed_at": signed_at,
    }
    return Evidence(**{**given, **fields})


def provenance(
    *makers: Person,
    target: str = HEAD,
    base: str | None = START,
    subjects: Collection[Digest] | None = None,
    signer: Identity = CI,
    signed_at: datetime | None = NOON - 2 * HOUR,
    certificate: CertificateClaims | None = None,
    **fields: Any,
) -> Evidence:
    """Return what ``ci`` says of a range: by default Lee's, complete, without a mark.

    Args:
        *makers: Authors and committers; default: Lee.
        target: Name of the commit it ends on.
        base: Name of the commit it begins after; None: the root.
        subjects: Beside commit and tree; default: manifest and image.
        signer: Who attests.
        signed_at: As a log says.
        certificate: Default: what fits the statement, for keyless signers.
        **fields: Of `Provenance`.
    """
    people = makers or (LEE,)
    given: dict[str, Any] = {
        "repository": REPOSITORY,
        "range": CommitRange(None if base is None else commit(base), commit(target)),
        "assistance": Assistance.UNKNOWN,
        "complete": True,
        "marked": False,
        "contributors": frozenset(
            by(p, part) for p in people for part in (Part.AUTHOR, Part.COMMITTER)
        ),
        "clusters": frozenset({CLUSTER}),
        "collected_on": NOON - 2 * HOUR,
        "collector": "ci",
    }
    claim = Provenance(**{**given, **fields})
    about = (MANIFEST, RUNS) if subjects is None else subjects
    if certificate is None and isinstance(signer, CertIdentity):
        certificate = CertificateClaims(
            source_repository=REPOSITORY, source_digest=commit(target).value
        )
    return evidence(
        claim,
        signer,
        commit(target),
        tree(target),
        *about,
        signed_at=signed_at,
        certificate=certificate,
    )


def marked(*makers: Person, **fields: Any) -> Evidence:
    """Return provenance that saw Lee's assistant."""
    given: dict[str, Any] = {
        "assistance": Assistance.MIXED,
        "marked": True,
        "tools": ("amazon-q 2026-03",),
        "lines": Lines(ai=41, human=12, unknown=7),
    }
    return provenance(*makers, **{**given, **fields})


def build(
    *images: Digest,
    target: str = HEAD,
    signer: Identity = CI,
    certificate: CertificateClaims | None = None,
    signed_at: datetime | None = NOON - 2 * HOUR,
    **fields: Any,
) -> Evidence:
    """Return what ``ci`` says it made `images` of; by default the image, of the head.

    Args:
        *images: Its subjects.
        target: Name of the commit.
        signer: Who built.
        certificate: Default: what fits the statement, for keyless signers.
        signed_at: As a log says.
        **fields: Of `Build`.
    """
    claim = Build(**{"repository": REPOSITORY, "commit": commit(target), **fields})
    if certificate is None and isinstance(signer, CertIdentity):
        certificate = CertificateClaims(
            source_repository=claim.repository, source_digest=claim.commit.value
        )
    return evidence(
        claim,
        signer,
        *(images or (RUNS,)),
        signed_at=signed_at,
        certificate=certificate,
    )


def declaration(
    who: Person = LEE, about: Evidence | None = None, **fields: Any
) -> Evidence:
    """Return a person's word that the range of `about` was made without AI."""
    about = about or provenance()
    if not isinstance(about.claim, Provenance):
        raise TypeError
    claim = Declaration(
        repository=fields.pop("repository", about.claim.repository),
        range=fields.pop("range", about.claim.range),
        declared_on=fields.pop("declared_on", NOON - HOUR),
    )
    commits = [d for d in about.digests if d.algorithm is not Algorithm.SHA256]
    subjects = fields.pop("subjects", commits)
    return evidence(claim, fields.pop("signer", cert(who.id)), *subjects, **fields)


def state(
    ref: ObjectRef = OBJECT, intent: Digest = MANIFEST, **fields: Any
) -> ObjectChange:
    """Return a state that a sign-off approves."""
    given: dict[str, Any] = {"operation": Operation.CREATE_OR_UPDATE, "base": Base.ANY}
    return ObjectChange(object=ref, digest=intent, **{**given, **fields})


ANSWERS = tuple(
    Answer(q.id, AnswerVerdict.ADDRESSED, "looked at it")
    for q in questions.DEFAULT_QUESTIONS
)


def sign_off(
    who: Person = DANA,
    *,
    device: str | None = None,
    saw: Iterable[Evidence] | None = None,
    subjects: Collection[Digest] | None = None,
    signer: Identity | None = None,
    signed_at: datetime | None = NOON - HOUR,
    presence: Any = None,
    certificate: Any = None,
    **fields: Any,
) -> Evidence:
    """Return a person's approval of the ledger, having seen the default provenance.

    Args:
        who: The reviewer.
        device: Key used; default: keyless.
        saw: Provenance shown to the reviewer; default: ``provenance()``.
        subjects: Default: what the changes name, and the image.
        signer: Default: the reviewer's identity.
        signed_at: As a log says; `reviewed_on` follows.
        presence: Of the proof.
        certificate: Of the proof.
        **fields: Of `SignOff`.
    """
    shown = (provenance(),) if saw is None else saw
    reviewed = fields.get("reviewed_on", signed_at or NOON - HOUR)
    given: dict[str, Any] = {
        "result": Result.APPROVED,
        "meanings": frozenset({"review", "approval"}),
        "reviewer": who.name,
        "started_on": None,
        "reviewed_on": reviewed,
        "clusters": frozenset({CLUSTER}),
        "changes": (state(),),
        "inputs": frozenset(e.statement for e in shown),
        "question_set": (questions.DEFAULT.uri, questions.DEFAULT.digest),
        "answers": ANSWERS,
    }
    if "validity" not in fields:
        given["validity"] = Interval(reviewed, reviewed + 30 * DAY)
    claim = SignOff(**{**given, **fields})
    named = [c.digest for c in claim.changes if isinstance(c, ObjectChange)]
    about = [*named, RUNS] if subjects is None else subjects
    identity = signer or (key(who.id, device) if device else cert(who.id))
    proof = {"presence": presence, "certificate": certificate}
    return evidence(
        claim,
        identity,
        *about,
        signed_at=signed_at,
        **{name: value for name, value in proof.items() if value is not None},
    )


def rejection(who: Person = DANA, **fields: Any) -> Evidence:
    """Return a person's no."""
    return sign_off(who, result=Result.REJECTED, **fields)


def emergency(who: Person = OMAR, **fields: Any) -> Evidence:
    """Return a break-glass sign-off of somebody on call."""
    given: dict[str, Any] = {
        "emergency": Emergency("INC-7", "payments are down"),
        "validity": Interval(NOON - HOUR, NOON + HOUR),
        "saw": (),
        "answers": (),
        "question_set": None,
    }
    return sign_off(who, **{**given, **fields})


# Requests


def change(**fields: Any) -> BoundChange:
    """Return the creation of the ledger by Lee, in the state that is signed."""
    given: dict[str, Any] = {
        "cluster": CLUSTER,
        "object": OBJECT,
        "operation": Operation.CREATE,
        "intents": frozenset({BoundIntent(MANIFEST)}),
        "images": (IMAGE,),
        "requester": Requester("lee"),
    }
    return BoundChange(**{**given, **fields})


OLD_MANIFEST, OLD_IMAGE = digest("old manifest"), digest("old image")


def old(*carried: Evidence, **fields: Any) -> OldState:
    """Return the live ledger, carrying `carried`."""
    given: dict[str, Any] = {
        "digest": digest("normal form of the live ledger"),
        "uid": "1234",
        "evidence": carried,
        "images": frozenset({OLD_IMAGE}),
        "intents": frozenset({BoundIntent(OLD_MANIFEST)}),
    }
    return OldState(**{**given, **fields})


def update(live: OldState | None = None, **fields: Any) -> BoundChange:
    """Return the update of a live ledger; by default one without evidence."""
    given: dict[str, Any] = {"operation": Operation.UPDATE, "old": live or old()}
    return change(**{**given, **fields})


def changed(*paths: str) -> BoundChange:
    """Return the creation of a ledger that differs at `paths` from what was signed."""
    differences = tuple(Difference(path, "1", "2") for path in sorted(paths))
    return change(intents=frozenset(), mismatches=(Mismatch(MANIFEST, differences),))


def decide(
    *supporting: Evidence,
    policies: Collection[Policy] | None = None,
    request: BoundChange | None = None,
    adverse: Collection[Evidence] | None = None,
    revoked: Collection[Revoked] = (),
    at: datetime = NOON,
    nothing: bool = False,
    **demands: Any,
) -> Verdict:
    """Judge a request, by default the creation of the ledger by one senior's policy.

    Args:
        *supporting: Default: the provenance and Dana's sign-off.
        policies: Default: one, made with `demands`.
        request: Default: ``change()``.
        adverse: Default: provenance and builds in `supporting`, as the use case does.
        revoked: Withdrawals.
        at: The moment.
        nothing: There is no supporting evidence at all.
        **demands: For ``policy()``.
    """
    given = supporting if supporting or nothing else (provenance(), sign_off())
    if adverse is None:
        adverse = [e for e in given if isinstance(e.claim, Provenance | Build)]
    return judge(
        request or change(),
        tuple(policies) if policies is not None else (policy(**demands),),
        given,
        adverse,
        revoked=revoked,
        at=at,
    )


def reasons(verdict: Verdict) -> set[Reason]:
    """Return why `verdict` denies."""
    return {finding.reason for finding in verdict.findings}


def finding(verdict: Verdict, reason: Reason) -> Finding:
    """Return the only finding with `reason`."""
    (found,) = (f for f in verdict.findings if f.reason is reason)
    return found
