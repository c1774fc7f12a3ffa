"""What reviews a debt: the law itself is asked, over the evidence that there is.

An ordinary sign-off for what was admitted, made since, by others than broke the glass.
An access or a namespace window has no state that a sign-off could name. Its review
repeats the recorded change and names the decision in a link `REVIEW_OF`; without
`emergency` it admits nothing (`core.rules.emergency`).
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from countersign.binding.images import images
from countersign.core.decide import judge
from countersign.core.errors import Malformed
from countersign.core.rules.approval import fill_every_slot, stands_alone
from countersign.core.rules.case import Case
from countersign.core.rules.signers import person_of
from countersign.core.rules.windows import CLOCK_SKEW
from countersign.core.types.artifacts import Digest, Image
from countersign.core.types.bound import BoundChange, BoundIntent, OldState
from countersign.core.types.change import (
    Access,
    Deletion,
    NamespaceWindow,
    ObjectChange,
    Operation,
)
from countersign.core.types.decision import Decision, Proposal, Review
from countersign.core.types.evidence import (
    REVIEW_OF,
    Build,
    Evidence,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.policy import BaseRule, ImageSubject, Policy, Revoked
from countersign.core.types.request import Verb
from countersign.core.types.verdict import Basis

_MAKERS = frozenset({"author", "committer", "prompter"})
_NO_STATE = Digest.sha256(b"not asked")  # what stood there before: see `_asked`
_OPERATIONS = {verb: Operation(verb.value.lower()) for verb in Verb}


def reviewed(
    decision: Decision,
    policies: dict[str, Policy],
    evidence: Collection[Evidence],
    *,
    revoked: Collection[Revoked],
    at: datetime,
) -> Review | None:
    """Return the review that `evidence` amounts to, or None.

    Args:
        decision: A break-glass admission, whole.
        policies: In force, by name. Those that the glass was broken for must all be
            there, and be satisfied.
        evidence: About the object, proven, in any order.
        revoked: Every withdrawal.
        at: Now.
    """
    broken = [basis.policy for basis in decision.bases if basis.emergency]
    judged = [policies.get(name) for name in broken]
    if decision.proposal is None or not judged:
        return None
    persons: set[str] = set()
    for policy in judged:
        if policy is None:
            return None
        found = _by(
            policy, decision, decision.proposal, evidence, revoked=revoked, at=at
        )
        if not found:
            return None
        persons |= found
    return Review(at=at, persons=tuple(sorted(persons)))


def _by(
    policy: Policy,
    decision: Decision,
    proposal: Proposal,
    evidence: Collection[Evidence],
    *,
    revoked: Collection[Revoked],
    at: datetime,
) -> set[str]:
    """Return who reviewed for `policy`, all whom it asks; empty: not all have."""
    try:
        ran = _ran(proposal, policy)
    except Malformed:
        return set()  # what it ran cannot be told
    case = Case.of(
        _deed(decision, proposal, ran),
        _asked(policy, proposal),
        supporting=_counting(policy, decision, evidence),
        adverse=[e for e in evidence if _is_adverse(e)],
        revoked=revoked,
        at=at,
    )
    if isinstance(proposal.change, Access | NamespaceWindow):
        return _seen_to(case, decision, proposal)
    outcome = judge(case)
    return {f.person for f in outcome.filled} if isinstance(outcome, Basis) else set()


def _ran(proposal: Proposal, policy: Policy) -> tuple[Image, ...]:
    """Return the images of what was admitted.

    Raises:
        Malformed: they cannot be told: there is no intent, or it cannot be read.
    """
    if proposal.intent is not None:
        return images(proposal.intent.tree, policy.images.paths)
    if isinstance(proposal.change, ObjectChange):
        raise Malformed("expected an intent in the record, saw none")
    return ()


def _deed(
    decision: Decision, proposal: Proposal, ran: tuple[Image, ...]
) -> BoundChange:
    """Return what was admitted, as the law saw it then."""
    change, operation, propagation = proposal.change, _OPERATIONS[decision.verb], ""
    bound: frozenset[BoundIntent] = frozenset()
    if isinstance(change, ObjectChange):
        bound = frozenset(
            BoundIntent(change.digest, elastic) for elastic in {(), change.elastic}
        )
    elif isinstance(change, Deletion):
        operation, propagation = Operation.DELETE, change.propagation_policy
    return BoundChange(
        cluster=decision.cluster,
        object=decision.object,
        operation=operation,
        intents=bound,
        images=ran,
        old=OldState(digest=_NO_STATE, uid=decision.uid) if decision.uid else None,
        requester=decision.requester,
        propagation=propagation,
    )


def _asked(policy: Policy, proposal: Proposal) -> Policy:
    """Return what `policy` asks of a review.

    On what state the deed was done is past asking: the object has moved on since; and
    which platforms its images had, no registry is asked for again. And nobody made an
    access or a window, so nobody needs to be independent of its makers.
    """
    asked = replace(
        policy,
        demands=replace(policy.demands, base=BaseRule.ANY),
        images=replace(policy.images, subject=ImageSubject.INDEX),
    )
    if isinstance(proposal.change, ObjectChange | Deletion):
        return asked
    slots = tuple(
        replace(slot, independent_of=slot.independent_of - _MAKERS)
        for slot in policy.slots
    )
    return replace(asked, slots=slots)


def _counting(
    policy: Policy, decision: Decision, evidence: Iterable[Evidence]
) -> list[Evidence]:
    """Return how it was made, and sign-offs made since by others than broke the glass."""
    broke = {f.person for b in decision.bases if b.emergency for f in b.filled}
    counting = []
    for one in evidence:
        claim = one.claim
        if isinstance(claim, Provenance | Build):
            counting.append(one)
        elif isinstance(claim, SignOff) and claim.emergency is None:
            person = policy.roster.signer(one.signer)
            since = claim.reviewed_on >= decision.at - CLOCK_SKEW
            if since and person is not None and person.id not in broke:
                counting.append(one)
    return counting


def _seen_to(case: Case, decision: Decision, proposal: Proposal) -> set[str]:
    """Return who reviewed what has no state: by name, and by repeating it."""
    told = [
        s
        for s in case.sign_offs
        if proposal.change in s.claim.changes
        and any(
            (t.type, t.id) == (REVIEW_OF, decision.id) for t in s.claim.traceability
        )
        and stands_alone(case, s)
    ]
    if not fill_every_slot(case, told, ()):
        return set()
    return {p.id for s in told if (p := person_of(case, s.evidence)) is not None}


def _is_adverse(evidence: Evidence) -> bool:
    claim = evidence.claim
    rejects = isinstance(claim, SignOff) and claim.result is Result.REJECTED
    return rejects or isinstance(claim, Provenance | Build)
