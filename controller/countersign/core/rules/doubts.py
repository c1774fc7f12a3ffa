"""Why a declaration does not count: for people to read, and never what denies.

Whether a change is human is for `human` alone. This looks at the same things again, one
by one, so that somebody learns which of them was in the way.
"""

from collections.abc import Iterable

from countersign.core.rules.adverse import assisted
from countersign.core.rules.authors import person_behind
from countersign.core.rules.case import Case, Said, signer
from countersign.core.rules.collectors import defect
from countersign.core.rules.declarations import is_about, is_unmarked, speaks_for
from countersign.core.rules.revocation import is_revoked
from countersign.core.rules.signers import person_of
from countersign.core.types.change import Operation
from countersign.core.types.evidence import Declaration, Provenance
from countersign.core.types.people import Person
from countersign.core.types.policy import Treatment
from countersign.core.types.verdict import (
    DeclarationGap,
    Finding,
    Gap,
    ProvenanceGap,
    Reason,
    WordGap,
)

_PROGRESS = list(WordGap)  # in the order in which `_doubt` checks

# What is in the way, what was seen, and how its provenance falls short.
Lacking = tuple[WordGap, str, ProvenanceGap | None]


def doubts(case: Case) -> tuple[Finding, ...]:
    """Return why declarations do not count, one finding for each that does not.

    Where the policy asks for none, and of a removal, there is nothing to say.
    """
    if (
        case.policy.human is not Treatment.ADMIT
        or case.change.operation is Operation.DELETE
    ):
        return ()
    return tuple(
        case.finding(Reason.DECLARATION_REJECTED, facts)
        for word in case.declarations
        if (facts := _doubt(case, word)) is not None
    )


def _doubt(case: Case, word: Said[Declaration]) -> DeclarationGap | None:
    """Say why `word` does not count, or None.

    1. a person of the roster signed it, and was on it then
    2. neither bundle nor identity nor person was withdrawn
    3. the person may declare, here
    4. there is provenance of the same repository, range and tree; and of one of them
       nothing is in the way (`_in_the_way`)
    """
    by = signer(word.evidence.signer)
    person = person_of(case, word.evidence)
    if person is None:
        return DeclarationGap(WordGap.UNKNOWN, by)
    if is_revoked(word.evidence, case.revoked, person=person):
        return DeclarationGap(WordGap.REVOKED, by, person.id)
    roles, namespace = case.policy.declaring_roles, case.change.object.namespace
    if not any(person.has_role(role, namespace) for role in roles):
        return DeclarationGap(WordGap.ROLE, by, person.id, ", ".join(sorted(roles)))
    tries = [_in_the_way(case, p, person) for p in case.provenance if is_about(word, p)]
    if not tries:
        seen = f"{word.claim.repository}@{word.claim.range.target.value[:12]}"
        return DeclarationGap(WordGap.ELSEWHERE, by, person.id, seen)
    lacking = [found for found in tries if found is not None]
    if len(lacking) < len(tries):
        return None
    gap, seen, provenance = max(lacking, key=_nearness)
    return DeclarationGap(gap, by, person.id, seen, provenance)


def _in_the_way(
    case: Case, provenance: Said[Provenance], person: Person
) -> Lacking | None:
    """Say why a declaration by `person` makes this range no human one, or None.

    5. the person had a part in it
    6. the provenance counts, saw everything, and begins at something approved
    7. neither it nor anybody else saw a mark of assistance
    8. everybody else with a part declared too
    """
    contributors = sorted(provenance.claim.contributors)
    if all(person_behind(case, who) != person for who in contributors):
        return (WordGap.NO_PART, "", None)
    if lacking := _undependable(case, provenance):
        return (WordGap.PROVENANCE, "", lacking)
    others = assisted(case, provenance.evidence.digests)
    if others or not is_unmarked(provenance.claim):
        return (WordGap.MARKED, _tools((provenance, *others)), None)
    silent = {
        who.id
        for who in contributors
        if not any(speaks_for(case, d, who, provenance) for d in case.declarations)
    }
    return (WordGap.SILENT, ", ".join(sorted(silent)), None) if silent else None


def _undependable(case: Case, provenance: Said[Provenance]) -> ProvenanceGap | None:
    claim, ground = provenance.claim, case.object_ground | case.image_ground
    if lacking := defect(case, provenance, case.at):
        return lacking
    if not claim.complete:
        return ProvenanceGap(Gap.INCOMPLETE, claim.repository)
    if provenance.evidence.statement not in ground:
        return ProvenanceGap(Gap.UNANCHORED, str(claim.range.base))
    return None


def _tools(seen: Iterable[Said[Provenance]]) -> str:
    return ", ".join(sorted({tool for p in seen for tool in p.claim.tools}))


def _nearness(lacking: Lacking) -> tuple[int, str, str]:
    gap, seen, provenance = lacking
    return (_PROGRESS.index(gap), seen, repr(provenance))
