"""What has to be covered in one request: the object, and each image it newly runs.

Each artifact needs provenance of its own (rule 4). Images of third parties need none;
neither do any where the policy asks for no attestations (rule 7).
"""

from dataclasses import dataclass

from countersign.core.rules.case import Case, Said
from countersign.core.rules.collectors import made_by
from countersign.core.types.artifacts import Digest, Image, ObjectRef, Subject
from countersign.core.types.change import Elastic
from countersign.core.types.evidence import Evidence, Provenance
from countersign.core.types.policy import Policy, Toggle, glob
from countersign.core.types.verdict import Finding, Names, Reason


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something whose making matters.

    Attributes:
        about: What findings are about; an image without digest has none of its own.
        digests: What speaks of it: every intent the object equals, or the image's.
        binding: Those of `digests` that provenance must name to speak for it.
        image: The image, or None for the object itself.
    """

    about: ObjectRef | Subject
    digests: frozenset[Digest]
    binding: frozenset[Digest]
    image: Image | None = None


def artifacts(case: Case, elastic: tuple[Elastic, ...] = ()) -> tuple[Artifact, ...]:
    """Return what has to be covered, the object first.

    Args:
        case: The request before the policy.
        elastic: Bounds that a sign-off allows beside the exact state.
    """
    return (the_object(case, elastic), *images(case))


def the_object(case: Case, elastic: tuple[Elastic, ...] = ()) -> Artifact:
    """Return the object under admission as an artifact."""
    intents = case.change.intents
    return Artifact(
        about=case.change.object,
        digests=frozenset(i.digest for i in intents),
        binding=frozenset(i.digest for i in intents if i.elastic in ((), elastic)),
    )


def images(case: Case) -> tuple[Artifact, ...]:
    """Return the newly run images that need covering, each once."""
    if case.policy.images.attestations is Toggle.OFF:
        return ()
    ours = {i for i in case.change.images if not is_third_party(case.policy, i)}
    return tuple(_image(case, image) for image in sorted(ours, key=repr))


def is_third_party(policy: Policy, image: Image) -> bool:
    """Tell whether `image` is one of others that the policy lets in."""
    return any(
        glob(party.repository, "/").fullmatch(image.repository)
        and (not party.digests or image.digest in party.digests)
        for party in policy.images.third_party
    )


def unpinned(case: Case) -> tuple[Finding, ...]:
    """Return a finding for each newly run image that no digest pins.

    A tag can be moved after the review; so third parties' images are pinned too.
    """
    if case.policy.images.pinning is Toggle.OFF:
        return ()
    loose = sorted({i.reference for i in case.change.images if i.digest is None})
    return tuple(case.finding(Reason.IMAGE_UNPINNED, Names((name,))) for name in loose)


def speaks_of(evidence: Evidence, artifact: Artifact) -> bool:
    """Tell whether `evidence` binds `artifact` by digest."""
    return not evidence.digests.isdisjoint(artifact.binding)


def is_built(case: Case, provenance: Said[Provenance]) -> bool:
    """Tell whether `provenance` may link images to the commit it ends on (rule 4).

    Its signer is a builder too, and the commit is a subject beside the image.
    """
    return (
        bool(made_by(case.policy.builders, provenance))
        and provenance.claim.range.target in provenance.evidence.digests
    )


def _image(case: Case, image: Image) -> Artifact:
    if image.digest is None:
        return Artifact(case.change.object, frozenset(), frozenset(), image)
    digests = frozenset({image.digest})
    about = Subject(image.repository, image.digest)
    return Artifact(about, digests, digests, image)
