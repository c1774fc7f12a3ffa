"""The rules of aggregated roles: what is gathered from the live ones, or on its way."""

import pytest

from countersign.core.types.artifacts import GroupKind
from countersign.core.types.policy import Scope
from countersign.core.types.verdict import Door, Reason
from tests.support import a
from tests.support.trees import Tree
from tests.support.world import World, controller, stored, update

KEY = "rbac.authorization.k8s.io/aggregate-to-edit"
BY = controller("clusterrole-aggregation-controller")


def rule(resource: str) -> Tree:
    """Return a rule about one resource."""
    return {"apiGroups": ["example.com"], "resources": [resource], "verbs": ["get"]}


def role(name: str, *resources: str, **fields: Tree) -> Tree:
    """Return a ClusterRole that ``edit`` gathers, unless it is the role itself."""
    labels = {} if fields else {KEY: "true"}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": labels},
        "rules": [rule(each) for each in resources],
        **fields,
    }


def edit(*resources: str) -> Tree:
    """Return the role that gathers the others."""
    selectors = [{"matchLabels": {KEY: "true"}}]
    return role("edit", *resources, aggregationRule={"clusterRoleSelectors": selectors})


@pytest.mark.parametrize(
    ("written", "passes"),
    [
        pytest.param(("stays",), True, id="what is live"),
        pytest.param(("stays", "goes"), True, id="one of two that went"),
        pytest.param(("stays", "goes", "secrets"), False, id="what nobody signed for"),
        pytest.param(("goes",), False, id="less than is live"),
    ],
)
async def test_the_controller_may_be_a_moment_behind(
    written: tuple[str, ...], *, passes: bool
) -> None:
    """Two of its three roles were deleted, and it has heard of one."""
    kinds = frozenset({GroupKind("rbac.authorization.k8s.io", "ClusterRole")})
    scope = Scope(namespaces=(a.NAMESPACE,), cluster_scoped=kinds)
    world = World(policies=(a.policy(scope=scope),))
    world.cluster.store(role("a", "stays"))
    old = stored(edit("stays", "goes", "went"))
    verdict = await world.judge(update(old, edit(*written), by=BY))

    if passes:
        (basis,) = verdict.bases
        assert (basis.door, basis.rule) == (Door.DERIVED, "aggregated")
    else:
        assert a.reasons(verdict) == {Reason.OWNER_UNPROVEN}
