"""Aggregated ClusterRoles: what their controller may write, and nothing else."""

from typing import Any

import pytest

from countersign.binding.aggregated import comes_closer, gathers, is_gathered
from tests.support.trees import Tree, having
from tests.support.world import DEVELOPER, controller, stored, update

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
JOBS = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["*"]}
LOGS = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
WIDER = {**JOBS, "apiGroups": ["*"]}
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


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        pytest.param((), (PODS,), True, id="one of two that came"),
        pytest.param((PODS, LOGS), (PODS, LOGS), True, id="one that goes, not yet"),
        pytest.param((LOGS, SECRETS), (LOGS,), True, id="one of two that go"),
        pytest.param((LOGS,), (PODS, LOGS), True, id="one that came, one that stays"),
        pytest.param((PODS,), (PODS, SECRETS), False, id="more than there ever was"),
        pytest.param((PODS, LOGS), (LOGS,), False, id="one that is due is gone"),
        pytest.param((PODS, JOBS), (), False, id="all that is due is gone"),
        pytest.param((PODS,), (PODS, WIDER), False, id="a due rule made wider"),
    ],
)
def test_a_write_of_a_moment_ago_is_on_its_way(
    old: tuple[Tree, ...], new: tuple[Tree, ...], *, holds: bool
) -> None:
    """The controller lags behind the roles; it gives and takes nothing but what is due."""
    roles = [*ROLES, aggregated(*old)]

    assert comes_closer(aggregated(*old), aggregated(*new), roles) is holds


def test_a_role_without_a_rule_of_aggregation_comes_closer_to_nothing() -> None:
    """Even one whose rules go: somebody signed for them."""
    assert not comes_closer(role("plain", PODS), role("plain"), ROLES)


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
