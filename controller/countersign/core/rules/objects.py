"""What a sign-off speaks of: which object, where, for which operation, in which state."""

from collections.abc import Sequence

from countersign.core.rules.case import Case, Said
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.bound import BoundIntent, Mismatch
from countersign.core.types.change import (
    Change,
    Deletion,
    NamespaceWindow,
    ObjectChange,
    Operation,
)
from countersign.core.types.evidence import SignOff
from countersign.core.types.verdict import Differences, Expected, Finding, Reason

ORPHAN = "Orphan"  # a propagationPolicy: dependents stay, owned by nobody
MAX_LISTED = 3  # objects of a sign-off that a finding names


def names(signed: ObjectRef, seen: ObjectRef) -> bool:
    """Tell whether `signed` means `seen`.

    Where only a prefix was signed, `seen` must have been named from that prefix by the
    server.
    """
    if (signed.group, signed.kind, signed.namespace) != (
        seen.group,
        seen.kind,
        seen.namespace,
    ):
        return False
    if signed.name:
        return signed.name == seen.name
    prefix = signed.generate_name
    return (
        prefix != ""
        and prefix == seen.generate_name
        and (not seen.name or seen.name.startswith(prefix))
    )


def is_about(change: Change, seen: ObjectRef) -> bool:
    """Tell whether `change` is of `seen`, or of all in its namespace."""
    if isinstance(change, NamespaceWindow):
        return bool(change.namespace) and change.namespace == seen.namespace
    return names(change.object, seen)


def states_of(claim: SignOff, seen: ObjectRef) -> tuple[ObjectChange, ...]:
    """Return the states of `seen` that `claim` approves."""
    return tuple(
        change
        for change in claim.changes
        if isinstance(change, ObjectChange) and names(change.object, seen)
    )


def place_fault(case: Case, sign_off: Said[SignOff]) -> Finding | None:
    """Say why it is not for this object in this cluster, or None."""
    claim, seen = sign_off.claim, case.change.object
    if not any(is_about(change, seen) for change in claim.changes):
        listed = sorted({_place(change) for change in claim.changes})
        facts = Expected(str(seen), ", ".join(listed[:MAX_LISTED]))
        return case.finding(Reason.WRONG_OBJECT, facts)
    if case.change.cluster not in claim.clusters:
        facts = Expected(case.change.cluster, ", ".join(sorted(claim.clusters)))
        return case.finding(Reason.WRONG_CLUSTER, facts)
    return None


def operation_fault(case: Case, change: ObjectChange) -> Finding | None:
    """Say why `change` is not for this operation, or None.

    A generated name is new each time: what was approved for a prefix creates, and never
    updates what it created before.
    """
    seen = case.change.operation
    makes = seen is Operation.CREATE or seen is Operation.UPDATE
    fits = change.operation in (seen, Operation.CREATE_OR_UPDATE)
    if makes and fits and (change.object.name or seen is Operation.CREATE):
        return None
    return case.finding(Reason.WRONG_OPERATION, Expected(seen, change.operation))


def state_fault(
    case: Case, sign_off: Said[SignOff], change: ObjectChange
) -> Finding | None:
    """Say why the object is not in the signed state, or None.

    The digest must be a subject too: in-toto's consumers see subjects only.
    """
    if change.digest not in sign_off.evidence.digests:
        facts = Expected(str(change.digest), "")
        return case.finding(Reason.CHANGED, facts)
    if BoundIntent(change.digest, change.elastic) in case.change.intents:
        return None
    mismatches = [m for m in case.change.mismatches if m.digest == change.digest]
    if nearest := nearest_of(mismatches):
        return case.finding(Reason.CHANGED, nearest)
    return case.finding(Reason.CHANGED, Expected(str(change.digest), ""))


def deletion_fault(case: Case, change: Deletion) -> Finding | None:
    """Say why `change` does not approve this removal, or None.

    The uid is its base. Orphaning the children is another deed than removing them.
    """
    seen, old = case.change, case.change.old
    orphans = seen.propagation == ORPHAN and change.propagation_policy != ORPHAN
    if seen.operation is not Operation.DELETE or orphans:
        facts = Expected(
            f"{seen.operation} {seen.propagation}".rstrip(), Operation.DELETE
        )
        return case.finding(Reason.WRONG_OPERATION, facts)
    if old is None or old.uid != change.uid:
        facts = Expected(change.uid, old.uid if old else "")
        return case.finding(Reason.STALE_BASE, facts)
    return None


def nearest_of(mismatches: Sequence[Mismatch]) -> Differences | None:
    """Return the mismatch with the fewest differences, or None if there is none."""
    if not mismatches:
        return None
    least = min(mismatches, key=lambda m: (len(m.differences), m.digest, m.differences))
    return Differences(least.digest, least.differences)


def _place(change: Change) -> str:
    if isinstance(change, NamespaceWindow):
        return f"{change.namespace}/*"
    return str(change.object)
