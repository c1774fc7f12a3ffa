"""What is missing, all of it at once, so that one denial tells the whole story."""

from collections.abc import Sequence

from countersign.core.rules.artifacts import artifacts
from countersign.core.rules.case import Case
from countersign.core.rules.eligibility import open_slots
from countersign.core.rules.independence import known_makers, made_by_somebody
from countersign.core.rules.objects import nearest_of
from countersign.core.rules.slots import Ballot, unused
from countersign.core.rules.votes import Vote
from countersign.core.types.change import Operation
from countersign.core.types.verdict import Differences, Finding, Reason


def missing(
    case: Case, held: Ballot, votes: Sequence[Vote], faults: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Return what is missing where slots stay open.

    1. who could fill them; a policy without slots has said already what it forbids
    2. that nothing was signed at all; or
    3. why each sign-off does not count, those for other objects only where no other
       was given, and those for other states only where nothing is known of this one:
       what was signed before lies beside the object for ever
    4. why those that count fill no open slot
    5. where what was signed differs from what is seen
    6. whose making of it is not known

    Args:
        case: The request before the policy.
        held: Slots, some of them open.
        votes: Sign-offs that count.
        faults: A finding for each that does not.
    """
    deletes = case.change.operation is Operation.DELETE
    reason = Reason.DELETION if deletes else Reason.SLOT_OPEN
    found = []
    if held.slots or deletes:
        found.append(case.finding(reason, open_slots(case, held)))  # 1.
    if not case.sign_offs and not case.provenance and not deletes:
        return (*found, case.finding(Reason.NO_EVIDENCE))  # 2.
    faults = [f for f in faults if not _of_another_state(case, f)]
    about = [f for f in faults if f.reason is not Reason.WRONG_OBJECT]
    found += about if about or votes else faults  # 3.
    found += unused(case, held, votes)  # 4.
    if case.change.intents:
        return (*found, *_unknown_makers(case, held))  # 6.
    nearest = nearest_of(case.change.mismatches)
    if nearest and all(f.reason is not Reason.CHANGED for f in about):
        found.append(case.finding(Reason.CHANGED, nearest))  # 5.
    return tuple(found)


def _of_another_state(case: Case, fault: Finding) -> bool:
    """Tell whether a fault is of a sign-off for another state, where this one is known."""
    known = {bound.digest for bound in case.change.intents}
    facts = fault.facts
    return (
        bool(known)
        and fault.reason is Reason.CHANGED
        and isinstance(facts, Differences)
        and facts.intent not in known
    )


def _unknown_makers(case: Case, held: Ballot) -> tuple[Finding, ...]:
    """Say of which artifact nobody knows who made it, whatever was signed."""
    found = (
        known_makers(case, artifact, slot, None)
        for slot in held.open
        for artifact in made_by_somebody(case, slot, artifacts(case))
    )
    return tuple(f for f in found if isinstance(f, Finding))
