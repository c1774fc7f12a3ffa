"""Every image that an object would run."""

import re
from collections.abc import Iterator

from countersign.binding.image_paths import references_at, revised_references
from countersign.binding.normal_form import written_form
from countersign.binding.podspecs import POD_SPECS, containers, pod_spec
from countersign.binding.references import parse_reference
from countersign.binding.tables import kind_key
from countersign.binding.tree import Struct
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, Image, Tree
from countersign.core.types.policy import ImagePaths

_REVISION = "apps/v1/ControllerRevision"

_ID = re.compile(r"(?:sha256|sha384|sha512):[0-9a-f]+")
"""The ID of an image that a node has, or its beginning. To the kubelet it looks like a tag
of a repository of Docker Hub; containerd tries it as an ID too (``LocalResolve`` in
internal/cri/server/images)."""


def images(tree: Tree, paths: tuple[ImagePaths, ...] = ()) -> tuple[Image, ...]:
    """Return the images of an object and of the Pods made from it, each once, sorted.

    Containers of all three lists and image volumes, in Pods, Pod templates, and the
    older templates that revisions keep; and what a policy says of custom kinds. Of a
    custom kind of which no policy says where its images are, none is seen.

    A reference that does not parse, or is the ID of an image that a node has, or is
    pinned with another algorithm than SHA-256, is there with what could be read of it:
    nothing covers it.

    Args:
        tree: The object.
        paths: Of one policy, ``images.paths``: of this kind, and of others.

    Raises:
        Malformed: a value has not its field's type, or one of `paths` leads to what is
            neither reference nor PodSpec; the message says where.
    """
    references = {*_built_in(tree), *references_at(tree, paths)}
    return tuple(_image(reference) for reference in sorted(references))


def readable_images(
    tree: Tree | None, paths: tuple[ImagePaths, ...] = ()
) -> tuple[Image, ...]:
    """Return what `images` does, and nothing of what cannot be read.

    Of what was there before: then all that the new state runs is new. And where an order
    depends on it, or what is looked for, and nothing is judged.
    """
    try:
        return images(tree, paths) if tree is not None else ()
    except Malformed:
        return ()


def _built_in(tree: Tree) -> Iterator[str]:
    key = kind_key(tree)
    if key in POD_SPECS:
        yield from _references(pod_spec(written_form(tree)) or {})
    elif key == _REVISION:
        yield from revised_references(tree)


def _references(spec: Struct) -> Iterator[str]:
    """Yield the references in a PodSpec, which is in normal form."""
    yield from (c["image"] for c in containers(spec) if "image" in c)
    for volume in spec.get("volumes", []):
        if "reference" in volume.get("image", {}):
            yield volume["image"]["reference"]


def _image(reference: str) -> Image:
    read = parse_reference(reference)
    if read is None or _ID.fullmatch(reference):
        return Image(reference, "")
    algorithm, _, value = read.digest.partition(":")
    digest = Digest(Algorithm.SHA256, value) if algorithm == "sha256" else None
    return Image(reference, read.repository, read.tag, digest)
