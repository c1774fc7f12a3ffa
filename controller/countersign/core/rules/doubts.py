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
from countersign.core.rules.robots import is_at_home, robots_of, touched_by
from countersign.core.rules.signers import person_of
from countersign.core.types.change import Operation
from countersign.core.types.evidence import Contributor, Declaration, Provenance
from countersign.core.types.people import Person
from countersign.core.types.policy import Treatment
from countersign.core.types.robots import Robot
from countersign.core.types.verdict import (
    DeclarationGap,
    Finding,
    Gap,
    ProvenanceGap,
    Reason,
    WordGap,
)

_PROGRESS = list(WordGap)  # in the order in which `_doubt` checks

MAX_PATHS = 5  # that are named

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

    1. a person of the roster signed it, and was on it then; or a robot of the policy
    2. neither bundle nor identity nor person was withdrawn
    3. the person may declare, here; or the robot, of that repository
    4. there is provenance of the same repository, range and tree; and of one of them
       nothing is in the way (`_in_the_way`)
    """
    by = signer(word.evidence.signer)
    person = person_of(case, word.evidence)
    robots = robots_of(case.policy, word.evidence) if person is None else ()
    name = person.id if person else ", ".join(robot.id for robot in robots)
    if not name:
        return DeclarationGap(WordGap.UNKNOWN, by)
    if is_revoked(word.evidence, case.revoked, person=person):
        return DeclarationGap(WordGap.REVOKED, by, name)
    roles, namespace = case.policy.declaring_roles, case.change.object.namespace
    if person and not any(person.has_role(role, namespace) for role in roles):
        return DeclarationGap(WordGap.ROLE, by, name, ", ".join(sorted(roles)))
    if robots and not any(is_at_home(robot, word) for robot in robots):
        return DeclarationGap(WordGap.FOREIGN, by, name, word.claim.repository)
    about = [p for p in case.provenance if is_about(word, p)]
    tries = [_in_the_way(case, p, word, person or robots) for p in about]
    if not tries:
        seen = f"{word.claim.repository}@{word.claim.range.target.value[:12]}"
        return DeclarationGap(WordGap.ELSEWHERE, by, name, seen)
    lacking = [found for found in tries if found is not None]
    if len(lacking) < len(tries):
        return None
    gap, seen, provenance = max(lacking, key=_nearness)
    return DeclarationGap(gap, by, name, seen, provenance)


def _in_the_way(
    case: Case,
    provenance: Said[Provenance],
    word: Said[Declaration],
    by: Person | tuple[Robot, ...],
) -> Lacking | None:
    """Say why a declaration by somebody makes this range no human one, or None.

    5. he had a part in it, and a robot no more than it may
    6. the provenance counts, saw everything, and begins at something approved
    7. neither it nor anybody else saw a mark of assistance
    8. everybody else with a part declared too
    """
    contributors = sorted(provenance.claim.contributors)
    if isinstance(by, Person):
        own = [who for who in contributors if person_behind(case, who) == by]
        beyond = None
    else:
        own = [w for w in contributors if any(r.is_author(w.id) for r in by)]
        beyond = _beyond(provenance, word, own, by)
    if not own:
        return (WordGap.NO_PART, "", None)
    if beyond:
        return beyond
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


def _beyond(
    provenance: Said[Provenance],
    word: Said[Declaration],
    own: Iterable[Contributor],
    robots: Iterable[Robot],
) -> Lacking | None:
    """Say what a robot did that its word is not enough for, or None."""
    if word.evidence.signer == provenance.evidence.signer:
        return (WordGap.ALONE, signer(word.evidence.signer), None)
    outside: set[str] = set()
    for who in own:
        touched = touched_by(provenance.claim, who)
        if touched is None:
            return (WordGap.UNTOLD, who.id, None)
        outside |= {
            path
            for path in touched
            if not any(r.is_author(who.id) and r.may_touch(path) for r in robots)
        }
    return (WordGap.OUTSIDE, _first(outside), None) if outside else None


def _first(paths: set[str]) -> str:
    named = ", ".join(sorted(paths)[:MAX_PATHS])
    more = len(paths) - MAX_PATHS
    return f"{named} and {more} more" if more > 0 else named


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
