"""Which sign-offs count, whoever may fill which slot: the recipe.

A sign-off counts when every step holds; the first that does not is its fault, and each
fault has a reason of its own. Steps 1 to 5 are about the sign-off, 6 to 11 about one of
the changes of this object that it approves: any one such change suffices.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from countersign.core.rules.adverse import worse_fault
from countersign.core.rules.artifacts import artifacts
from countersign.core.rules.base import base_fault, may_return
from countersign.core.rules.case import Case, Said, git_digests
from countersign.core.rules.coverage import coverage_fault
from countersign.core.rules.objects import (
    deletion_fault,
    is_about,
    operation_fault,
    place_fault,
    state_fault,
)
from countersign.core.rules.review import review_fault
from countersign.core.rules.signers import voter
from countersign.core.rules.windows import time_fault, validity_fault, window_fault
from countersign.core.types.change import Change, Deletion, ObjectChange
from countersign.core.types.evidence import SignOff
from countersign.core.types.people import Person
from countersign.core.types.verdict import Expected, Finding, Reason

Steps = Callable[[Case, Said[SignOff], Change], Iterator[Finding | None]]


@dataclass(frozen=True, slots=True)
class Vote:
    """A sign-off that counts, for one change that it approves.

    Attributes:
        sign_off: The sign-off.
        person: Whose it is.
        change: The state, or the removal, that it approves.
    """

    sign_off: Said[SignOff]
    person: Person
    change: Change


def votes(case: Case) -> tuple[tuple[Vote, ...], tuple[Finding, ...]]:
    """Return what counts, and a finding for each sign-off that does not."""
    counted: list[Vote] = []
    faults: list[Finding] = []
    for sign_off in case.sign_offs:
        if sign_off.claim.emergency is not None:
            continue
        found = _votes_of(case, sign_off)
        if isinstance(found, Finding):
            faults.append(found)
        else:
            counted.extend(found)
    return tuple(counted), tuple(faults)


def _votes_of(case: Case, sign_off: Said[SignOff]) -> tuple[Vote, ...] | Finding:
    if fault := place_fault(case, sign_off):  # 1. for this object, in this cluster
        return fault
    person = voter(case, sign_off)  # 2. by a person of the roster, not withdrawn
    if isinstance(person, Finding):
        return person
    longest = case.policy.demands.max_validity
    if fault := (
        time_fault(case, sign_off)  # 3. at a time that can be
        or window_fault(case, sign_off, longest)  # 4. not for longer than allowed
        or review_fault(case, sign_off)  # 5. having answered what was asked
    ):
        return fault
    return nearest(case, sign_off, person, _steps)


def nearest(
    case: Case, sign_off: Said[SignOff], person: Person, steps: Steps
) -> tuple[Vote, ...] | Finding:
    """Return the votes for this deed, or the fault of the change that came nearest.

    Args:
        case: The request before the policy.
        sign_off: One that names this object.
        person: Whose it is.
        steps: Faults of one change in the order of the recipe; lazily, so that those
            after the first fault are not looked for.
    """
    signed = [c for c in sign_off.claim.changes if is_about(c, case.change.object)]
    faults = [(c, _first(steps(case, sign_off, c))) for c in signed]
    if counted := [Vote(sign_off, person, c) for c, fault in faults if not fault]:
        return tuple(counted)
    return max((f for _, f in faults if f), key=lambda f: (f[0], f[1].order))[1]


def _first(steps: Iterable[Finding | None]) -> tuple[int, Finding] | None:
    """Return the number of the first step that fails, and how; later ones do not run."""
    return next(((i, fault) for i, fault in enumerate(steps) if fault), None)


def _steps(
    case: Case, sign_off: Said[SignOff], change: Change
) -> Iterator[Finding | None]:
    if isinstance(change, Deletion):
        yield deletion_fault(case, change)
        yield validity_fault(case, sign_off)
    elif isinstance(change, ObjectChange):
        yield operation_fault(case, change)  # 6. for this operation
        yield state_fault(case, sign_off, change)  # 7. in exactly this state
        yield base_fault(case, sign_off, change)  # 8. on top of the live state
        if not may_return(case, sign_off):
            yield validity_fault(case, sign_off)  # 9. now
        yield coverage_fault(case, sign_off)  # 10. images included
        source = git_digests(sign_off.evidence)
        made = artifacts(case)
        against = source.union(*(a.against for a in made))
        seen = source.union(*(a.digests | a.sources for a in made))
        yield worse_fault(case, sign_off, against, seen)  # 11. knowing how it was made
    else:  # a subresource or a whole namespace: only in an emergency
        yield case.finding(Reason.WRONG_OPERATION, Expected(case.change.operation, ""))
