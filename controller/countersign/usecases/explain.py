"""Explain: for every policy and all that it asks, who met it, or what is missing.

The verdict says that a policy is met or not; here it is laid beside what the policy
asks. Nothing is judged again.
"""

from collections.abc import Iterator

from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.core.rules.windows import written
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Evidence, Presence, SignOff
from countersign.core.types.explained import (
    Ask,
    Explained,
    Filling,
    Requirement,
    State,
)
from countersign.core.types.policy import Enforcement, Policy, Slot, Toggle, Treatment
from countersign.core.types.verdict import Basis, Door, Finding, OpenSlots, Reason
from countersign.ports import Prover
from countersign.usecases.judged import Judged

FAILING = {
    Ask.PROVENANCE: {
        Reason.AUTHORS_UNKNOWN,
        Reason.AUTHOR_UNRESOLVED,
        Reason.UNKNOWN_DENIED,
        Reason.WORSE_PROVENANCE,
    },
    Ask.IMAGES: {Reason.IMAGE_UNCOVERED},
    Ask.PINNING: {Reason.IMAGE_UNPINNED},
    Ask.QUESTIONS: {Reason.QUESTIONS_OPEN, Reason.CONCERN},
    Ask.TRACEABILITY: {Reason.TRACEABILITY_MISSING},
    Ask.PRESENCE: {Reason.PRESENCE_MISSING},
    Ask.TRUSTED_TIME: {Reason.TIME_MISSING, Reason.TIME_IMPLAUSIBLE},
    Ask.VALIDITY: {Reason.WINDOW_TOO_LONG, Reason.EXPIRED, Reason.NOT_YET_VALID},
    Ask.BASE: {Reason.STALE_BASE},
}
"""The reasons for which something that is asked for is not met."""


async def explained(judged: Judged, prover: Prover) -> tuple[Explained, ...]:
    """Lay what was found beside what each policy asks, sorted by policy.

    Args:
        judged: A judgement.
        prover: Proves its bundles once more, to tell which of them is whose.
    """
    verdict = judged.verdict
    evidence = [e for raw in judged.bundles if (e := await _proven(raw, prover))]
    policies = {policy.name: policy for policy in judged.policies}
    names = (
        policies.keys()
        | {basis.policy for basis in verdict.bases}
        | {finding.policy for finding in verdict.findings}
    )
    found = []
    for name in sorted(names):
        basis = next((b for b in verdict.bases if b.policy == name), None)
        findings = tuple(f for f in verdict.findings if f.policy == name)
        found.append(_explained(name, policies.get(name), basis, findings, evidence))
    return tuple(found)


def _explained(
    name: str,
    policy: Policy | None,
    basis: Basis | None,
    findings: tuple[Finding, ...],
    evidence: list[Evidence],
) -> Explained:
    asks = next((f.facts for f in findings if isinstance(f.facts, OpenSlots)), None)
    signed = basis is None or (basis.door is Door.SIGNED and bool(basis.filled))
    known = policy if signed else None
    enforcement = policy.enforcement if policy else Enforcement.DENY
    return Explained(
        policy=name,
        enforcement=enforcement,
        basis=basis,
        fillings=_fillings(known, basis, asks, evidence) if known else (),
        requirements=tuple(_requirements(known, basis, findings)) if known else (),
        asks=asks,
        findings=findings,
    )


def _fillings(
    policy: Policy,
    basis: Basis | None,
    asks: OpenSlots | None,
    evidence: list[Evidence],
) -> tuple[Filling, ...]:
    """Return the slots in the policy's order; of two for one role either is first."""
    if basis is not None and basis.emergency:
        return tuple(
            Filling(slot=Slot(role=f.role), person=f.person, bundle=f.bundle)
            for f in basis.filled
        )
    proven = [(f.role, f.person, f.bundle) for f in basis.filled] if basis else []
    told = [
        (role, person, _bundle_of(person, policy, evidence))
        for role, person in (asks.filled if asks else ())
    ]
    left: list[tuple[str, str, Digest | None]] = [*proven, *told]
    found = []
    for slot in policy.slots:
        filled = next((one for one in left if one[0] == slot.role), None)
        if filled is None:
            found.append(Filling(slot=slot))
            continue
        left.remove(filled)
        found.append(Filling(slot=slot, person=filled[1], bundle=filled[2]))
    return tuple(found)


def _bundle_of(person: str, policy: Policy, evidence: list[Evidence]) -> Digest | None:
    """Return the sign-off of somebody; of several, the last by its digest."""
    theirs = [
        e.bundle
        for e in evidence
        if isinstance(e.claim, SignOff)
        and (who := policy.roster.signer(e.signer)) is not None
        and who.id == person
    ]
    return max(theirs, default=None)


def _requirements(
    policy: Policy, basis: Basis | None, findings: tuple[Finding, ...]
) -> Iterator[Requirement]:
    reasons = {finding.reason for finding in findings}
    for ask, detail in _asked(policy):
        if basis is not None:
            state = State.MET
        else:
            failing = not FAILING[ask].isdisjoint(reasons)
            state = State.MISSING if failing else State.OPEN
        yield Requirement(ask, detail, state)


def _asked(policy: Policy) -> Iterator[tuple[Ask, str]]:
    demands, images = policy.demands, policy.images
    attested = any(slot.needs_authors for slot in policy.slots)
    if attested or policy.unknown is Treatment.DENY:
        yield Ask.PROVENANCE, ", ".join(one.name for one in policy.collectors)
    if images.attestations is Toggle.REQUIRED:
        yield Ask.IMAGES, ""
    if images.pinning is Toggle.REQUIRED:
        yield Ask.PINNING, ""
    if demands.questions:
        yield Ask.QUESTIONS, demands.questions.uri
    for trace in demands.traceability:
        yield Ask.TRACEABILITY, f"{trace.type} {trace.pattern}"
    if demands.presence is not Presence.NONE:
        yield Ask.PRESENCE, demands.presence.name.lower()
    if demands.trusted_time:
        yield Ask.TRUSTED_TIME, ""
    yield Ask.VALIDITY, written(demands.max_validity)
    yield Ask.BASE, demands.base


async def _proven(raw: bytes, prover: Prover) -> Evidence | None:
    try:
        return await prover.prove(raw)
    except (Malformed, Rejected, Unavailable):
        return None
