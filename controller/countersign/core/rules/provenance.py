"""Which provenance says dependably how an artifact was made (rules 1, 3, 4, 5)."""

from collections.abc import Iterable

from countersign.core.rules.artifacts import Artifact, is_built, names, speaks_of
from countersign.core.rules.case import Case, Said
from countersign.core.rules.collectors import defect
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Build, Provenance
from countersign.core.types.verdict import Gap, ProvenanceGap

_PROGRESS = list(Gap)  # in the order in which `gap` checks


def dependable(
    case: Case, artifact: Artifact, inputs: Iterable[Digest] | None = None
) -> tuple[Said[Provenance], ...] | ProvenanceGap:
    """Return the provenance of `artifact` that can be relied upon, or what lacks.

    Args:
        case: The request before the policy.
        artifact: What was made.
        inputs: Statements that the reviewer saw; None asks for no reviewer.

    Returns:
        At least one; or the gap of the one that came nearest.
    """
    candidates = [p for p in case.provenance if speaks_of(p, artifact)]
    gaps = [(p, gap(case, p, artifact, inputs)) for p in candidates]
    if found := tuple(p for p, lacking in gaps if lacking is None):
        return found
    lacking = [g for _, g in gaps if g is not None]
    return max(lacking, key=nearness, default=_absence(case, artifact))


def gap(
    case: Case,
    provenance: Said[Provenance],
    artifact: Artifact,
    inputs: Iterable[Digest] | None = None,
) -> ProvenanceGap | None:
    """Say why `provenance`, which speaks of `artifact`, cannot be relied upon, or None.

    1. it counts at all (`collectors.defect`)
    2. for an image: its builder made it of that commit
    3. nothing of the range was out of sight
    4. the range begins at something approved
    5. the reviewer saw it
    """
    claim, statement = provenance.claim, provenance.evidence.statement
    if lacking := defect(case, provenance, case.at):
        return lacking
    if artifact.image and not is_built(case, provenance, artifact):
        return ProvenanceGap(Gap.NOT_BUILT, artifact.image.repository)
    if not claim.complete or not claim.contributors:
        return ProvenanceGap(Gap.INCOMPLETE, claim.repository)
    ground = case.image_ground if artifact.image else case.object_ground
    if statement not in ground:
        return ProvenanceGap(Gap.UNANCHORED, str(claim.range.base))
    if inputs is not None and statement not in inputs:
        return ProvenanceGap(Gap.UNNAMED, str(statement))
    return None


def _absence(case: Case, artifact: Artifact) -> ProvenanceGap:
    """Say how far it is known what `artifact` was made of, which no provenance tells."""
    if artifact.is_unseen:
        return ProvenanceGap(Gap.UNSEEN)
    if artifact.builds:
        return ProvenanceGap(Gap.UNSOURCED, _commit(artifact.builds[0].claim))
    if artifact.image and any(names(b.evidence, artifact) for b in case.builds):
        return ProvenanceGap(Gap.NOT_BUILT, artifact.image.repository)
    return ProvenanceGap(Gap.ABSENT)


def _commit(claim: Build) -> str:
    return f"{claim.repository}@{claim.commit.value[:12]}"


def nearness(lacking: ProvenanceGap) -> tuple[int, str]:
    """Sort key: how near provenance came to being relied upon."""
    return (_PROGRESS.index(lacking.gap), lacking.seen)
