"""What counts against a change. It only ever adds denials (rule 6).

Whose it is is all that matters: expired, out of scope or withdrawn, it still was seen.
An attacker may hide it, so nothing is admitted because it is absent.
"""

from collections.abc import Collection, Iterable

from countersign.core.rules.case import Case, Said, signer
from countersign.core.rules.collectors import is_ours
from countersign.core.rules.objects import states_of
from countersign.core.rules.signers import person_of
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Assistance, Provenance, SignOff
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Expected, Finding, Reason, SignedBy


def against(case: Case, digests: Collection[Digest]) -> tuple[Said[Provenance], ...]:
    """Return adverse provenance, by a collector of ours, about any of `digests`."""
    return about(case.policy, case.adverse, digests)


def about(
    policy: Policy,
    provenance: Iterable[Said[Provenance]],
    digests: Collection[Digest],
) -> tuple[Said[Provenance], ...]:
    """Pick what a collector of ours says about any of `digests`."""
    return tuple(
        p
        for p in provenance
        if not p.evidence.digests.isdisjoint(digests) and is_ours(policy, p)
    )


def assisted(case: Case, digests: Collection[Digest]) -> tuple[Said[Provenance], ...]:
    """Return adverse provenance that saw assistance in any of `digests`."""
    return tuple(a for a in against(case, digests) if is_assisted(a.claim))


def is_assisted(claim: Provenance) -> bool:
    """Tell whether the claim says that AI had a hand in it; MIXED gates as AI does."""
    return claim.assistance >= Assistance.MIXED


def worse_fault(
    case: Case,
    sign_off: Said[SignOff],
    bad: Collection[Digest],
    known: Collection[Digest],
) -> Finding | None:
    """Say that the reviewer did not see how bad it is, or None.

    A sign-off is void if provenance about the same artifacts says worse than the worst
    that the reviewer saw. Who names none saw a change nobody spoke of: unknown.

    Args:
        case: The request before the policy.
        sign_off: The approval.
        bad: What counts against the artifacts is about any of these; and of the source
            that the sign-off itself speaks of.
        known: What the reviewer saw is about any of these. Told apart, since a build
            that only counts against an image must not make the reviewer know more.
    """
    inputs = sign_off.claim.inputs
    seen = about(case.policy, case.provenance, known)
    if any(is_assisted(p.claim) and p.evidence.statement in inputs for p in seen):
        return None
    unseen = (a for a in against(case, bad) if a.evidence.statement not in inputs)
    worst = max((a.claim.assistance for a in unseen), default=Assistance.UNKNOWN)
    if worst < Assistance.MIXED:
        return None
    facts = Expected(Assistance.UNKNOWN.label, worst.label)
    return case.finding(Reason.WORSE_PROVENANCE, facts)


def rejections(case: Case) -> tuple[Finding, ...]:
    """Return a finding for each person who said no, and could have said yes.

    The no of somebody who may fill a slot stands until its own validity ends, and no
    approval outweighs it.
    """
    return tuple(f for r in case.rejections if (f := _rejection(case, r)) is not None)


def banned_tools(case: Case, claims: Iterable[Provenance]) -> tuple[str, ...]:
    """Return the banned assistants among those that `claims` saw, sorted.

    A tool is written ``name version``; a policy bans a name, or one version of it.
    """
    bans = tuple(f"{tool.lower()} " for tool in case.policy.banned_tools)
    tools = {tool for claim in claims for tool in claim.tools}
    return tuple(sorted(t for t in tools if f"{t.lower()} ".startswith(bans)))


def _rejection(case: Case, no: Said[SignOff]) -> Finding | None:
    person = person_of(case, no.evidence)
    place = case.change.object
    end = no.claim.validity.end
    if (
        person is None
        or not any(person.has_role(s.role, place.namespace) for s in case.policy.slots)
        or case.change.cluster not in no.claim.clusters
        or (end is not None and end < case.at)
        or not _is_bound(case, no)
    ):
        return None
    by = signer(no.evidence.signer)
    return case.finding(Reason.REJECTED, SignedBy(by, person.id, seen=no.claim.link))


def _is_bound(case: Case, no: Said[SignOff]) -> bool:
    bound = {intent.digest for intent in case.change.intents}
    return any(c.digest in bound for c in states_of(no.claim, case.change.object))
