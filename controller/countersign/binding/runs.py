"""Whether what runs has ended, for hooks that go after their run."""

from countersign.binding.tree import Value, find
from countersign.core.types.artifacts import Tree

_ENDED = frozenset({"Complete", "Failed"})


def has_run(tree: Tree) -> bool:
    """Tell whether a Job or a Pod has ended; what runs nothing has."""
    match tree.get("kind"):
        case "Job":
            conditions: Value = find(tree, "/status/conditions")
            return any(
                condition.get("type") in _ENDED and condition.get("status") == "True"
                for condition in (conditions if type(conditions) is list else ())
            )
        case "Pod":
            return find(tree, "/status/phase") in ("Succeeded", "Failed")
        case _:
            return True
