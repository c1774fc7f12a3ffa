"""Who could let a denied change in by break-glass: for people to read (rule 23)."""

from collections.abc import Collection
from datetime import datetime

from countersign.core.rules.revocation import is_barred
from countersign.core.types.policy import Enforcement, Policy, Revoked
from countersign.core.types.verdict import Reason, Verdict

_NO_SIGNATURE_HELPS = frozenset(
    {
        Reason.NOT_READY,
        Reason.STALE,
        Reason.NO_POLICY,
        Reason.POLICY_INVALID,
        Reason.UNAVAILABLE,
        Reason.MALFORMED,
        Reason.UNSUPPORTED,
        Reason.OVER_LIMIT,
        Reason.EVIDENCE_REMOVED,
        Reason.FOREIGN_ANNOTATION,
        Reason.UNSIGNED_SOURCE,
        Reason.CONVERTED,
        Reason.IMAGE_UNPINNED,
        Reason.REJECTED,
        Reason.STATUS_METADATA,
        Reason.GOVERNANCE,
    }
)


def on_call(
    verdict: Verdict,
    policies: Collection[Policy],
    namespace: str,
    *,
    revoked: Collection[Revoked],
    at: datetime,
) -> tuple[str, ...]:
    """Return who could break the glass for what `verdict` denies, sorted.

    Each of them alone: on call by every policy that denies, valid now and not withdrawn.
    Empty where nothing was denied, where a policy has no break-glass, or where no
    signature helps.

    Args:
        verdict: The judgement.
        policies: All that judged.
        namespace: Of the object.
        revoked: Every withdrawal.
        at: Now.
    """
    denying = [f for f in verdict.findings if f.enforcement is Enforcement.DENY]
    names = {finding.policy for finding in denying}
    judges = [policy for policy in policies if policy.name in names]
    if len(judges) < len(names) or any(
        f.reason in _NO_SIGNATURE_HELPS for f in denying
    ):
        return ()
    found = [_ready(policy, namespace, revoked, at) for policy in judges]
    return tuple(sorted(frozenset.intersection(*found))) if found else ()


def _ready(
    policy: Policy, namespace: str, revoked: Collection[Revoked], at: datetime
) -> frozenset[str]:
    glass = policy.break_glass
    if glass is None:
        return frozenset()
    return frozenset(
        person.id
        for person in policy.roster
        if person.has_role(glass.role, namespace)
        and person.valid.holds(at)
        and not is_barred(person, revoked, at)
    )
