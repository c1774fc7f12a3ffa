"""Record: what is kept of a judgement, and under which id.

A denial is named by what was denied and why: the same at every replica, after every
restart, however often a controller tries again. An admission happens once, and is named
by its request.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from countersign.binding.besides import Besides
from countersign.binding.canonical import canonical_json
from countersign.binding.deletions import orphans
from countersign.binding.masking import salt_of
from countersign.binding.match import state_digest
from countersign.binding.proposal import propose
from countersign.binding.surface import STATES, Rule, rule_for, subject_of
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import (
    Digest,
    GroupKind,
    Intent,
    Json,
    ObjectRef,
    Tree,
)
from countersign.core.types.change import (
    Access,
    Base,
    Change,
    Deletion,
    ObjectChange,
    Operation,
    Uid,
)
from countersign.core.types.decision import Decision, Outcome, Proposal
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import Door, Verdict
from countersign.report.records import outcome, told
from countersign.usecases.judged import Judged
from countersign.wire.changes import render_change

MAX_BUNDLES = 2 << 20  # bytes of bundles that are kept with one decision

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_ID_CHARACTERS = 26
_CLUSTERS_OWN = (
    "system:apiserver",
    "system:kube-",
    "system:node:",
    "system:serviceaccount:kube-system:",
)
"""How the names of the cluster's own controllers begin: their deltas are not kept."""

_ACCESSES = {
    Verb.CONNECT: Operation.CONNECT,
    Verb.CREATE: Operation.CREATE,
    Verb.UPDATE: Operation.UPDATE,
}
_KEPT_DOORS = frozenset({Door.SIGNED, Door.DERIVED})


def decision_of(
    judged: Judged,
    request: AdmissionRequest,
    *,
    cluster: str,
    at: datetime,
    salt: bytes,
) -> Decision | None:
    """Return what to keep of a judgement, or None if that is nothing.

    Args:
        judged: The judgement, and what it was made of.
        request: What was asked.
        cluster: Our name.
        at: When.
        salt: 32 random bytes of this process, for Secrets whose intent does not travel
            with them. So the denial of a Secret has another id in another process: no
            digest of its value without a secret may leave us.

    Returns:
        A decision with an empty message: what was printed names the decision.
    """
    verdict = judged.verdict
    if not worth_keeping(verdict, request):
        return None
    subject = judged.subject or subject_of(request)
    proposal = _proposal(judged, request, subject, salt)
    return Decision(
        id=_id(verdict, request, subject, proposal, cluster),
        at=at,
        cluster=cluster,
        verb=request.verb,
        resource=request.resource,
        object=subject,
        uid=_uid(judged, request),
        requester=request.requester,
        outcome=Outcome(outcome(verdict)),
        bases=verdict.bases,
        findings=tuple(told(finding) for finding in verdict.findings),
        proposal=proposal,
        bundles=tuple(_affordable(judged.bundles)),
        review_due=_review_due(judged, at),
    )


def worth_keeping(verdict: Verdict, request: AdmissionRequest) -> bool:
    """Tell whether a judgement is kept.

    Kept: denials, findings of whichever weight, what people signed for, what a
    controller made of that, and what people changed without a signature. Not kept: dry
    runs, what no policy is about, what changes nothing, and the routine of the
    cluster's own controllers.
    """
    if request.dry_run or verdict.outside:
        return False
    doors = {basis.door for basis in verdict.bases}
    if verdict.findings or doors & _KEPT_DOORS:
        return True
    by_people = not request.requester.name.startswith(_CLUSTERS_OWN)
    return Door.DELTA in doors and by_people


def _id(
    verdict: Verdict,
    request: AdmissionRequest,
    subject: ObjectRef,
    proposal: Proposal | None,
    cluster: str,
) -> str:
    about: list[Json] = [cluster, request.uid]
    if not verdict.allowed:
        ref = _lasting(request, subject)
        change = None if proposal is None else render_change(proposal.change, {})[0]
        why = {(f.policy, f.reason.value) for f in verdict.findings}
        about = [
            cluster,
            request.verb.value,
            str(request.resource),
            [ref.group, ref.kind, ref.namespace, ref.name, ref.generate_name],
            change,
            Outcome.DENIED.value,
            [[policy, reason] for policy, reason in sorted(why)],
        ]
    number = int.from_bytes(hashlib.sha256(canonical_json(about)).digest())
    number >>= 256 - 5 * _ID_CHARACTERS
    places = reversed(range(_ID_CHARACTERS))
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in places)


