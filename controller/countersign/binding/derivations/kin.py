"""An owner and the object that claims to come from it, and the parts all of them have.

A derivation computes what the controller must have made. Where the controller had a
choice (a hash, an index, a number), the child's own value is taken, if it has the form
that the controller would give it; else it is left out, and so becomes a difference.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from countersign.binding.tree import Struct, Value, find
from countersign.core.types.artifacts import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """One derivation to be computed.

    Attributes:
        owner: The live owner, or a signed intent of it.
        child: The object under admission.
        old: The child before an UPDATE; None on CREATE.
        pods: Of the namespace; only for endpoints, and for who owns a claim.
        source: What the owner names for its children to be made from, live.
    """

    owner: Tree
    child: Tree
    old: Tree | None = None
    pods: tuple[Tree, ...] = ()
    source: Tree | None = None

    @property
    def name(self) -> str:
        """The owner's name."""
        return text(self.owner, "/metadata/name")

    def spec(self) -> Struct:
        """Return a copy of the owner's ``spec``, free to be changed."""
        return copy.deepcopy(mapping(self.owner, "/spec"))

    def seen(self, key: str) -> str:
        """Return an annotation of the child, or ``""``."""
        value = mapping(self.child, "/metadata/annotations").get(key)
        return value if type(value) is str else ""


def mapping(tree: Tree, path: str) -> Struct:
    """Return the object at a JSON pointer; empty if there is none."""
    found = find(tree, path)
    return found if type(found) is dict else {}


def listing(tree: Tree, path: str) -> list[Value]:
    """Return the list at a JSON pointer; empty if there is none."""
    found = find(tree, path)
    return found if type(found) is list else []


def text(tree: Tree, path: str) -> str:
    """Return the string at a JSON pointer; empty if there is none."""
    found = find(tree, path)
    return found if type(found) is str else ""


def number(tree: Tree, path: str, default: int) -> int:
    """Return the integer at a JSON pointer, or `default`."""
    found = find(tree, path)
    return found if type(found) is int else default


def part(tree: Struct, key: str) -> Struct:
    """Return the object under `key`, made if it is not there."""
    found = tree.get(key)
    if type(found) is not dict:
        found = tree[key] = {}
    return found


def born(kin: Kin, api_version: str, kind: str, **metadata: Value) -> Struct:
    """Return a child with its only owner and without a spec.

    Args:
        kin: Owner and child.
        api_version: Of the child.
        kind: Of the child.
        metadata: What else it says of itself; empty values are left out.
    """
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "namespace": text(kin.owner, "/metadata/namespace"),
            "ownerReferences": [reference(kin.owner)],
            **{key: value for key, value in metadata.items() if value},
        },
    }


def reference(owner: Tree) -> Struct:
    """Return the reference by which a controller owns (``metav1.NewControllerRef``)."""
    return {
        "apiVersion": owner.get("apiVersion"),
        "kind": owner.get("kind"),
        "name": text(owner, "/metadata/name"),
        "uid": text(owner, "/metadata/uid"),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def with_labels(tree: Struct, labels: Mapping[str, str], field: str = "labels") -> None:
    """Add entries to the map in `field` of `tree`, over what is there."""
    tree[field] = {**(tree.get(field) or {}), **labels}
