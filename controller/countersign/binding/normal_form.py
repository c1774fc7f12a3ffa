"""The normal form: what two objects are compared in.

``normal_form(o) = D(N(strip(o)))``:

* *strip* takes away what only the server owns;
* *N* mirrors how the server reads what is written, of built-in kinds by their Go types
  (`typed`), of custom kinds by their schemas (`custom.forms`);
* *D* fills what is absent with the server's own defaults.

All of it is applied to both sides of a comparison. So adding a field at its default
value changes nothing, and adding any other value is a difference. Nothing is ignored.
"""

from countersign.binding.custom import forms
from countersign.binding.kinds import BUILT_IN, AnyKind, Kinds
from countersign.binding.masking import masked_part
from countersign.binding.tables import Kind, kind_key
from countersign.binding.tree import Struct
from countersign.binding.typed import default_struct, written_struct
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

OWN_PREFIX = "countersign.dev/"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SERVER_OWNED = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""Metadata that the server fills and no client can choose."""


def normal_form(tree: Tree, *, own: bool = False, kinds: Kinds = BUILT_IN) -> Struct:
    """Return the normal form of an object, as a new tree that has ``metadata``.

    Args:
        tree: An object of a known kind; a masked Secret keeps its ``data`` and
            ``salt`` as they are.
        own: Keep our own annotations, which are no part of what is signed.
        kinds: Those that are known.

    Raises:
        Malformed: the kind is not known, a value has not its field's type, or the
            object is nested too deeply.
    """
    written = written_form(tree, own=own, kinds=kinds)
    return apply_defaults(tree, written, kinds=kinds)


def written_form(tree: Tree, *, own: bool = False, kinds: Kinds = BUILT_IN) -> Struct:
    """Return N(strip(tree)): what is written in it, without the server's defaults.

    Raises:
        Malformed: as `normal_form`.
    """
    kind, masked = kinds.of(tree), masked_part(tree)
    plain = {k: v for k, v in tree.items() if k not in masked} if masked else tree
    stripped = _strip(plain, status=kind.status, own=own)
    try:
        return {"metadata": {}, **_written(stripped, kind), **masked}
    except RecursionError as error:
        raise Malformed("expected an object, saw one nested too deeply") from error


def apply_defaults(tree: Tree, form: Struct, *, kinds: Kinds = BUILT_IN) -> Struct:
    """Apply the server's defaults for the kind of `tree` to `form`, in place."""
    kind = kinds.of(tree)
    if isinstance(kind, Kind):
        default_struct(form, kind.type)
    else:
        forms.fill(form, kind)
    return form


def _written(stripped: Struct, kind: AnyKind) -> Struct:
    if isinstance(kind, Kind):
        return written_struct(stripped, kind.type)
    return forms.written(stripped, kind)


def _strip(tree: Tree, *, status: bool, own: bool) -> Struct:
    """Return a shallow copy without what only the server owns."""
    kept: Struct = {k: v for k, v in tree.items() if k != "status" or not status}
    metadata = kept.get("metadata") or {}
    if type(metadata) is not dict:
        raise Malformed(f"{kind_key(tree)}: expected metadata to be an object")
    metadata = {k: v for k, v in metadata.items() if k not in SERVER_OWNED}
    annotations = metadata.get("annotations")
    if type(annotations) is dict:
        metadata["annotations"] = {
            key: value
            for key, value in annotations.items()
            if key != LAST_APPLIED and (own or not key.startswith(OWN_PREFIX))
        }
    kept["metadata"] = metadata
    return kept