def _proposal(
    judged: Judged, request: AdmissionRequest, subject: ObjectRef, salt: bytes
) -> Proposal | None:
    """Return what could be signed, or was; None where no signature counts.

    Of what a policy only warns about, too: it can be signed before anybody is denied.
    """
    signed = any(basis.door is Door.SIGNED for basis in judged.verdict.bases)
    if not judged.policies or not (judged.verdict.findings or signed):
        return None
    try:
        if rule_for(request) in STATES or _is_own_state(request):
            return _state(judged, request, subject, salt)
        change = _deed(judged, request, subject)
    except Malformed:
        return None
    if change is None:
        return None
    # a subresource shows another kind than what it is of
    version = request.resource.version if request.resource.subresource else ""
    return Proposal(change=change, version=version or request.version)


def _state(
    judged: Judged, request: AdmissionRequest, subject: ObjectRef, salt: bytes
) -> Proposal | None:
    tree, old = request.object, request.old
    if tree is None:
        return None
    intent: Intent | None
    if judged.verdict.allowed and judged.intents:  # found equal when it was judged
        intent = judged.intents[0]
    else:
        intent = propose(
            tree,
            identity=subject,
            old=old,
            facts=judged.facts,
            carried=judged.intents,
            salt=salt,
            besides=Besides.of_all(
                judged.policies, GroupKind(subject.group, subject.kind)
            ),
        )
    if intent is None:
        return None
    base: Digest | Base | Uid = Base.ABSENT
    operation = Operation.CREATE_OR_UPDATE
    if request.resource.subresource:  # what is done to one Pod while it runs
        base, operation = Uid(_uid(judged, request)), Operation.UPDATE
    elif old is not None:
        salted = salt_of(intent.tree)
        base = state_digest(old, salt=salted, kinds=judged.facts.kinds)
    change = ObjectChange(
        object=_named(intent.tree, subject),
        digest=intent.digest,
        operation=operation,
        base=base,
    )
    return Proposal(change=change, intent=intent, version=request.version)


def _is_own_state(request: AdmissionRequest) -> bool:
    """Tell whether this is a new state of an object of ours."""
    return rule_for(request) is Rule.OWN and request.verb is not Verb.DELETE


def _named(intent: Tree, subject: ObjectRef) -> ObjectRef:
    """Name the object as its intent does: by a name, or by a prefix of one."""
    metadata = intent.get("metadata")
    if isinstance(metadata, dict) and not metadata.get("name"):
        return replace(subject, name="")
    return replace(subject, generate_name="")


def _lasting(request: AdmissionRequest, ref: ObjectRef) -> ObjectRef:
    """Name the object without what the server makes anew for each try."""
    generated = request.verb is Verb.CREATE and ref.generate_name
    return replace(ref, name="" if generated else ref.name)


def _deed(
    judged: Judged, request: AdmissionRequest, subject: ObjectRef
) -> Change | None:
    """Return a deletion, or an access by break-glass."""
    uid, ref = _uid(judged, request), replace(subject, generate_name="")
    if not (uid and ref.name):
        return None
    if rule_for(request) in (Rule.DELETION, Rule.EVICTION, Rule.OWN):
        return Deletion(object=ref, uid=uid, propagation_policy=_propagation(request))
    operation = _ACCESSES.get(request.verb)
    if operation is None or not _glass(judged):
        return None
    resource = request.resource
    return Access(
        object=ref,
        uid=uid,
        subresource=resource.subresource or resource.name,
        operation=operation,
    )


def _uid(judged: Judged, request: AdmissionRequest) -> str:
    """Return the uid of the live object; a new one has none that lasts."""
    seen = request.old or {}
    metadata = seen.get("metadata")
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    return uid if isinstance(uid, str) and uid else judged.uid


def _propagation(request: AdmissionRequest) -> str:
    """Return what a deletion does with dependents; ``""``: as the server likes."""
    if orphans(request):
        return "Orphan"
    body = (request.object or {}).get("deleteOptions")
    for said in (request.options, body):
        asked = said.get("propagationPolicy") if isinstance(said, dict) else None
        if asked in ("Background", "Foreground"):
            return str(asked)
    return ""


def _glass(judged: Judged) -> bool:
    """Tell whether break-glass could help: every policy that denies has it."""
    findings = judged.verdict.findings
    names = {f.policy for f in findings if f.enforcement is Enforcement.DENY}
    having = {p.name for p in judged.policies if p.break_glass is not None}
    return names <= having


def _review_due(judged: Judged, at: datetime) -> datetime | None:
    """Return when the first policy that let break-glass in wants it reviewed."""
    opened = {basis.policy for basis in judged.verdict.bases if basis.emergency}
    waits = [
        policy.break_glass.review_within
        for policy in judged.policies
        if policy.name in opened and policy.break_glass is not None
    ]
    return at + min(waits) if waits else None


def _affordable(bundles: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield as many as there is room for, in their order."""
    room = MAX_BUNDLES
    for bundle in bundles:
        room -= len(bundle)
        if room < 0:
            return
        yield bundle
