"""Every image that an object would run."""

from collections.abc import Iterator

from countersign.binding.normal_form import written_form
from countersign.binding.podspecs import POD_SPECS, containers, pod_spec
from countersign.binding.references import parse_reference
from countersign.binding.tables import kind_key
from countersign.binding.tree import Struct
from countersign.core.types.artifacts import Algorithm, Digest, Image, Tree


def images(tree: Tree) -> tuple[Image, ...]:
    """Return the images of an object and of the Pods made from it, each once, sorted.

    Containers of all three lists and image volumes, in Pods and Pod templates. A kind
    that binding does not know has none that we could see: it is denied elsewhere.

    A reference that does not parse, or is pinned with another algorithm than SHA-256,
    is there with what could be read of it: nothing covers it.

    Raises:
        Malformed: a value has not its field's type.
    """
    if kind_key(tree) not in POD_SPECS:
        return ()
    references = set(_references(pod_spec(written_form(tree)) or {}))
    return tuple(_image(reference) for reference in sorted(references))


def _references(spec: Struct) -> Iterator[str]:
    """Yield the references in a PodSpec, which is in normal form."""
    yield from (c["image"] for c in containers(spec) if "image" in c)
    for volume in spec.get("volumes", []):
        if "reference" in volume.get("image", {}):
            yield volume["image"]["reference"]


def _image(reference: str) -> Image:
    read = parse_reference(reference)
    if read is None:
        return Image(reference, "")
    algorithm, _, value = read.digest.partition(":")
    digest = Digest(Algorithm.SHA256, value) if algorithm == "sha256" else None
    return Image(reference, read.repository, read.tag, digest)
