"""What the policy forbids about how the change was made (rules 2, 4 and 6).

Two questions, never one: what is *proven* by supporting evidence, and what is *seen* in
adverse evidence. Were they one state, a mark that moves a change from ``unknown: deny``
to ``ai: signOff`` would loosen, and losing evidence would admit.
"""

from dataclasses import replace

from countersign.core.rules.adverse import (
    against,
    banned_tools,
    is_assisted,
)
from countersign.core.rules.artifacts import Artifact, any_of, artifacts
from countersign.core.rules.case import Case, Said, git_digests
from countersign.core.rules.human import human
from countersign.core.rules.provenance import dependable
from countersign.core.types.evidence import Assistance, Provenance
from countersign.core.types.policy import Treatment
from countersign.core.types.verdict import (
    Expected,
    Finding,
    Names,
    ProvenanceGap,
    Reason,
)


def denials(case: Case) -> tuple[Finding, ...]:
    """Return for each artifact what the policy forbids about how it was made."""
    found = (_denial(case, artifact) for artifact in artifacts(case))
    return tuple(finding for finding in found if finding)


def _denial(case: Case, artifact: Artifact) -> Finding | None:
    """Return the first that holds.

    1. a banned assistant was seen
    2. AI was seen, and the policy denies it
    3. nobody knows how it was made, and the policy must know
    """
    claims = [adverse.claim for adverse in against(case, artifact.against)]
    if tools := banned_tools(case, claims):
        return case.finding(Reason.TOOL_BANNED, Names(tools), artifact.about)
    if case.policy.ai is Treatment.DENY and any(map(is_assisted, claims)):
        facts = Names(tuple(sorted({tool for claim in claims for tool in claim.tools})))
        return case.finding(Reason.AI_DENIED, facts, artifact.about)
    lacking = None if human(case, artifact) else _unknown(case, artifact)
    if lacking is None:
        return None
    return case.finding(Reason.UNKNOWN_DENIED, lacking, artifact.about)


def _unknown(case: Case, artifact: Artifact) -> ProvenanceGap | Expected | None:
    """Say what lacks to know how `artifact` was made, where the policy must know.

    It must where it denies the unknown: then a collector's word that AI helped is
    knowledge, if a sign-off may follow. And where it denies something that only adverse
    evidence shows: then hiding that must not help, so a dependable collector has to have
    looked and seen none of it.
    """
    policy = case.policy
    denies_ai = policy.ai is Treatment.DENY
    if (
        policy.unknown is not Treatment.DENY
        and not denies_ai
        and not policy.banned_tools
    ):
        return None
    if artifact.image is None:
        artifact = replace(artifact, binding=any_of(artifact.digests))
    found = dependable(case, artifact)
    if isinstance(found, ProvenanceGap):
        return found
    if policy.unknown is Treatment.DENY:
        found = tuple(p for p in found if is_assisted(p.claim))
    known = any(
        not banned_tools(case, claims)
        and not (denies_ai and any(is_assisted(claim) for claim in claims))
        for p in found
        if (claims := _all_about(case, p))
    )
    worst = max((a.claim.assistance for a in found), default=Assistance.UNKNOWN)
    return None if known else Expected(Assistance.HUMAN.label, worst.label)


def _all_about(case: Case, provenance: Said[Provenance]) -> list[Provenance]:
    """Return the claim itself and all that counts against its commit and tree."""
    others = against(case, git_digests(provenance.evidence))
    return [provenance.claim, *(other.claim for other in others)]
