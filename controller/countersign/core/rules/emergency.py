"""Break-glass: signed by a named person on call, for hours, about one thing (rule 23).

How the change was made and how it was reviewed is not asked; of its base only that
nobody signed for the live state since; nor is any registry needed. Who signs, when, for which cluster and for exactly what still is asked.
An emergency sign-off never fills an ordinary slot.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from countersign.core.rules.artifacts import unpinned
from countersign.core.rules.base import overtaken_fault, uid_fault
from countersign.core.rules.case import Case, Said, signer
from countersign.core.rules.coverage import coverage_fault
from countersign.core.rules.objects import (
    deletion_fault,
    operation_fault,
    place_fault,
    state_fault,
)
from countersign.core.rules.signers import voter
from countersign.core.rules.votes import Vote, nearest
from countersign.core.rules.windows import (
    time_fault,
    validity_fault,
    window_fault,
    written,
)
from countersign.core.types.change import (
    Access,
    Change,
    Deletion,
    NamespaceWindow,
    Uid,
)
from countersign.core.types.evidence import Emergency, SignOff
from countersign.core.types.policy import BreakGlass
from countersign.core.types.verdict import (
    Basis,
    Door,
    Expected,
    Filled,
    Finding,
    Names,
    OpenSlots,
    Reason,
    SignedBy,
)

MAX_WINDOW = timedelta(hours=1)  # of a whole namespace
WINDOW_PERSONS = 2  # who open one together
BREAK_GLASS = "break-glass"  # what such a sign-off was for, in findings


def emergency(case: Case) -> Basis | tuple[Finding, ...]:
    """Return the basis of a break-glass admission, or why each try does not count."""
    rule = case.policy.break_glass
    tries = [(s, told) for s in case.sign_offs if (told := s.claim.emergency)]
    if rule is None:
        return tuple(_not_on_call(case, s, "", "") for s, _ in tries)
    found = [(told.incident, _votes_of(case, s, told, rule)) for s, told in tries]
    votes = [(i, v) for i, each in found if isinstance(each, tuple) for v in each]
    faults = tuple(each for _, each in found if isinstance(each, Finding))
    incident, together = _together(votes)
    if not together:
        return (*faults, *(_one_more(case, v, rule) for _, v in votes))
    filled = tuple(
        Filled(rule.role, v.person.id, v.sign_off.evidence.bundle) for v in together
    )
    return Basis(
        policy=case.policy.name,
        door=Door.SIGNED,
        filled=filled,
        emergency=incident,
        bundles=tuple(sorted({slot.bundle for slot in filled})),
    )


def _together(votes: list[tuple[str, Vote]]) -> tuple[str, tuple[Vote, ...]]:
    """Return the votes that suffice: one for one thing, two persons' for a namespace.

    Two persons open a namespace for the same incident, or each alone has not.
    """
    windows: dict[str, dict[str, Vote]] = defaultdict(dict)
    for incident, vote in votes:
        if not isinstance(vote.change, NamespaceWindow):
            return incident, (vote,)
        windows[incident].setdefault(vote.person.id, vote)
    for incident, by_person in windows.items():
        if len(by_person) >= WINDOW_PERSONS:
            return incident, tuple(by_person.values())
    return "", ()


def _votes_of(
    case: Case, sign_off: Said[SignOff], told: Emergency, rule: BreakGlass
) -> tuple[Vote, ...] | Finding:
    """Follow the recipe of `votes`, with what is asked in an emergency."""
    if fault := place_fault(case, sign_off):  # 1. for this object, in this cluster
        return fault
    person = voter(case, sign_off)  # 2. by a person of the roster, not withdrawn
    if isinstance(person, Finding):
        return person
    if not person.has_role(rule.role, case.change.object.namespace):
        return _not_on_call(case, sign_off, person.id, rule.role)  # 3. who is on call
    if fault := (
        _told_fault(case, sign_off, told, rule)  # 4. because of something named
        or time_fault(case, sign_off)  # 5. at a time that can be
        or window_fault(case, sign_off, rule.max_validity)  # 6. for hours
        or validity_fault(case, sign_off)  # 7. now
    ):
        return fault
    return nearest(case, sign_off, person, _steps)


def _steps(
    case: Case, sign_off: Said[SignOff], change: Change
) -> Iterator[Finding | None]:
    """8. for exactly this."""
    if isinstance(change, NamespaceWindow):
        yield window_fault(case, sign_off, MAX_WINDOW)
    elif isinstance(change, Access):
        yield _access_fault(case, change)
    elif case.change.is_side_door or (
        case.change.subresource and isinstance(change, Deletion)
    ):
        seen = f"{case.change.operation} {case.change.subresource}"
        yield case.finding(Reason.SUBRESOURCE, Expected("", seen))
    elif isinstance(change, Deletion):
        yield deletion_fault(case, change)
    else:
        yield operation_fault(case, change)
        if case.change.subresource or isinstance(change.base, Uid):
            yield uid_fault(case, sign_off, change)
        yield overtaken_fault(case, sign_off, change)
        yield state_fault(case, sign_off, change)
        yield coverage_fault(case, sign_off, as_pinned=True)
        yield from unpinned(case)


def _access_fault(case: Case, change: Access) -> Finding | None:
    seen, old = case.change, case.change.old
    if (change.subresource, change.operation) != (seen.subresource, seen.operation):
        facts = Expected(
            f"{change.operation} {change.subresource}",
            f"{seen.operation} {seen.subresource}".rstrip(),
        )
        return case.finding(Reason.SUBRESOURCE, facts)
    if old is None or old.uid != change.uid:
        facts = Expected(change.uid, old.uid if old else "")
        return case.finding(Reason.STALE_BASE, facts)
    return None


def _told_fault(
    case: Case, sign_off: Said[SignOff], told: Emergency, rule: BreakGlass
) -> Finding | None:
    """Say what is not told of the emergency, or None; the review must be due in time."""
    if not (told.incident.strip() and told.justification.strip()):
        return case.finding(Reason.QUESTIONS_OPEN, Names(("incident", "justification")))
    if told.retrospective_due is None:
        return None
    wait = told.retrospective_due - sign_off.claim.reviewed_on
    if wait <= rule.review_within:
        return None
    facts = Expected(written(rule.review_within), written(wait))
    return case.finding(Reason.WINDOW_TOO_LONG, facts)


def _not_on_call(
    case: Case, sign_off: Said[SignOff], person: str, role: str
) -> Finding:
    facts = SignedBy(signer(sign_off.evidence.signer), person, role, BREAK_GLASS)
    return case.finding(Reason.ROLE_MISSING, facts)


def _one_more(case: Case, vote: Vote, rule: BreakGlass) -> Finding:
    """Say that somebody else on call has to open the window too."""
    facts = OpenSlots(open=(rule.role,), filled=((rule.role, vote.person.id),))
    return case.finding(Reason.SLOT_OPEN, facts)
