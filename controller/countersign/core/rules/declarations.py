"""What makes a change human: the word of everybody who made it (rule 2).

Unsigned records never do; a collector's statement alone never does.
"""

from collections.abc import Collection

from countersign.core.rules.authors import person_behind
from countersign.core.rules.case import Case, Said, git_digests
from countersign.core.rules.collectors import repository
from countersign.core.rules.revocation import is_revoked
from countersign.core.rules.robots import answering
from countersign.core.rules.signers import person_of
from countersign.core.types.artifacts import Algorithm
from countersign.core.types.evidence import (
    Assistance,
    Contributor,
    Declaration,
    Provenance,
)


def is_unmarked(claim: Provenance) -> bool:
    """Tell whether a collector saw the whole range and no mark of assistance in it."""
    return (
        claim.complete
        and not claim.marked
        and not claim.tools
        and claim.assistance is Assistance.UNKNOWN
        and not any(contributor.agent for contributor in claim.contributors)
    )


def declarers(
    case: Case,
    provenance: Said[Provenance],
    declarations: Collection[Said[Declaration]],
) -> tuple[Said[Declaration], ...]:
    """Return a declaration for everybody with a part in the range; none if one lacks.

    Nobody having a part is a range that nobody answers for: none too.
    """
    found = {
        who: next(
            (d for d in declarations if speaks_for(case, d, who, provenance)), None
        )
        for who in sorted(provenance.claim.contributors)
    }
    given = tuple(dict.fromkeys(d for d in found.values() if d is not None))
    return given if None not in found.values() else ()


def is_about(declaration: Said[Declaration], provenance: Said[Provenance]) -> bool:
    """Tell whether both speak of the same repository, range and tree."""
    word, claim = declaration.claim, provenance.claim
    trees = {
        digest
        for digest in git_digests(provenance.evidence)
        if digest.algorithm is Algorithm.GIT_TREE
    }
    return (
        repository(word.repository) == repository(claim.repository)
        and word.range == claim.range
        and claim.range.target in declaration.evidence.digests
        and not declaration.evidence.digests.isdisjoint(trees)
    )


def speaks_for(
    case: Case,
    declaration: Said[Declaration],
    who: Contributor,
    provenance: Said[Provenance],
) -> bool:
    """Tell whether `who` signed `declaration`, may declare, and it counts."""
    person = person_of(case, declaration.evidence)
    if is_revoked(declaration.evidence, case.revoked, person=person):
        return False
    if not is_about(declaration, provenance):
        return False
    if person is None:
        return bool(answering(case.policy, declaration, who, provenance))
    namespace = case.change.object.namespace
    return person == person_behind(case, who) and any(
        person.has_role(role, namespace) for role in case.policy.declaring_roles
    )


def speaker(
    case: Case, declaration: Said[Declaration], provenance: Said[Provenance]
) -> frozenset[str]:
    """Return the id of whose word `declaration` is: a person, or robots that it is of."""
    if person := person_of(case, declaration.evidence):
        return frozenset({person.id})
    return frozenset(
        robot.id
        for who in provenance.claim.contributors
        for robot in answering(case.policy, declaration, who, provenance)
    )
