"""Evidence that lies beside images, in their registries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest


class Throttled(Unavailable):
    """A registry does not want to be asked now.

    Attributes:
        retry_after: Seconds until it may be asked again, as it says.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, order=True)
class Pinned:
    """An image by its digest, where it lies.

    Attributes:
        repository: Normalised, ``docker.io/library/nginx``.
        digest: Of its manifest or index.
    """

    repository: str
    digest: Digest

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"

    @property
    def registry(self) -> str:
        """The registry that it lies in, as references name it: ``docker.io``."""
        return self.repository.partition("/")[0]


@dataclass(frozen=True, slots=True, order=True)
class Other:
    """What lies beside an image and is no attestation: a signature, an SBOM.

    Attributes:
        type: Artifact type or media type, as it lies there.
        digest: Of its manifest or layer.
        about: The image or platform beside which it lies.
    """

    type: str
    digest: Digest
    about: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What a registry holds about one image. Nothing of it is proven.

    Attributes:
        bundles: Sigstore bundles as JSON, whatever they lay there as; each once; the
            newest first, by what their manifests say, else by digest.
        platforms: Of an index: the manifests in it that some machine could run; else
            empty. True by the digest, whoever says so.
        problems: What lies there and cannot be read, or is over a limit; expected and
            seen, a line each.
        complete: Nothing that there is went unseen.
        others: What else lies there; for people, no rule looks at it.
    """

    bundles: tuple[bytes, ...] = ()
    platforms: frozenset[Digest] = frozenset()
    problems: tuple[str, ...] = ()
    complete: bool = True
    others: tuple[Other, ...] = ()


class ImageEvidence(Protocol):
    """Evidence that lies beside images, in their registries."""

    async def about(self, image: Pinned) -> Attached:
        """Return all that a registry holds about an image and its platforms.

        A union: referrers, the fallback tag, cosign's tags. An image without evidence is
        an empty answer, of which the registry is sure.

        Raises:
            Unavailable: the registry did not answer, refused us, or has no such image;
                or it may not be asked. `Throttled` where it says until when.
        """
        ...

    async def blob(self, image: Pinned, digest: Digest, *, limit: int) -> bytes | None:
        """Return what lies beside an image under a digest, checked against it.

        Intents lie there so (``attest --carrier oci``): their digest is the blob's.

        Args:
            image: In whose repository.
            digest: Of the blob.
            limit: Bytes; more is refused.

        Returns:
            The blob, or None: the registry is sure that there is none.

        Raises:
            Unavailable: as of `about`.
            Malformed: it is larger, or other bytes than its digest says.
        """
        ...


class RememberedEvidence(ImageEvidence, Protocol):
    """The same, in front of a memory.

    `about` answers from it where that is a moment old at most: who asks wants to know
    what lies there now.
    """

    def known(self, image: Pinned, *, within_s: float | None = None) -> Attached | None:
        """Return what is remembered of an answer. No I/O.

        What supports a change does not age; what might speak against it does.

        Args:
            image: Which one.
            within_s: Answers that are older, in seconds, are not wanted; None: any age.
        """
        ...

    def known_blob(self, digest: Digest) -> bytes | None:
        """Return what `blob` found under a digest, as long as it is remembered."""
        ...


class ImageStore(Protocol):
    """Where evidence is put beside images."""

    async def resolve(self, repository: str, tag: str) -> Digest:
        """Return what a tag names now.

        Args:
            repository: Normalised, ``docker.io/library/nginx``.
            tag: Of it.

        Raises:
            Unavailable: as of `ImageEvidence.about`.
        """
        ...

    async def attach(
        self, image: Pinned, *, bundles: Sequence[bytes], intents: Sequence[bytes]
    ) -> None:
        """Put bundles and intents beside an image; what is there already stays.

        Whoever asks `ImageEvidence.about` afterwards finds each of them, however many
        others attach at once.

        Args:
            image: It must exist.
            bundles: Sigstore bundles as JSON.
            intents: Blobs, kept under their own digests. Never of Secrets: whoever may
                pull the image may read them.

        Raises:
            Malformed: one of the bundles is none.
            Unavailable: the registry did not take them, or not in time. Some of them
                may lie there; doing it again does no harm.
        """
        ...
