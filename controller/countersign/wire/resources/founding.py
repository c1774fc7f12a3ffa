"""The digest by which an object is known that an installation begins with.

Made so that a chart can make it, too: of the object as compact JSON with sorted keys, as
Helm's ``toRawJson`` writes it, and of nothing but what is asked for: apiVersion, kind,
name and spec.
"""

import json

from countersign.core.types.artifacts import Digest, Tree

_ADDED = frozenset({"labels", "annotations"})  # by whoever installs: they say nothing
_SERVERS = frozenset(
    {"name", "uid", "creationTimestamp", "generation", "managedFields"}
)
_PREFIX = "countersign.dev/"


def digest(tree: Tree) -> Digest | None:
    """Return the digest of an object of ours; None where it says more than it may.

    Finalizers, owners, a generated name and annotations of ours are more.
    """
    metadata, name = tree.get("metadata"), None
    if isinstance(metadata, dict):
        name = metadata.get("name")
    if not isinstance(metadata, dict) or not isinstance(name, str):
        return None
    notes = metadata.get("annotations")
    ours = isinstance(notes, dict) and any(k.startswith(_PREFIX) for k in notes)
    if ours or metadata.keys() - _ADDED - _SERVERS:
        return None
    if tree.keys() - {"apiVersion", "kind", "metadata", "spec"}:
        return None
    told = {
        "apiVersion": tree.get("apiVersion"),
        "kind": tree.get("kind"),
        "metadata": {"name": name},
        "spec": tree.get("spec"),
    }
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    for mark in ("\u2028", "\u2029"):  # Go escapes these two, whatever it is asked
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Digest.sha256(text.encode())
