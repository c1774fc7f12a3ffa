"""Evidence that lies beside images, in their registries."""

from dataclasses import dataclass
from typing import Protocol

from countersign.core.types.artifacts import Digest


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What a registry holds about one image. Nothing of it is proven.

    Attributes:
        bundles: Sigstore bundles as JSON, whatever they lay there as; each once, in an
            order that the registry does not choose.
        platforms: Of an index: the manifests in it that some machine could run; else
            empty. True by the digest, whoever says so.
        problems: What lies there and cannot be read, or is over a limit; expected and
            seen, a line each.
        complete: Nothing that there is went unseen.
    """

    bundles: tuple[bytes, ...] = ()
    platforms: frozenset[Digest] = frozenset()
    problems: tuple[str, ...] = ()
    complete: bool = True


class ImageEvidence(Protocol):
    """Evidence that lies beside images, in their registries."""

    async def about(self, image: Pinned) -> Attached:
        """Return all that a registry holds about an image and its platforms.

        A union: referrers, the fallback tag, cosign's tags. An image without evidence is
        an empty answer, of which the registry is sure.

        Raises:
            Unavailable: the registry did not answer, refused us, or has no such image;
                or it may not be asked.
        """
        ...

    def known(self, image: Pinned) -> Attached | None:
        """Return what is remembered of an answer. No I/O."""
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
