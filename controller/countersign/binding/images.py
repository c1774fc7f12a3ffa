"""Every image that an object would run."""

from collections.abc import Iterator

from countersign.binding.podspecs import containers, pod_spec
from countersign.binding.references import parse_reference
from countersign.binding.tree import Struct, Value
from countersign.core.types.artifacts import Algorithm, Digest, Image, Tree


def images(tree: Tree) -> tuple[Image, ...]:
    """Return the images of an object and of the Pods made from it, each once, sorted.

    Containers of all three lists and image volumes, in Pods and Pod templates.

    A reference that does not parse, or is pinned with another algorithm than SHA-256,
    is there with what could be read of it: nothing covers it.
    """
    spec = pod_spec(tree)
    return tuple(
        sorted(
            {_image(reference) for reference in _references(spec or {})},
            key=lambda image: image.reference,
        )
    )


def _references(spec: Struct) -> Iterator[Value]:
    """Yield image references as they stand in a PodSpec; none for an empty one."""
    yield from (c["image"] for c in containers(spec) if c.get("image"))
    for volume in spec.get("volumes") or []:
        source = volume.get("image") if type(volume) is dict else None
        if type(source) is dict and source.get("reference"):
            yield source["reference"]


def _image(reference: Value) -> Image:
    read = parse_reference(reference)
    if read is None:
        return Image(str(reference), "")
    algorithm, _, value = read.digest.partition(":")
    digest = Digest(Algorithm.SHA256, value) if algorithm == "sha256" else None
    return Image(reference, read.repository, read.tag, digest)
