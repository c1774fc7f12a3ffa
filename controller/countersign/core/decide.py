"""The law: what a change is admitted on, or everything that is missing.

Deterministic, total and free of effects: no clock, no I/O, no log. The rules stand in
``rules/``, one a file; the numbers in the docstrings are those of the design's rules.
"""

from collections.abc import Collection
from datetime import datetime

from countersign.core.rules.adverse import rejections
from countersign.core.rules.anchors import on_ground
from countersign.core.rules.appearance import appearance
from countersign.core.rules.artifacts import images, unpinned
from countersign.core.rules.assistance import denials
from countersign.core.rules.case import Case
from countersign.core.rules.doubts import doubts
from countersign.core.rules.emergency import emergency
from countersign.core.rules.human import admission
from countersign.core.rules.missing import missing
from countersign.core.rules.slots import Ballot, ballot
from countersign.core.rules.votes import votes
from countersign.core.types.bound import BoundChange
from countersign.core.types.change import Operation
from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.verdict import (
    Basis,
    Door,
    Expected,
    Finding,
    Reason,
    Verdict,
)

# No sign-off helps against these: who could sign is not worth saying.
HOPELESS = frozenset({Reason.AI_DENIED, Reason.TOOL_BANNED})


def decide(
    change: BoundChange,
    policies: tuple[Policy, ...],
    supporting: Collection[Evidence],
    adverse: Collection[Evidence],
    *,
    revoked: Collection[Revoked],
    at: datetime,
) -> Verdict:
    """Judge `change` by every policy in the light of the evidence.

    Every policy is judged, even after the first failure, so that one denial tells
    everything that is missing.

    The decision is monotonic in `supporting`: taking some away never turns a denial into
    an admission, so a lost, hidden or rejected bundle cannot open the gate. `adverse` and
    `revoked` only ever add findings, and nothing relies on their presence.

    Args:
        change: The object and the images it would newly run, matched to the intents
            that evidence speaks of.
        policies: Those that apply, at least one. That none applies is the caller's to
            say (`Verdict.out_of_scope`).
        supporting: Approved sign-offs, declarations, provenance and builds, verified,
            in any order; what is about other subjects is ignored.
        adverse: Rejections and, again, all provenance and builds.
        revoked: Every withdrawal known.
        at: The moment of admission, aware, UTC. Ages are measured from here.

    Returns:
        For each policy either its basis or its findings, sorted by policy, then subject.

    Raises:
        Malformed: there is no policy.

    Cost:
        O(policies x slots x persons x evidence), no I/O.

    Source:
        in-toto Attestation Framework v1.2, "Monotonic principle"; matching by digest
        alone from Statement v1, field ``subject``.
    """
    judged = [
        judge(
            Case.of(
                change,
                policy,
                supporting=supporting,
                adverse=adverse,
                revoked=revoked,
                at=at,
            )
        )
        for policy in policies
    ]
    return Verdict.of(
        bases=[outcome for outcome in judged if isinstance(outcome, Basis)],
        findings={
            f for outcome in judged if isinstance(outcome, tuple) for f in outcome
        },
    )


def judge(case: Case) -> Basis | tuple[Finding, ...]:
    """Judge one request by one policy.

    1. nobody who could approve it has rejected it
    2. somebody on call signed for it in an emergency; or
    3. it is an object, or one Pod's new state, not a side door to them
    4. its images are pinned, and nothing about its making is forbidden
    5. everybody who made an object declared it human, and that is admitted; or
    6. every slot is filled by another person

    Returns:
        The basis of its admission, or at least one finding.
    """
    case = on_ground(case)
    refused = rejections(case)  # 1.
    broken = emergency(case)  # 2.
    if isinstance(broken, Basis):
        return refused or broken
    operation, subresource = case.change.operation, case.change.subresource
    if case.change.is_side_door:  # 3.
        seen = f"{operation} {subresource}".rstrip()
        door = case.finding(Reason.SUBRESOURCE, Expected("", seen))
        return (*refused, door, *broken)
    human = None
    if operation is not Operation.DELETE:
        refused += (*unpinned(case), *denials(case))  # 4.
        human = None if subresource else admission(case)  # 5.
    if isinstance(human, Basis):
        return refused or human
    if any(finding.reason in HOPELESS for finding in refused):
        return (*refused, *broken)
    counted, faults = votes(case)
    held = ballot(case, counted)  # 6.
    if held.complete:
        return refused or _signed(case, held)
    stale = (human,) if human else ()
    found = (*refused, *broken, *stale, *missing(case, held, counted, faults))
    found = found or (case.finding(Reason.NO_EVIDENCE),)  # no basis, no admission
    return (*found, *doubts(case))


def _signed(case: Case, held: Ballot) -> Basis:
    inputs = frozenset().union(*(v.sign_off.claim.inputs for v in held.votes))
    seen = {
        p.evidence.bundle for p in case.provenance if p.evidence.statement in inputs
    }
    built = {b.evidence.bundle for image in images(case) for b in image.builds}
    return Basis(
        policy=case.policy.name,
        door=Door.SIGNED,
        filled=held.filled,
        assistance=appearance(case).assistance,
        bundles=tuple(sorted(seen.union(built, (s.bundle for s in held.filled)))),
    )
