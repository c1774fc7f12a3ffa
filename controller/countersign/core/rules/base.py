"""The same state again, an older state, another state (rule 8)."""

from datetime import datetime

from countersign.core.rules.adverse import about
from countersign.core.rules.case import Case, Said, said, with_result
from countersign.core.rules.collectors import repository
from countersign.core.rules.revocation import is_revoked
from countersign.core.rules.windows import CLOCK_SKEW
from countersign.core.types.change import Base, ObjectChange, Operation, Uid
from countersign.core.types.evidence import (
    Build,
    Evidence,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.policy import BaseRule
from countersign.core.types.verdict import Expected, Finding, Reason


def base_fault(
    case: Case, sign_off: Said[SignOff], change: ObjectChange
) -> Finding | None:
    """Say why `change` may not follow on the live state, or None.

    ``exact``: the live state is the one that was signed as base, and nobody of the
    roster signed for it since: it may have been left and be back.
    ``lineage``: that, or nothing newer was admitted meanwhile; or the reviewer allowed
    this state to return (see `may_return`). Creating has nothing to go back from.

    The review of a break-glass admission says that it was right then. It stands for
    that state while it is live, and brings it back neither over a newer nor over none.

    What is done to one Pod while it runs must be signed for that Pod, by its uid; and a
    uid is a base for nothing else.
    """
    if case.change.subresource or isinstance(change.base, Uid):
        return uid_fault(case, sign_off, change)
    rule, old = case.policy.demands.base, case.change.old
    if sign_off.claim.looks_back:
        fits = _speaks_of_live(case, sign_off.evidence)
    else:
        fits = _is_live(case, change) or (
            rule is BaseRule.LINEAGE
            and (
                case.change.operation is Operation.CREATE
                or is_current(case, sign_off.evidence)
                or may_return(case, sign_off)
            )
        )
    if rule is BaseRule.EXACT and fits:
        fits = not _signed_since(case, sign_off)
    if fits or rule is BaseRule.ANY:
        return None
    seen = str(old.digest) if old else Base.ABSENT.value
    return case.finding(Reason.STALE_BASE, Expected(str(change.base), seen))


def overtaken_fault(
    case: Case, sign_off: Said[SignOff], change: ObjectChange
) -> Finding | None:
    """Say that people have signed for the live state since this emergency, or None.

    A grant is used again and again within its hours; not to undo what was signed later,
    by who may not have known of it. What no trusted clock dated is taken at its word
    here: nobody in an emergency is stopped by a stamp that could not be had.
    """
    goes_on = _is_live(case, change) or _speaks_of_live(case, sign_off.evidence)
    if case.change.operation is Operation.CREATE or goes_on:
        return None
    if not _signed_since(case, sign_off):
        return None
    seen = str(case.change.old.digest) if case.change.old else Base.ABSENT.value
    return case.finding(Reason.STALE_BASE, Expected(str(change.base), seen))


def _signed_since(case: Case, sign_off: Said[SignOff]) -> bool:
    """Tell whether somebody of the roster signed for the live state after `sign_off`.

    What is dated ahead of now would hold up all that comes until then, and so would a
    key that was withdrawn go on doing. Who rejects the live state wants it left.
    """
    made = _said_at(sign_off)
    return any(
        made < _said_at(one)
        and _said_at(one) - case.at <= CLOCK_SKEW
        and _speaks_of_live(case, one.evidence)
        and _is_somebody(case, one.evidence)
        for one in with_result(case.old, Result.APPROVED)
    )


def _is_somebody(case: Case, evidence: Evidence) -> bool:
    """Tell whether the roster knows who signed, and nobody withdrew it."""
    person = case.policy.roster.signer(evidence.signer)
    return person is not None and not is_revoked(evidence, case.revoked, person=person)


def _said_at(sign_off: Said[SignOff]) -> datetime:
    """Return when a person signed off: as a trusted clock says, or they themselves."""
    return sign_off.evidence.signed_at or sign_off.claim.reviewed_on


def uid_fault(
    case: Case, sign_off: Said[SignOff], change: ObjectChange
) -> Finding | None:
    """Say why `change` is not for this one Pod, or None.

    The review of what an emergency let in does not let it in again.
    """
    old = case.change.old
    mine = old is not None and change.base == Uid(old.uid)
    if case.change.subresource and mine and not sign_off.claim.looks_back:
        return None
    seen = f"uid {old.uid}" if old else Base.ABSENT.value
    return case.finding(Reason.STALE_BASE, Expected(str(change.base), seen))


def is_current(case: Case, evidence: Evidence) -> bool:
    """Tell whether nothing newer than `evidence` admitted the live object.

    What speaks of the live state is current: applying it again goes nowhere. Evidence
    without trusted time is older than all; an object without evidence is newer than all,
    and so is one that we cannot see, or one that people approved at a time that nobody
    trusted says: whoever writes the object can take the stamp off what it carries.
    """
    signed, admitted = _made_at(evidence), _admitted(case)
    if not admitted:
        return False
    if _speaks_of_live(case, evidence):
        return True
    if signed is None or any(_is_undated(case, e) for e in admitted):
        return False
    return all(e.signed_at <= signed for e in admitted if e.signed_at is not None)


def _admitted(case: Case) -> tuple[Evidence, ...]:
    """Return what may have admitted the live object; empty if nothing speaks of it.

    What a builder says of its images admits nothing, and comes again with each build of
    the same bytes: neither is an object known by it, nor newer for it.
    """
    words = tuple(e for e in case.old if not isinstance(e.claim, Build))
    return words if any(_speaks_of_live(case, e) for e in words) else ()


def _speaks_of_live(case: Case, evidence: Evidence) -> bool:
    return any(intent.digest in evidence.digests for intent in case.old_intents)


def _made_at(evidence: Evidence) -> datetime | None:
    """Return when evidence was made. Anybody may have old provenance stamped anew."""
    signed, claim = evidence.signed_at, evidence.claim
    if signed is None or not isinstance(claim, Provenance):
        return signed
    return min(signed, claim.collected_on or signed)


def _is_undated(case: Case, evidence: Evidence) -> bool:
    """Tell whether a person of the roster gave this, and nobody trusted says when."""
    words = not isinstance(evidence.claim, Provenance)
    known = case.policy.roster.signer(evidence.signer) is not None
    return words and known and evidence.signed_at is None


def follows(case: Case, provenance: Said[Provenance]) -> bool:
    """Tell whether the range begins where that of the live object's provenance ends."""
    claim = provenance.claim
    live = frozenset(intent.digest for intent in case.old_intents)
    return any(
        before.claim.range.target == claim.range.base
        and repository(before.claim.repository) == repository(claim.repository)
        for before in about(case.policy, said(case.old, Provenance), live)
    )


def may_return(case: Case, sign_off: Said[SignOff]) -> bool:
    """Tell whether this older state may come back, as the reviewer signed.

    The reviewer may allow it until at most the policy's ``maxRestore`` after the
    validity ends, and only over a newer state: a first admission needs validity, and
    where nothing is, nothing returns.
    """
    claim, demands = sign_off.claim, case.policy.demands
    window = claim.validity
    if (
        demands.base is not BaseRule.LINEAGE
        or claim.restore_until is None
        or window.start is None
        or window.end is None
        or not _admitted(case)
    ):
        return False
    return (
        not is_current(case, sign_off.evidence)
        and claim.restore_until - window.end <= demands.max_restore
        and window.start <= case.at <= claim.restore_until
    )


def _is_live(case: Case, change: ObjectChange) -> bool:
    if case.change.operation is Operation.CREATE:
        return change.base is Base.ABSENT
    return case.change.old is not None and change.base == case.change.old.digest
