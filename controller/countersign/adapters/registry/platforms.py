"""What an image is: one, or an index of several platforms."""

from countersign.adapters.registry.repository import Repository, read
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.wire.oci import INDEXES, Descriptor, Manifest, parse_document

_MAX_PLATFORMS = 64  # of one image; the largest public ones have about twenty
_MAX_INDEXES = 8  # in one another


async def platforms_of(repository: Repository, image: Digest) -> frozenset[Digest]:
    """Return the manifests of an index that some machine could run.

    Indexes in it are opened: who runs the image looks there, too (containerd,
    core/images, Manifest).

    Args:
        repository: Where it lies.
        image: It.

    Returns:
        Their digests; none, where the image is no index.

    Raises:
        Unavailable: the registry fails or does not have all of it, or the image is none
            that a machine could be told to run.
    """
    found: set[Digest] = set()
    waiting, opened = [image], set[Digest]()
    while waiting:
        digest = waiting.pop()
        if digest in opened:
            continue
        if len(opened) >= _MAX_INDEXES:
            raise Unavailable(f"{image} holds more than {_MAX_INDEXES} indexes")
        opened.add(digest)
        for entry in await _entries(repository, digest, is_image=digest == image):
            if entry.media_type in INDEXES:
                waiting.append(entry.digest)
            elif entry.runnable:
                found.add(entry.digest)
    if len(found) > _MAX_PLATFORMS:
        raise Unavailable(f"{image} is of more than {_MAX_PLATFORMS} platforms")
    return frozenset(found)


async def _entries(
    repository: Repository, digest: Digest, *, is_image: bool
) -> tuple[Descriptor, ...]:
    """Return what an index holds; nothing, where an image is none."""
    try:
        raw = await repository.manifest(digest)
        if raw is None:
            raise Unavailable(f"{repository} does not have {digest}")
        document = await read(parse_document, raw)
    except Malformed as error:
        raise Unavailable(f"{repository}@{digest}: {error}") from error
    if isinstance(document, Manifest) and is_image:
        return ()
    if isinstance(document, Manifest) or document.unread:
        raise Unavailable(f"not all platforms in {digest} can be read")
    return document.manifests
