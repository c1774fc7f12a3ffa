"""Whose automation speaks, for which addresses, and as far as which paths (rules 1 and 2).

A robot's word counts for its own addresses only: it never approves, answers for no
assistant, and makes nobody else's commits human. Git lets anybody commit as a robot, so
that an address is a robot's is never enough: the word is signed by the robot.
"""

from countersign.core.rules.case import Said
from countersign.core.rules.collectors import repository
from countersign.core.types.evidence import (
    Contributor,
    Declaration,
    Evidence,
    Provenance,
)
from countersign.core.types.policy import Policy
from countersign.core.types.robots import Robot


def robots_of(policy: Policy, evidence: Evidence) -> tuple[Robot, ...]:
    """Return the robots of `policy` that signed `evidence`."""
    return tuple(robot for robot in policy.robots if robot.by.made(evidence))


def answering(
    policy: Policy,
    word: Said[Declaration],
    who: Contributor,
    provenance: Said[Provenance],
) -> tuple[Robot, ...]:
    """Return the robots that `word` is of, and that may speak so for `who`.

    Whether the word is about the same range, and no assistant had a part in that, is
    asked elsewhere. The word of a robot that
    is at home in another repository, or that is confirmed by itself, is nobody's.

    1. the robot signed, and may speak of that repository
    2. somebody else attests
    3. the address is one of its own
    4. all that was touched under that address is told, and within its paths
    """
    touched = touched_by(provenance.claim, who)
    if touched is None or word.evidence.signer == provenance.evidence.signer:
        return ()
    return tuple(
        robot
        for robot in robots_of(policy, word.evidence)
        if is_at_home(robot, word)
        and robot.is_author(who.id)
        and all(map(robot.may_touch, touched))
    )


def is_at_home(robot: Robot, word: Said[Declaration]) -> bool:
    """Tell whether `robot` may speak of the repository that `word` is about.

    The policy says which, and a certificate on which it ran.

    Source: Fulcio's OID info, 1.3.6.1.4.1.57264.1.12.
    """
    about, certificate = repository(word.claim.repository), word.evidence.certificate
    homes = {repository(uri) for uri in robot.by.source_repositories}
    return (not homes or about in homes) and (
        certificate is None or repository(certificate.source_repository) == about
    )


def touched_by(claim: Provenance, who: Contributor) -> frozenset[str] | None:
    """Return all paths that `who` touched in the range, or None: that is not told."""
    told = [touched.paths for touched in claim.touched if touched.id == who.id]
    return frozenset().union(*told) if told else None
