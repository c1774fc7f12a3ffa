"""Withdrawals take support away, never the effect of adverse evidence (rule 6)."""

from collections.abc import Iterable
from datetime import datetime

from countersign.core.types.evidence import Evidence
from countersign.core.types.people import CertIdentity, Person
from countersign.core.types.policy import Revoked, RevokedKind


def is_revoked(
    evidence: Evidence,
    revoked: Iterable[Revoked],
    *,
    person: Person | None = None,
    collectors: Iterable[str] = (),
) -> bool:
    """Tell whether `evidence` no longer counts.

    Evidence without trusted time counts as signed after any `since`. A bundle can be
    named by its statement, too: only that is signed, so another spelling of the bundle
    has another digest and proves the same.

    Args:
        evidence: A verified statement.
        revoked: Every withdrawal known.
        person: The roster person behind the signer, where there is one.
        collectors: Names of the policy's attestors that the signer is.
    """
    names = {
        *(
            (RevokedKind.BUNDLE, name)
            for digest in (evidence.bundle, evidence.statement)
            for name in (str(digest), digest.value)
        ),
        *((RevokedKind.COLLECTOR, name) for name in collectors),
    }
    if isinstance(evidence.signer, CertIdentity):
        names.add((RevokedKind.IDENTITY, evidence.signer.san))
    else:
        names.add((RevokedKind.KEY, evidence.signer.key))
    if person is not None:
        names.add((RevokedKind.PERSON, person.id))
    return any((r.kind, r.value) in names and _after(evidence, r) for r in revoked)


def is_barred(person: Person, revoked: Iterable[Revoked], at: datetime) -> bool:
    """Tell whether what `person` signs at `at` would not count."""
    return any(
        r.kind is RevokedKind.PERSON
        and r.value == person.id
        and (r.since is None or r.since <= at)
        for r in revoked
    )


def _after(evidence: Evidence, withdrawal: Revoked) -> bool:
    since, signed = withdrawal.since, evidence.signed_at
    return since is None or signed is None or signed >= since
