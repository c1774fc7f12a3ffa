"""Plans of Terraform and OpenTofu, as objects that no API server ever sees.

What would be applied is held in ``data``, text by text, and masked as the values of a
Secret are: a plan holds passwords in many places, and what a plan marks as sensitive is
only what its author marked. So nothing of it is signed but salted digests, and the
addresses of what changes with what happens to them.
"""

from typing import Final

from countersign.binding.custom.definition import CustomKind
from countersign.binding.custom.schema import compile_schema
from countersign.binding.tables import kind_key
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

PLAN: Final = CustomKind(
    group="countersign.dev",
    version="v1alpha1",
    kind="Plan",
    plural="plans",
    namespaced=True,
    status=False,
    replicas="",
    schema=compile_schema({"x-kubernetes-preserve-unknown-fields": True}),
    prunes=False,
    storage="v1alpha1",
    whole=True,
    converted=False,
)
"""What is known of the kind: nothing is filled in, and nothing dropped."""

_FIELDS = frozenset({"apiVersion", "data", "kind", "metadata", "plan", "salt"})
_ABOUT = frozenset({"name", "namespace"})


def is_plan(tree: Tree) -> bool:
    """Tell whether an object is a plan.

    Raises:
        Malformed: no apiVersion or kind.
    """
    return kind_key(tree) == PLAN.key


def require_plan(tree: Tree) -> None:
    """Refuse an intent of a plan that says more than `wire.plan` would.

    Raises:
        Malformed: other fields than it has, or values of another form.
    """
    if tree.keys() - _FIELDS or not tree.get("data"):
        raise Malformed("expected the fields of a plan, saw others")
    metadata, plan = tree.get("metadata"), tree.get("plan")
    if type(metadata) is not dict or metadata.keys() - _ABOUT:
        raise Malformed("/metadata: expected name and namespace of a plan, saw others")
    changes = plan.get("changes") if type(plan) is dict and len(plan) == 1 else None
    if type(changes) is not dict or not all(type(v) is str for v in changes.values()):
        raise Malformed("/plan: expected what changes, by address")
