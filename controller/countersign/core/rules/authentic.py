"""Whether a live owner was admitted properly, so that its children may follow (rule 12).

Children never re-check what is of first admission: validity, anchor, base, revocation,
slots and demands may have changed since, and a tightened policy must not turn the drain
of a node into an outage. That the evidence is about the owner's present state still is
judged, that it is for this cluster, and that known people gave it.
"""

from collections.abc import Collection

from countersign.core.rules.case import Said, said, with_result
from countersign.core.rules.collectors import is_certified, is_ours
from countersign.core.rules.declarations import is_about, is_unmarked
from countersign.core.rules.objects import states_of
from countersign.core.rules.robots import answering
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.bound import BoundIntent
from countersign.core.types.evidence import (
    Declaration,
    Evidence,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.people import Alias, AliasKind
from countersign.core.types.policy import Policy


def authentic(
    policy: Policy,
    object: ObjectRef,  # noqa: A002 - the word of AdmissionReview and of our types
    bound: frozenset[BoundIntent],
    evidence: Collection[Evidence],
    *,
    cluster: str,
) -> bool:
    """Tell whether `evidence` shows that people of the roster stand for a live object.

    1. an approved sign-off of a roster person names this object in its present state,
       and this cluster; or
    2. complete provenance for this cluster and without a mark binds that state, and
       everybody with a part in it declared that

    Args:
        policy: The policy that also judges the child.
        object: The owner, with its namespace and name.
        bound: Intents that the live owner equals, controllers' edits aside.
        evidence: Verified, what the owner carries.
        cluster: Our name. What was approved elsewhere says nothing of what runs here.
    """
    words = said(evidence, Declaration)
    return any(
        cluster in s.claim.clusters and _approves(policy, object, bound, s)
        for s in with_result(evidence, Result.APPROVED)
    ) or any(
        cluster in p.claim.clusters and _is_human(policy, bound, p, words)
        for p in said(evidence, Provenance)
    )


def _approves(
    policy: Policy,
    owner: ObjectRef,
    bound: frozenset[BoundIntent],
    sign_off: Said[SignOff],
) -> bool:
    return policy.roster.signer(sign_off.evidence.signer) is not None and any(
        change.digest in sign_off.evidence.digests
        and BoundIntent(change.digest, change.elastic) in bound
        for change in states_of(sign_off.claim, owner)
    )


def _is_human(
    policy: Policy,
    bound: frozenset[BoundIntent],
    provenance: Said[Provenance],
    words: Collection[Said[Declaration]],
) -> bool:
    exact = {intent.digest for intent in bound if not intent.elastic}
    about = [word for word in words if is_about(word, provenance)]
    by = {policy.roster.signer(word.evidence.signer) for word in about} - {None}
    who = provenance.claim.contributors
    return (
        is_ours(policy, provenance)
        and is_certified(provenance)
        and is_unmarked(provenance.claim)
        and not provenance.evidence.digests.isdisjoint(exact)
        and bool(who)
        and all(
            policy.roster.known_as(Alias(AliasKind.GIT, one.id.lower())) in by
            or any(answering(policy, word, one, provenance) for word in about)
            for one in who
        )
    )
