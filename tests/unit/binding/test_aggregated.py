"""Aggregated ClusterRoles: what their controller may write, and nothing else."""

from typing import Any

import pytest

from countersign.binding.aggregated import gathers, is_gathered
from tests.support.trees import Tree, having
from tests.support.world import DEVELOPER, controller, stored, update

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
JOBS = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["*"]}
KEY = "rbac.authorization.k8s.io/aggregate-to-view"


def role(name: str, *rules: Tree, **fields: Any) -> Tree:
    """Return a ClusterRole."""
    labels = fields.pop("labels", {})
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": labels},
        "rules": [*rules],
        **fields,
    }


def aggregated(*rules: Tree, selectors: Any = None) -> Tree:
    """Return the role ``view``, which gathers what has its label."""
    selectors = selectors or [{"matchLabels": {KEY: "true"}}]
    return role("view", *rules, aggregationRule={"clusterRoleSelectors": selectors})


ROLES = [
    role("z", JOBS, PODS, labels={KEY: "true"}),
    role("a", PODS, labels={KEY: "true"}),
    role("other", JOBS),
]


def test_rules_come_in_the_order_of_names_and_once_each() -> None:
    """As the controller writes them."""
    assert is_gathered(aggregated(PODS, JOBS), [*ROLES, aggregated()])


@pytest.mark.parametrize("rules", [(), (JOBS, PODS), (PODS,), (PODS, JOBS, PODS)])
def test_other_rules_are_not_gathered(rules: tuple[Tree, ...]) -> None:
    """Neither less, nor more, nor otherwise."""
    assert not is_gathered(aggregated(*rules), ROLES)


def test_a_role_is_not_gathered_from_itself_or_without_a_rule() -> None:
    """Whatever labels it has."""
    mine = having(aggregated(JOBS), "/metadata/labels", {KEY: "true"})
    assert not is_gathered(mine, [mine])
    assert not is_gathered(role("plain", PODS), ROLES)


def test_an_empty_selector_takes_all() -> None:
    """As the API server reads it."""
    everything = aggregated(PODS, JOBS, selectors=[{"matchExpressions": []}])
    assert is_gathered(everything, ROLES)


def test_only_the_controller_and_only_the_rules() -> None:
    """All else is signed for."""
    old, new = stored(aggregated()), aggregated(PODS)
    plays = controller("clusterrole-aggregation-controller")
    assert gathers(update(old, new, by=plays))
    assert not gathers(update(old, new, by=DEVELOPER))
    widened = having(new, "/aggregationRule/clusterRoleSelectors", [{}])
    assert not gathers(update(old, widened, by=plays))
    assert not gathers(update(old, old, by=plays))
