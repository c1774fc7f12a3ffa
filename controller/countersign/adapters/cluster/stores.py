"""Where watched objects are kept.

As they came, where there are few and they are read whole; compressed, where there are
thousands of ReplicaSets, each with its Deployment's evidence.
"""

import zlib
from collections.abc import Iterable, Iterator
from sys import intern

import orjson

from countersign.core.types.artifacts import Tree

_LEVEL = 1  # of zlib: a fifth of the size at a tenth of the time of the highest
_LONG = 256  # characters from which an annotation is worth sharing

_Key = tuple[str, str]
_Packed = tuple[bytes, dict[str, str]]


def key_of(tree: Tree) -> _Key:
    """Return namespace and name."""
    metadata = tree.get("metadata")
    if not isinstance(metadata, dict):
        return "", ""
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


class TreeStore:
    """The objects of one kind as they came.

    Attributes:
        edition: Counts the changes.
    """

    def __init__(self) -> None:
        self.edition = 0
        self._trees: dict[tuple[str, str], Tree] = {}

    def replace(self, trees: Iterable[Tree]) -> None:
        """Keep exactly `trees`."""
        self._trees = {key_of(tree): tree for tree in trees}
        self.edition += 1

    def put(self, tree: Tree) -> None:
        """Keep `tree` in place of the object of its name."""
        self._trees[key_of(tree)] = tree
        self.edition += 1

    def drop(self, tree: Tree) -> None:
        """Forget the object of the name of `tree`."""
        self._trees.pop(key_of(tree), None)
        self.edition += 1

    def all(self) -> Iterable[Tree]:
        """Return what is kept."""
        return self._trees.values()


class PackedStore:
    """The objects of one kind, compressed, by namespace and name.

    Long annotations are kept once for all objects that carry them: the Deployment
    controller copies a Deployment's evidence to each of its ReplicaSets. What servers
    note about field managers is dropped. :meth:`get` returns a new tree each time.
    """

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, _Packed]] = {}

    def replace(self, trees: Iterable[Tree]) -> None:
        """Keep exactly `trees`."""
        self._objects = {}
        for tree in trees:
            self.put(tree)

    def put(self, tree: Tree) -> None:
        """Keep `tree` in place of the object of its namespace and name."""
        namespace, name = key_of(tree)
        self._objects.setdefault(namespace, {})[name] = _pack(tree)

    def drop(self, tree: Tree) -> None:
        """Forget the object of the namespace and name of `tree`."""
        namespace, name = key_of(tree)
        kept = self._objects.get(namespace, {})
        kept.pop(name, None)
        if not kept:
            self._objects.pop(namespace, None)

    def get(self, namespace: str, name: str) -> Tree | None:
        """Return the object, or None."""
        packed = self._objects.get(namespace, {}).get(name)
        return None if packed is None else _unpack(packed)

    def all(self, namespace: str) -> Iterator[Tree]:
        """Return the objects of `namespace`; ``""``: those without one."""
        return map(_unpack, self._objects.get(namespace, {}).values())


def _pack(tree: Tree) -> _Packed:
    metadata = tree.get("metadata")
    if not isinstance(metadata, dict):
        return zlib.compress(orjson.dumps(tree), _LEVEL), {}
    about = {k: v for k, v in metadata.items() if k != "managedFields"}
    annotations = about.get("annotations")
    shared = {
        key: intern(value)
        for key, value in (annotations if isinstance(annotations, dict) else {}).items()
        if isinstance(value, str) and len(value) >= _LONG
    }
    if shared and isinstance(annotations, dict):
        about["annotations"] = {k: v for k, v in annotations.items() if k not in shared}
    return zlib.compress(orjson.dumps({**tree, "metadata": about}), _LEVEL), shared


def _unpack(packed: _Packed) -> Tree:
    blob, shared = packed
    tree: Tree = orjson.loads(zlib.decompress(blob))
    if shared:
        metadata = tree["metadata"]
        assert isinstance(metadata, dict)  # noqa: S101 - packed so
        annotations = metadata["annotations"]
        assert isinstance(annotations, dict)  # noqa: S101 - packed so
        annotations.update(shared)
    return tree
