"""Companions: bundles that travel beside a provenance, because it counts for less alone.

Authors' words about its range, what the start of its range rests on, and builders' words
about what was made of it.
"""

from collections.abc import Iterable, Mapping

from countersign.core.errors import Malformed
from countersign.core.rules.collectors import repository
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import (
    Build,
    CommitRange,
    Declaration,
    Provenance,
    SignOff,
)
from countersign.usecases.attest import Attested
from countersign.wire.attestation import Attestation, parse_attestation
from countersign.wire.bundle import parse_bundle


def companions(bundles: Iterable[bytes], attested: Attested) -> tuple[bytes, ...]:
    """Return `bundles` as they travel, each once, if each goes with `attested`.

    That is: another provenance of the same repository; a declaration about the range
    and tree of one of them; a build of the commit where one of them ends; a sign-off that
    names the commit where one of them begins. Nothing is verified: the gate does that.

    Raises:
        Malformed: one is no bundle, or would be of no use; the message says why.
    """
    once = {raw.strip(): _read(raw.strip()) for raw in bundles}
    made = {attested.claim.range: frozenset({attested.tree})}
    for said in once.values():
        if isinstance(said.claim, Provenance):
            made.setdefault(said.claim.range, frozenset())
            made[said.claim.range] |= _digests(said)
    for raw, said in once.items():
        if problem := _misfit(said, attested.claim, made):
            raise Malformed(f"{Digest.sha256(raw)}: {problem}")
    return tuple(once)


def _misfit(
    said: Attestation, about: Provenance, made: Mapping[CommitRange, frozenset[Digest]]
) -> str:
    """Say why a statement goes with none of the ranges in `made`, or ``""``."""
    claim = said.claim
    if isinstance(claim, SignOff):
        bases = {span.base for span in made}
        if bases.isdisjoint(_digests(said)):
            return (
                f"expected a sign-off of {about.range.base}, where the range begins, "
                "saw none: make one with sign-off --source"
            )
        return ""
    if repository(claim.repository) != repository(about.repository):
        return f"expected {about.repository}, saw {claim.repository}"
    if isinstance(claim, Build):
        if all(claim.commit != span.target for span in made):
            return (
                f"expected a build of {about.range.target}, saw one of {claim.commit}"
            )
        return ""
    if isinstance(claim, Declaration) and made.get(claim.range, frozenset()).isdisjoint(
        _digests(said)
    ):
        return (
            f"expected a declaration of {about.range.base}..{about.range.target}, saw "
            f"{claim.range.base}..{claim.range.target}: declare what is attested"
        )
    return ""


def _read(raw: bytes) -> Attestation:
    return parse_attestation(parse_bundle(raw).envelope.payload)


def _digests(said: Attestation) -> frozenset[Digest]:
    return frozenset(subject.digest for subject in said.subjects)
