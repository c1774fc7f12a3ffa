"""Where a policy holds, as far as that can be read."""

from typing import Any

import pytest

from countersign.binding import surface
from countersign.core.types.artifacts import GroupKind
from countersign.core.types.policy import Policy
from countersign.wire.resources import objects, scope
from countersign.wire.resources.resolve import resolve
from tests.support import resources as stored


def resolved(tree: dict[str, Any]) -> Policy:
    """Resolve a policy in a world where its roster and trust roots are."""
    return resolve(
        "payments",
        objects.policy(tree),
        [objects.roster(stored.roster())],
        ["public-good", "local-keys", "corp"],
    )


class TestScope:
    """What a policy says of its scope."""

    @pytest.mark.parametrize(
        ("said", "kinds"),
        [
            ("recommended", scope.RECOMMENDED),
            ("none", frozenset()),
            ([{"kind": "PersistentVolume"}], {GroupKind("", "PersistentVolume")}),
        ],
    )
    def test_judges_the_cluster_scoped_kinds_it_names(
        self, said: Any, kinds: frozenset[GroupKind]
    ) -> None:
        """Whatever the preset says."""
        for preset in ("default", "sox"):
            protect = {"namespaces": ["payments"], "clusterScoped": said}
            policy = resolved(stored.policy(protect=protect, preset=preset))
            assert policy.scope.cluster_scoped == kinds


class TestScopeOfAnInvalidPolicy:
    """What a policy that cannot be read denies."""

    def test_is_what_it_says_where_that_can_be_read(self) -> None:
        """A slip elsewhere does not widen it."""
        tree = stored.full_policy()
        tree["spec"]["typo"] = 1

        assert scope.scope_left(tree) == resolved(stored.full_policy()).scope

    def test_is_wide_where_protect_itself_is_misspelt(self) -> None:
        """Then no exclusion can be believed."""
        tree = stored.policy(protect={"namespaces": ["payments"], "exlude": []})

        left = scope.scope_left(tree)

        assert left is not None
        assert left.namespaces == ("payments",)
        assert left.cluster_scoped == scope.RECOMMENDED

    def test_takes_the_strict_side_of_an_unknown_preset(self) -> None:
        """The preset decides about cluster-scoped kinds."""
        left = scope.scope_left(stored.policy(preset="defualt"))

        assert left is not None
        assert left.cluster_scoped == scope.RECOMMENDED

    @pytest.mark.parametrize(
        "spec",
        [
            None,
            [],
            {},
            {"protect": ["payments"]},
            {"protect": {"namespace": "payments"}},
            {"protect": {"namespaces": "payments"}},
            {"protect": {"namespaces": []}},
            {"protect": {"namespaces": ["payments", 7]}},
            {"protect": {"namespaces": ["Payments"]}},
        ],
    )
    def test_is_everything_protected_where_nothing_can_be_read(
        self, spec: dict[str, Any]
    ) -> None:
        """Doubt denies."""
        assert scope.scope_left({"spec": spec}) is None


def test_both_tables_of_recommended_kinds_agree() -> None:
    """`wire` may not import `binding`, so each has the list it needs."""
    assert scope.RECOMMENDED == surface.RECOMMENDED
