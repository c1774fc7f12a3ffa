"""Is what is written in one version of a custom kind stored as it was judged?

The server stores an object in one version. What is written in another is converted, and
a field that only the stored version has is erased, while nobody who looks at the
written version sees a change. A conversion webhook may do anything.
"""

from countersign.binding.custom.definition import CustomKind
from countersign.binding.kinds import Kinds
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.doors import Doors


def converted_from(tree: Tree, kinds: Kinds, doors: Doors) -> str:
    """Return the apiVersion to write instead, or ``""`` where this one will do.

    Rule 10: the version must be the stored one, or all that are served must hold the
    same. Where a webhook converts, a policy must trust it.

    Args:
        tree: The object as it is written; of a known kind.
        kinds: Those that are known.
        doors: What the policy lets in.
    """
    kind = kinds.of(tree)
    if not isinstance(kind, CustomKind):
        return ""
    if kind.converted:
        lasting = GroupKind(kind.group, kind.kind) in doors.conversions
    else:
        lasting = kind.whole
    return "" if lasting else f"{kind.group}/{kind.storage}"
