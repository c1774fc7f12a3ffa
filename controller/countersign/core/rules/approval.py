"""Whether approvals would fill every slot, given who made what they approve.

Used where ground is judged (rule 3); the request itself is judged by `votes` and `slots`,
with a reason for each shortfall.
"""

from collections.abc import Collection

from countersign.core.rules.authors import makers, parts_of
from countersign.core.rules.case import Case, Said
from countersign.core.rules.collectors import defect
from countersign.core.rules.matching import all_filled
from countersign.core.rules.objects import states_of
from countersign.core.rules.review import review_fault
from countersign.core.rules.revocation import is_revoked
from countersign.core.rules.signers import deployer, person_of, voter
from countersign.core.rules.windows import time_fault, validity_fault, window_fault
from countersign.core.types.bound import BoundIntent
from countersign.core.types.evidence import Provenance, SignOff
from countersign.core.types.policy import Slot
from countersign.core.types.verdict import Finding


def stands_alone(case: Case, sign_off: Said[SignOff]) -> bool:
    """Tell whether a sign-off is valid, whatever object it is for."""
    person = voter(case, sign_off)
    return (
        not isinstance(person, Finding)
        and not (person == deployer(case) and _excludes_deployer(case))
        and sign_off.claim.emergency is None
        and case.change.cluster in sign_off.claim.clusters
        and time_fault(case, sign_off) is None
        and review_fault(case, sign_off) is None
        and window_fault(case, sign_off, case.policy.demands.max_validity) is None
        and validity_fault(case, sign_off) is None
    )


def fill_every_slot(
    case: Case,
    approvals: Collection[Said[SignOff]],
    made: Collection[Said[Provenance]],
) -> bool:
    """Tell whether `approvals` fill all slots, given who `made` what they approve."""
    slots = case.policy.slots
    return all_filled([_approvers(case, slot, approvals, made) for slot in slots])


def stretched(case: Case, bound: BoundIntent) -> bool:
    """Tell whether all whom the policy asks signed for the bounds of a live object.

    Whoever writes an object may hang anybody's sign-off on it, beside those that it was
    admitted on: so bounds need what admission needs. Validity, base and answers are of
    first admission and not judged again.
    """
    approvals = [
        s
        for s in case.sign_offs
        if s.claim.emergency is None
        and case.change.cluster in s.claim.clusters
        and bound.digest in s.evidence.digests
        and any(
            BoundIntent(change.digest, change.elastic) == bound
            for change in states_of(s.claim, case.change.object)
        )
    ]
    made = [
        p
        for p in case.provenance
        if bound.digest in p.evidence.digests and defect(case, p, None) is None
    ]
    return fill_every_slot(case, approvals, made)


def _approvers(
    case: Case,
    slot: Slot,
    approvals: Collection[Said[SignOff]],
    made: Collection[Said[Provenance]],
) -> set[str]:
    """Return who may fill `slot`: by role, and independent of the makers where asked."""
    found = set()
    for approval in approvals:
        person = person_of(case, approval.evidence)
        if (
            person is None
            or is_revoked(approval.evidence, case.revoked, person=person)
            or not person.has_role(slot.role, case.change.object.namespace)
            or not slot.meanings <= approval.claim.meanings
        ):
            continue
        seen = [p for p in made if p.evidence.statement in approval.claim.inputs]
        by = [makers(case, p.claim, parts_of(slot)) for p in seen]
        if not slot.needs_authors or any(
            m.part_of(person.id) is None and not m.unresolved for m in by
        ):
            found.add(person.id)
    return found


def _excludes_deployer(case: Case) -> bool:
    return any("deployer" in slot.independent_of for slot in case.policy.slots)
