"""Whose word is worth something to a policy, before the law is asked what it says."""

from collections.abc import Collection

from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import Policy, Treatment


def weighs(policy: Policy, evidence: Evidence, namespace: str) -> bool:
    """Tell whether who signed this may fill a slot, or attests for `policy`.

    An author is on the roster as well, and may put as much there as he likes.
    """
    person = policy.roster.signer(evidence.signer)
    roles = [slot.role for slot in policy.slots]
    if policy.break_glass is not None:
        roles.append(policy.break_glass.role)
    return attests(policy, evidence) or (
        person is not None and any(person.has_role(role, namespace) for role in roles)
    )


def knows(policy: Policy, evidence: Evidence) -> bool:
    """Tell whether `policy` gives anything for the word of who signed this."""
    known = policy.roster.signer(evidence.signer) is not None
    declares = any(robot.by.made(evidence) for robot in policy.robots)
    return known or declares or attests(policy, evidence)


def attests(policy: Policy, evidence: Evidence) -> bool:
    """Tell whether who signed this is a collector or builder of `policy`."""
    attestors = (*policy.collectors, *policy.builders)
    return any(attestor.made(evidence) for attestor in attestors)


def known_by_any(policies: Collection[Policy], evidence: Evidence) -> bool:
    """Tell whether one of `policies` knows who signed this."""
    return any(knows(policy, evidence) for policy in policies)


def leans(policy: Policy) -> bool:
    """Tell whether `policy` admits only what nothing speaks against (rule 6).

    Then what goes unseen may be just that: silence is no answer.
    """
    return bool(policy.banned_tools) or policy.ai is Treatment.DENY
