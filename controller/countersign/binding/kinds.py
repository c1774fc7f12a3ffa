"""What binding knows of kinds: the built-in ones, and the custom ones of a cluster.

Built-in kinds come from the type table. Custom kinds come from the definitions that a
cluster has at this moment, so knowledge of them is passed along, never remembered.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

from countersign.binding.custom.definition import CustomKind, compile_definition
from countersign.binding.plan import PLAN, is_plan
from countersign.binding.tables import KINDS, Kind, kind_key
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

AnyKind: TypeAlias = Kind | CustomKind

_OTHERS = frozenset(
    {
        "admission.k8s.io",
        "apidiscovery.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "imagepolicy.k8s.io",
        "internal.apiserver.k8s.io",
        "meta.k8s.io",
        "resource.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""Groups of the server itself, whether or not the table has a kind of them."""

BUILT_IN_GROUPS: Final = _OTHERS | {
    key.rpartition("/")[0].rpartition("/")[0] for key in KINDS
}


class Kinds:
    """Resolves objects to what is known of their kind.

    Immutable.

    Args:
        custom: Every version of every custom kind that the cluster serves.
    """

    def __init__(self, custom: Iterable[CustomKind] = ()) -> None:
        self._custom = {kind.key: kind for kind in custom}
        self._resources = {
            (kind.group, kind.plural): kind.kind for kind in self._custom.values()
        }
        self._scopes = {
            (kind.group, kind.kind): kind.namespaced for kind in self._custom.values()
        }

    def of(self, tree: Tree) -> AnyKind:
        """Return what is known about the kind of an object.

        Raises:
            Malformed: no apiVersion or kind, or a kind that is not known.
        """
        key = kind_key(tree)
        found = KINDS.get(key) or self.custom(key)
        if found is None:
            raise Malformed(f"unsupported kind {key[:120]}")
        return found

    def custom(self, key: str) -> CustomKind | None:
        """Return a custom kind by its ``apiVersion/kind``, or None."""
        if key == PLAN.key:
            return PLAN  # of our group: no cluster defines it
        found = self._custom.get(key)
        return found if found and may_be_custom(found.group) else None

    def known(self, tree: Tree) -> bool:
        """Tell whether binding can judge an object of this version and kind at all.

        Raises:
            Malformed: no apiVersion or kind.
        """
        key = kind_key(tree)
        return key in KINDS or self.custom(key) is not None

    def is_namespaced(self, tree: Tree) -> bool | None:
        """Tell whether objects of this kind live in namespaces; None: nobody knows.

        Versions of a kind do not differ in that.

        Raises:
            Malformed: no apiVersion or kind.
        """
        if built_in := KINDS.get(kind_key(tree)):
            return built_in.namespaced
        if is_plan(tree):
            return True
        group = str(tree["apiVersion"]).rpartition("/")[0]
        return self._scopes.get((group, str(tree["kind"])))

    def adding(self, manifests: Iterable[Tree]) -> "Kinds":
        """Return these kinds and those that manifests would define; these win.

        An object may come together with the definition of its kind.
        """
        defined = [
            kind
            for tree in manifests
            if tree.get("kind") == "CustomResourceDefinition"
            for kind in compile_definition(tree)
        ]
        return Kinds((*defined, *self._custom.values())) if defined else self

    def behind(self, group: str, resource: str) -> str:
        """Return the kind of a custom resource by its plural name, or ``""``."""
        return self._resources.get((group, resource), "")

    def every(self) -> Iterable[CustomKind]:
        """Return all custom kinds, version by version."""
        return self._custom.values()


BUILT_IN: Final = Kinds()
"""Without any custom kind: what is known without a cluster."""


def may_be_custom(group: str) -> bool:
    """Tell whether a group is one that a CustomResourceDefinition may have.

    Ours is one: admins sign for rosters and policies as for anything else.
    """
    return "." in group and group not in BUILT_IN_GROUPS


def is_custom(tree: Tree) -> bool:
    """Tell whether an object is of a custom kind, by its group alone.

    A plan is not, although its group is ours: no server defines it.

    Raises:
        Malformed: no apiVersion or kind.
    """
    group = str(tree["apiVersion"]).rpartition("/")[0] if not is_plan(tree) else ""
    return may_be_custom(group)
