"""Images in places that have no type: those that a policy names in custom kinds.

Nothing there was read by the server's types, and what reads it may be any program: so
what is not plainly a reference, a PodSpec or a Pod template is refused, never skipped.
"""

from collections.abc import Iterable, Iterator

from countersign.binding.places import expand
from countersign.binding.podspecs import CONTAINER_LISTS
from countersign.binding.tables import TYPES, kind_key
from countersign.binding.tree import Struct, Value, find
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.policy import ImagePaths

_SPEC = TYPES["core/v1.PodSpec"].keys()
_TEMPLATE = TYPES["core/v1.PodTemplateSpec"].keys()


def references_at(tree: Tree, paths: Iterable[ImagePaths]) -> Iterator[str]:
    """Yield the references in an object, where `paths` say that they are.

    A path that leads nowhere, to null or to an empty string names no image.

    Args:
        tree: The object, as written.
        paths: Of whatever kinds; all versions of a kind have the same.

    Raises:
        Malformed: no apiVersion or kind, or something else is there; the message says
            where and what.
    """
    group_version, _, name = kind_key(tree).rpartition("/")
    kind = GroupKind(group_version.rpartition("/")[0], name)
    for said in paths:
        if said.kind == kind:
            for pointer in said.paths:
                for place in expand(tree, pointer):
                    yield from _references(find(tree, place), place)


def revised_references(revision: Tree) -> Iterator[str]:
    """Yield the references in the template that a ControllerRevision keeps.

    It is a patch of a StatefulSet or DaemonSet; the data of other owners' revisions may
    be anything, and then has no image.

    Raises:
        Malformed: it has a PodSpec, and that is not what it should be.

    Source:
        ``getPatch`` and ``ApplyRevision`` in pkg/controller/statefulset.
    """
    value, place = revision.get("data"), "/data"
    for name in ("spec", "template", "spec"):
        if type(value) is not dict:
            return
        value, place = _field(value, name, place), f"{place}/{name}"
    if type(value) is dict:
        yield from _spec_references(value, place)


def _spec_references(spec: Struct, place: str) -> Iterator[str]:
    """Yield the references in a PodSpec of which no type was checked."""
    for name in CONTAINER_LISTS:
        for at, container in _structs(spec, name, place):
            yield from _reference(container, "image", at)
    for at, volume in _structs(spec, "volumes", place):
        image = _field(volume, "image", at)
        if image is not None:
            where = f"{at}/image"
            yield from _reference(_struct(image, where), "reference", where)


def _references(value: Value, place: str) -> Iterator[str]:
    if type(value) is str:
        yield from (value,) if value else ()
    elif type(value) is dict:
        for spec, at in _pod_specs(value, place):
            yield from _spec_references(spec, at)
    elif value is not None:
        raise _other(value, place)


def _pod_specs(value: Struct, place: str) -> list[tuple[Struct, str]]:
    """Return what is a PodSpec of an object, or in it.

    Containers say so; one without any, which an operator completes, has at least no
    field that is none of a PodSpec.
    """
    below = f"{place}/spec"
    spec = _field(value, "spec", place)
    both = [(value, place), (spec, below)]
    with_containers = [
        (one, at)
        for one, at in both
        if type(one) is dict and _field(one, "containers", at) is not None
    ]
    if with_containers:
        return with_containers
    if value.keys() <= _SPEC:
        return [(value, place)]
    if value.keys() <= _TEMPLATE and spec is None:
        return []
    if value.keys() <= _TEMPLATE and type(spec) is dict and spec.keys() <= _SPEC:
        return [(spec, below)]
    raise _other(value, place)


def _structs(owner: Struct, name: str, place: str) -> Iterator[tuple[str, Struct]]:
    items = _field(owner, name, place)
    if items is None:
        return
    if type(items) is not list:
        raise Malformed(f"{place}/{name}: expected a list, saw {_what(items)}")
    for index, item in enumerate(items):
        at = f"{place}/{name}/{index}"
        yield at, _struct(item, at)


def _struct(value: Value, place: str) -> Struct:
    if type(value) is not dict:
        raise Malformed(f"{place}: expected an object, saw {_what(value)}")
    return value


def _reference(owner: Struct, name: str, place: str) -> Iterator[str]:
    value = _field(owner, name, place)
    if value is None or value == "":
        return
    if type(value) is not str:
        where = f"{place}/{name}"
        raise Malformed(f"{where}: expected an image reference, saw {_what(value)}")
    yield value


def _field(owner: Struct, name: str, place: str) -> Value:
    """Return a field, or None.

    Raises:
        Malformed: it is there in other letters: Go's own decoder, which the controller
            manager uses for revisions, takes ``Image`` for ``image``, and a long s for an s.
    """
    for key in owner:
        if key != name and key.casefold() == name.casefold():
            raise Malformed(f"{place}: expected {name}, saw {key[:80]}")
    return owner.get(name)


def _other(value: Value, place: str) -> Malformed:
    return Malformed(
        f"{place}: expected an image reference, a PodSpec or a Pod template where the "
        f"policy says that images are, saw {_what(value)}"
    )


def _what(value: Value) -> str:
    if type(value) is dict:
        names = ", ".join(sorted(value))[:80]
        return f"an object with {names}" if value else "an empty object"
    if type(value) is list:
        return "a list"
    return "text" if type(value) is str else "a number or truth value"
