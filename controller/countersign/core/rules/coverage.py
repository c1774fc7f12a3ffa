"""Which newly run images a sign-off covers (rule 7).

A sign-off covers what it names. It may name the commit or tree instead, where a builder
says that the image was made of it; or have seen the builder's word, or what a collector
says of that commit.
"""

from countersign.core.rules.artifacts import Artifact, images, is_built, names
from countersign.core.rules.case import Case, Said, git_digests, signer
from countersign.core.rules.collectors import defect
from countersign.core.rules.human import human
from countersign.core.types.evidence import SignOff
from countersign.core.types.verdict import (
    Finding,
    Gap,
    Names,
    ProvenanceGap,
    Reason,
    SignedBy,
)


def coverage_fault(
    case: Case, sign_off: Said[SignOff], *, as_pinned: bool = False
) -> Finding | None:
    """Say which newly run image `sign_off` does not cover, or None.

    Args:
        case: The request before the policy.
        sign_off: The approval.
        as_pinned: To name what the object pins is enough, whatever the policy asks of
            an index: only a registry knows what is in it.
    """
    for image in images(case):
        if _covers(case, sign_off, image) or human(case, image):
            continue
        if as_pinned and _is_pinned_in(sign_off, image):
            continue
        if image.image is not None and image.image.digest is None:
            loose = Names((image.image.reference,))
            return case.finding(Reason.IMAGE_UNCOVERED, loose)
        if image.is_unseen:
            unseen = ProvenanceGap(Gap.UNSEEN)
            return case.finding(Reason.IMAGE_UNCOVERED, unseen, image.about)
        by = SignedBy(signer(sign_off.evidence.signer))
        return case.finding(Reason.IMAGE_UNCOVERED, by, image.about)
    return None


def _is_pinned_in(sign_off: Said[SignOff], image: Artifact) -> bool:
    """Tell whether `sign_off` names the very digest that the object runs."""
    return image.image is not None and image.image.digest in sign_off.evidence.digests


def _covers(case: Case, sign_off: Said[SignOff], image: Artifact) -> bool:
    """Tell whether `sign_off` names the image, its source, or its builder's word."""
    evidence, inputs = sign_off.evidence, sign_off.claim.inputs
    if names(evidence, image):
        return True
    return any(
        b.evidence.statement in inputs or b.claim.commit in evidence.digests
        for b in image.builds
    ) or any(
        p.evidence.statement in inputs
        or not evidence.digests.isdisjoint(git_digests(p.evidence))
        for p in case.provenance
        if is_built(case, p, image) and defect(case, p, case.at) is None
    )
