"""What two objects have in common as it is written: left out of their comparison.

Equal values of one type have equal normal forms, if no default is filled in below and
no rule looks there. A CustomResourceDefinition is nearly all schema, and its schema is
such a value: then a comparison of bytes takes the place of a walk.
"""

from collections.abc import Container

import orjson

from countersign.binding.custom.schema import as_map
from countersign.binding.tables import kind_key
from countersign.binding.tree import Struct, Value, find
from countersign.core.types.artifacts import Tree

_DEFINITION = "apiextensions.k8s.io/v1/CustomResourceDefinition"
_INERT = "schema"  # of a version; a test of the type table finds no default below


def without_shared(intent: Tree, observed: Tree) -> tuple[Tree, Tree]:
    """Return two objects without what both of them have alike.

    The objects themselves are not changed. Of most kinds they are returned as they are.
    """
    ours, theirs = _versions(intent), _versions(observed)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return intent, observed
    shared = {
        index
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True))
        if are_alike(one.get(_INERT), other.get(_INERT))
    }
    return _less(intent, ours, shared), _less(observed, theirs, shared)


def without_inert(tree: Tree) -> Tree:
    """Return an object without what no rule looks at: what was there before."""
    versions = _versions(tree)
    return tree if versions is None else _less(tree, versions, range(len(versions)))


def _versions(tree: Tree) -> list[Struct] | None:
    """Return the versions of a definition; None for all else."""
    if kind_key(tree) != _DEFINITION:
        return None
    found = find(tree, "/spec/versions")
    if type(found) is not list or not all(type(one) is dict for one in found):
        return None
    return found


def _less(tree: Tree, versions: list[Struct], less: Container[int]) -> Tree:
    """Return a definition without the schemas of some of its versions."""
    kept = [
        {key: item for key, item in version.items() if key != _INERT}
        if index in less
        else version
        for index, version in enumerate(versions)
    ]
    spec: Struct = {**as_map(tree["spec"]), "versions": kept}
    return {**tree, "spec": spec}


def are_alike(one: Value, other: Value) -> bool:
    """Tell whether two values are the same JSON, numbers spelled alike.

    Where this says no, they may still be equal: 1 and 1.0 are written differently.
    True is not 1, as it would be to Python.
    """
    try:
        return _text(one) == _text(other)
    except TypeError:  # an integer beyond 64 bits
        return False


def _text(value: Value) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
