"""Who signed: a person whom the roster knows, then and there (rule 1)."""

from countersign.core.rules.case import Case, Said, signer
from countersign.core.rules.revocation import is_revoked
from countersign.core.types.evidence import Evidence, SignOff
from countersign.core.types.people import Alias, AliasKind, Person
from countersign.core.types.verdict import Finding, Reason, SignedBy


def person_of(case: Case, evidence: Evidence) -> Person | None:
    """Return the roster person behind `evidence`, valid when it was signed.

    The time of signing is a trusted one; where nobody trusted says when, it is now: so
    a person who has left adds nothing by leaving the time out.
    """
    person = case.policy.roster.signer(evidence.signer)
    if person is None or not person.valid.holds(evidence.signed_at or case.at):
        return None
    return person


def deployer(case: Case) -> Person | None:
    """Return the roster person who makes the request; None excludes nobody."""
    alias = Alias(AliasKind.KUBERNETES, case.change.requester.name)
    return case.policy.roster.known_as(alias)


def voter(case: Case, sign_off: Said[SignOff]) -> Person | Finding:
    """Return who signed, or why the signature does not count.

    1. the signer is somebody's identity in the roster
    2. neither bundle nor identity nor person was withdrawn
    3. the person was on the roster when signing
    4. a trusted clock says when, if the policy asks
    5. the proof says that a person was there, if the policy asks
    """
    evidence, demands = sign_off.evidence, case.policy.demands
    by = signer(evidence.signer)
    person = case.policy.roster.signer(evidence.signer)
    if person is None:
        return case.finding(Reason.SIGNER_UNKNOWN, SignedBy(by))
    if is_revoked(evidence, case.revoked, person=person):
        return case.finding(Reason.REVOKED, SignedBy(by, person.id))
    if person_of(case, evidence) is None:
        when = (evidence.signed_at or case.at).isoformat()
        return case.finding(Reason.PERSON_INVALID, SignedBy(by, person.id, seen=when))
    if demands.trusted_time and evidence.signed_at is None:
        return case.finding(Reason.TIME_MISSING, SignedBy(by, person.id))
    if evidence.presence < demands.presence:
        needed, seen = demands.presence.name.lower(), evidence.presence.name.lower()
        facts = SignedBy(by, person.id, needed, seen)
        return case.finding(Reason.PRESENCE_MISSING, facts)
    return person
