"""What has to be covered in one request: the object, and each image it newly runs.

Each artifact needs provenance of its own (rule 4). Images of third parties need none;
neither do any where the policy asks for no attestations (rule 7). An index is what its
policy makes of it: one artifact, or one for each of its platforms.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from countersign.core.rules.case import Case, Said
from countersign.core.rules.lineage import (
    commits_against,
    is_by_builder,
    is_made_of,
    links,
)
from countersign.core.types.artifacts import Digest, Image, ObjectRef, Subject
from countersign.core.types.change import Elastic
from countersign.core.types.evidence import Build, Evidence, Provenance
from countersign.core.types.globs import glob
from countersign.core.types.policy import ImageSubject, Policy, Toggle
from countersign.core.types.verdict import Finding, Names, Reason

Binding = tuple[frozenset[Digest], ...]


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something whose making matters.

    Attributes:
        about: What findings are about; an image without digest has none of its own.
        digests: What it is: every intent the object equals; or the image, and where it
            is an index, what is in it.
        binding: What a statement must name to speak for it: all digests of any one of
            these. Empty: nothing can.
        against: What counts against it speaks of: its digests, and each commit that a
            builder said it was made of.
        image: The image, or None for the object itself.
        builds: That count, and speak for it.
    """

    about: ObjectRef | Subject
    digests: frozenset[Digest]
    binding: Binding
    against: frozenset[Digest]
    image: Image | None = None
    builds: tuple[Said[Build], ...] = ()

    @property
    def sources(self) -> frozenset[Digest]:
        """The commits that it was made of, as builds say that count."""
        return frozenset(build.claim.commit for build in self.builds)

    @property
    def is_unseen(self) -> bool:
        """Whether each of its platforms is asked for, and nobody looked for them."""
        return (
            self.image is not None
            and self.image.digest is not None
            and not self.binding
        )


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
    digests = frozenset(i.digest for i in intents)
    bound = {i.digest for i in intents if i.elastic in ((), elastic)}
    return Artifact(case.change.object, digests, any_of(bound), digests)


def images(case: Case) -> tuple[Artifact, ...]:
    """Return the newly run images that need covering, each once."""
    if case.policy.images.attestations is Toggle.OFF:
        return ()
    ours = (i for i in case.change.images if not is_third_party(case.policy, i))
    each = dict.fromkeys(sorted(ours, key=repr))
    return tuple(artifact for image in each for artifact in _of(case, image))


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


def any_of(digests: Iterable[Digest]) -> Binding:
    """Return the binding that each of `digests` suffices for."""
    return tuple(frozenset({digest}) for digest in sorted(digests))


def names(evidence: Evidence, artifact: Artifact) -> bool:
    """Tell whether the subjects of `evidence` bind `artifact` by digest."""
    return any(each <= evidence.digests for each in artifact.binding)


def speaks_of(provenance: Said[Provenance], artifact: Artifact) -> bool:
    """Tell whether `provenance` is about `artifact`: itself, or what it was built of."""
    return names(provenance.evidence, artifact) or _is_source(provenance, artifact)


def is_built(case: Case, provenance: Said[Provenance], artifact: Artifact) -> bool:
    """Tell whether a builder links an image to what `provenance` is about (rule 4).

    Another statement does, a `Build`; or its own signer is a builder.
    """
    return _is_source(provenance, artifact) or (
        names(provenance.evidence, artifact) and is_by_builder(case, provenance)
    )


def _is_source(provenance: Said[Provenance], artifact: Artifact) -> bool:
    return any(is_made_of(build, provenance) for build in artifact.builds)


def _of(case: Case, image: Image) -> tuple[Artifact, ...]:
    """Return what `images.subject` makes of an image.

    A policy that asks for each platform asks for them one by one; as long as nobody
    looked for them, nothing speaks for such an image.
    """
    pinned, platforms = image.digest, image.platforms or frozenset()
    if pinned is None:
        nothing: frozenset[Digest] = frozenset()
        return (Artifact(case.change.object, nothing, (), nothing, image),)
    whole = frozenset({pinned})
    subject = case.policy.images.subject
    if subject is not ImageSubject.ALL_PLATFORMS:
        either = subject is ImageSubject.EITHER and platforms
        binding = (whole, platforms) if either else (whole,)
        return (_image(case, image, pinned, whole | platforms, binding),)
    if image.platforms is None:
        return (_image(case, image, pinned, whole, ()),)
    return tuple(
        _image(case, image, each, whole | {each}, any_of({each}))
        for each in sorted(platforms or whole)
    )


def _image(
    case: Case,
    image: Image,
    about: Digest,
    digests: frozenset[Digest],
    binding: Binding,
) -> Artifact:
    return Artifact(
        about=Subject(image.repository, about),
        digests=digests,
        binding=binding,
        against=digests | commits_against(case, digests),
        image=image,
        builds=links(case, case.builds, binding),
    )
