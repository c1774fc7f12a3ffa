"""Inspect: what a bundle says, and, kept apart from that, what it proves."""

from dataclasses import dataclass

from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.core.types.artifacts import Digest, Subject, Tree
from countersign.core.types.evidence import Claim, Evidence
from countersign.ports import Prover
from countersign.usecases.prepare import name_of
from countersign.wire.annotations import read_annotations
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """One bundle, looked at.

    Attributes:
        raw: The bundle.
        bundle: Digest of `raw`.
        statement: Digest of its statement.
        subjects: As stated, whoever signed.
        claim: The same.
        key_hint: Name of the key it says signed it; None: a certificate is in it.
        evidence: What is proven; None: nothing is.
        problem: Why nothing is proven; ``""`` where `evidence` is there.
    """

    raw: bytes
    bundle: Digest
    statement: Digest
    subjects: frozenset[Subject]
    claim: Claim
    key_hint: str | None
    evidence: Evidence | None
    problem: str


async def inspect(raw: bytes, prover: Prover | None) -> Inspected:
    """Read `raw` and, with `prover`, verify it.

    Args:
        raw: A Sigstore bundle.
        prover: None: nobody was told whom to trust, so nothing is proven.

    Raises:
        Malformed: it is no bundle of a statement that countersign knows.
    """
    bundle = parse_bundle(raw)
    attestation = parse_attestation(bundle.envelope.payload)
    evidence, problem = await _prove(raw, prover)
    return Inspected(
        raw=raw,
        bundle=Digest.sha256(raw),
        statement=Digest.sha256(bundle.envelope.payload),
        subjects=attestation.subjects,
        claim=attestation.claim,
        key_hint=bundle.key_hint,
        evidence=evidence,
        problem=problem,
    )


def carried_bundles(manifest: Tree) -> tuple[str, tuple[bytes, ...]]:
    """Return what an object is called, and the bundles in its annotations.

    Raises:
        Malformed: there is something else in its annotations.
    """
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    carried = read_annotations(annotations if isinstance(annotations, dict) else {})
    return name_of(manifest), carried.bundles


async def _prove(raw: bytes, prover: Prover | None) -> tuple[Evidence | None, str]:
    if prover is None:
        return None, "no trust roots were given"
    try:
        return await prover.prove(raw), ""
    except (Malformed, Rejected, Unavailable) as error:
        return None, str(error)
