"""Which newly run images a sign-off covers (rule 7).

A sign-off covers what it names. It may name the commit or tree instead, where a builder
says that the image was made of it; or have seen the builder's word.
"""

from countersign.core.rules.artifacts import Artifact, images, is_built
from countersign.core.rules.case import Case, Said, git_digests, signer
from countersign.core.rules.collectors import defect
from countersign.core.rules.human import human
from countersign.core.types.evidence import Provenance, SignOff
from countersign.core.types.verdict import Finding, Names, Reason, SignedBy


def coverage_fault(case: Case, sign_off: Said[SignOff]) -> Finding | None:
    """Say which newly run image `sign_off` does not cover, or None."""
    for image in images(case):
        if _covers(case, sign_off, image) or human(case, image):
            continue
        if image.image is not None and image.image.digest is None:
            names = Names((image.image.reference,))
            return case.finding(Reason.IMAGE_UNCOVERED, names)
        by = SignedBy(signer(sign_off.evidence.signer))
        return case.finding(Reason.IMAGE_UNCOVERED, by, image.about)
    return None


def _covers(case: Case, sign_off: Said[SignOff], image: Artifact) -> bool:
    """Tell whether `sign_off` names the image, its source, or its builder's word."""
    evidence = sign_off.evidence
    if not evidence.digests.isdisjoint(image.binding):
        return True
    return any(
        _links(case, p, image)
        and (
            p.evidence.statement in sign_off.claim.inputs
            or not evidence.digests.isdisjoint(git_digests(p.evidence))
        )
        for p in case.provenance
    )


def _links(case: Case, provenance: Said[Provenance], image: Artifact) -> bool:
    return (
        not provenance.evidence.digests.isdisjoint(image.binding)
        and is_built(case, provenance)
        and defect(case, provenance, case.at) is None
    )
