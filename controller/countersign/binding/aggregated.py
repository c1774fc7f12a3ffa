"""Aggregated ClusterRoles: their rules are those of the roles that they select.

Whoever plays the controller can write nothing but that, or a part of the way there: what
it gathers is computed from the live roles, each of which was judged when it was written.
"""

from collections.abc import Iterable

from countersign.binding.actors import controllers
from countersign.binding.delta import judged_changes
from countersign.binding.derivations.kin import listing, mapping, text
from countersign.binding.match import same
from countersign.binding.selectors import selected
from countersign.binding.tree import Value
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.request import AdmissionRequest

RULE = "aggregated"
ROLES = ObjectRef("rbac.authorization.k8s.io", "ClusterRole", "", "")
_RULES = "/rules"


def gathers(request: AdmissionRequest) -> bool:
    """Tell whether the controller writes the rules of an aggregated role, and no more."""
    return (
        request.old is not None
        and str(request.resource) == "clusterroles.rbac.authorization.k8s.io"
        and request.requester.name in controllers("clusterrole-aggregation-controller")
        and [path for path, _, _ in judged_changes(request)] == [_RULES]
    )


def is_gathered(role: Tree, roles: Iterable[Tree]) -> bool:
    """Tell whether the rules of `role` are what it gathers from `roles`.

    Source:
        ``syncClusterRole`` in pkg/controller/clusterroleaggregation.
    """
    return bool(mapping(role, "/aggregationRule")) and same(
        {**role, "rules": _rules_of(role, roles)}, role
    )


def comes_closer(old: Tree, role: Tree, roles: Iterable[Tree]) -> bool:
    """Tell whether `role` goes from `old` toward what it gathers from `roles`.

    The controller reads a cache: while several roles come or go, it writes what they
    were a moment ago, and the rest right after. Such a write gives nothing that neither
    was there nor is gathered, and takes nothing that was there and is: it is a part of
    what is due, as if the controller had not done the other part yet.
    """
    before, due = listing(old, _RULES), _rules_of(role, roles)
    written = listing(role, _RULES)
    return (
        bool(mapping(role, "/aggregationRule"))
        and all(rule in before or rule in due for rule in written)
        and all(rule in written for rule in before if rule in due)
    )


def _rules_of(role: Tree, roles: Iterable[Tree]) -> list[Value]:
    """Return what an aggregated role gathers, in the controller's order."""
    found: list[Value] = []
    named = sorted(roles, key=lambda one: text(one, "/metadata/name"))
    for selector in listing(role, "/aggregationRule/clusterRoleSelectors"):
        for one in named:
            if text(one, "/metadata/name") == text(role, "/metadata/name"):
                continue
            if selected(selector, mapping(one, "/metadata/labels")):
                found += [r for r in listing(one, _RULES) if r not in found]
    return found
