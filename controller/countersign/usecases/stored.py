"""Refuses what would not be stored as it is judged (rule 10)."""

from collections.abc import Iterable

from countersign.binding.custom.versions import converted_from
from countersign.binding.kinds import Kinds
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Expected, Reason
from countersign.usecases.opened import Opened


def unstored(
    tree: Tree, about: ObjectRef, policies: Iterable[Policy], kinds: Kinds
) -> Opened:
    """Refuse by each policy for which an object must be written in another version.

    Args:
        tree: The object as it is written.
        about: What it is.
        policies: That judge it.
        kinds: Those that are known; of others nobody can say.
    """
    if not kinds.known(tree):
        return Opened()
    refused = Opened()
    for policy in policies:
        if stored := converted_from(tree, kinds, policy.doors):
            said = Expected(stored, str(tree.get("apiVersion")))
            one = Opened.refusing(about, (policy,), Reason.CONVERTED, said)
            refused = refused.then(one)
    return refused
