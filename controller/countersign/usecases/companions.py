"""Companions: bundles that travel beside a provenance, because it counts for less alone.

Authors' words about its range, and what the start of its range rests on.
"""

from collections.abc import Iterable

from countersign.core.errors import Malformed
from countersign.core.rules.collectors import repository
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Declaration, Provenance
from countersign.usecases.attest import Attested
from countersign.wire.attestation import Attestation, parse_attestation
from countersign.wire.bundle import parse_bundle


def companions(bundles: Iterable[bytes], attested: Attested) -> tuple[bytes, ...]:
    """Return `bundles` as they travel, each once, if each goes with `attested`.

    A declaration goes with it that is about the same repository, range and tree; a
    sign-off that names the commit where the range begins; another provenance of the
    same repository. Nothing is verified: the gate does that.

    Raises:
        Malformed: one is no bundle, or would be of no use; the message says why.
    """
    once = dict.fromkeys(raw.strip() for raw in bundles)
    for raw in once:
        said = parse_attestation(parse_bundle(raw).envelope.payload)
        if problem := _misfit(said, attested):
            raise Malformed(f"{Digest.sha256(raw)}: {problem}")
    return tuple(once)


def _misfit(said: Attestation, attested: Attested) -> str:
    """Say why a statement does not go with a provenance, or ``""``."""
    about, claim = attested.claim, said.claim
    digests = {subject.digest for subject in said.subjects}
    if isinstance(claim, Declaration | Provenance) and repository(
        claim.repository
    ) != repository(about.repository):
        return f"expected {about.repository}, saw {claim.repository}"
    if isinstance(claim, Declaration):
        if claim.range != about.range:
            return (
                f"expected a declaration of {about.range.base}..{about.range.target}, "
                f"saw {claim.range.base}..{claim.range.target}: declare the range that "
                "is attested"
            )
        if attested.tree not in digests:
            return f"expected a declaration about {attested.tree}, saw none"
    elif not isinstance(claim, Provenance) and about.range.base not in digests:
        return (
            f"expected a sign-off of {about.range.base}, where the range begins, saw "
            "none: make one with sign-off --source"
        )
    return ""
