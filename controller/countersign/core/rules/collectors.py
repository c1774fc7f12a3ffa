"""Whose provenance counts, and about what (rules 4 and 5)."""

from datetime import datetime

from countersign.core.rules.case import Case, Said, signer
from countersign.core.rules.revocation import is_revoked
from countersign.core.types.attestors import Attestor
from countersign.core.types.evidence import Build, Evidence, Provenance
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Gap, ProvenanceGap


def repository(uri: str) -> str:
    """Write a repository's address in one way: ``git+U.git/`` is ``U``."""
    return uri.removeprefix("git+").rstrip("/").removesuffix(".git").rstrip("/")


def made_by(attestors: tuple[Attestor, ...], evidence: Evidence) -> tuple[str, ...]:
    """Return the names of those of `attestors` who signed `evidence`."""
    return tuple(a.name for a in attestors if a.made(evidence))


def is_ours(policy: Policy, provenance: Said[Provenance]) -> bool:
    """Tell whether a collector that the policy names signed `provenance`.

    Enough for what counts against a change: nothing else about it has to hold.
    """
    return bool(made_by(policy.collectors, provenance.evidence))


def defect(
    case: Case, provenance: Said[Provenance], at: datetime | None
) -> ProvenanceGap | None:
    """Say why `provenance` does not count, or None if it does.

    1. a collector of the policy signed it
    2. its certificate is about the repository and revision it speaks of
    3. neither bundle nor signer nor collector was withdrawn
    4. it may be used in this cluster and namespace
    5. and at this moment

    Args:
        case: The request before the policy.
        provenance: What is to be judged.
        at: The moment, or None for what the old object carries: validity is of first
            admission (rule 9).
    """
    names = made_by(case.policy.collectors, provenance.evidence)
    claim = provenance.claim
    if not names:
        return ProvenanceGap(Gap.UNTRUSTED, signer(provenance.evidence.signer))
    if not is_certified(provenance):
        return ProvenanceGap(Gap.MISMATCHED, claim.repository)
    if is_revoked(provenance.evidence, case.revoked, collectors=names):
        return ProvenanceGap(Gap.REVOKED, ", ".join(names))
    if case.change.cluster not in claim.clusters:
        return ProvenanceGap(Gap.OUT_OF_SCOPE, ", ".join(sorted(claim.clusters)))
    if claim.namespaces and case.change.object.namespace not in claim.namespaces:
        return ProvenanceGap(Gap.OUT_OF_SCOPE, ", ".join(sorted(claim.namespaces)))
    if at is not None and not claim.validity.holds(at):
        return ProvenanceGap(Gap.OUT_OF_TIME)
    return None


def is_certified(stated: Said[Provenance] | Said[Build]) -> bool:
    """Compare statement and certificate; a key says nothing to compare with.

    Source: Fulcio's OID info, 1.3.6.1.4.1.57264.1.12 and .13.
    """
    said, claim = stated.evidence.certificate, stated.claim
    if said is None:
        return True
    commit = claim.commit if isinstance(claim, Build) else claim.range.target
    return (
        repository(said.source_repository) == repository(claim.repository)
        and said.source_digest == commit.value
    )
