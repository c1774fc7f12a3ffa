"""Nobody of the control plane was forgotten, and nobody is thought of in vain (rule 13)."""

from collections import Counter

import pytest

from countersign.binding import actors, deletions, writes
from countersign.binding.children import DERIVATIONS
from countersign.binding.tables import KINDS
from tools import rights
from tools.rights import Right, judges

RIGHTS = rights.read()
SCOPED = frozenset(
    (key.rpartition("/")[0].rpartition("/")[0], kind.resource)
    for key, kind in KINDS.items()
    if not kind.namespaced
)


@pytest.mark.parametrize("right", RIGHTS, ids=str)
def test_every_right_is_judged(right: Right) -> None:
    """By a row, or refused with a reason; a new one fails until somebody decides."""
    assert judges(right, SCOPED), f"{right}: decide in tools/rights.py"


def test_every_refusal_is_of_a_right() -> None:
    """What a server no longer has, nobody need explain."""
    spoken = {reason for right in RIGHTS for reason in judges(right, SCOPED)}
    reasons = {f"refused: {reason}" for reason in rights.REFUSED.values()}

    assert reasons <= spoken


def test_a_right_that_nobody_knows_is_found() -> None:
    """The test can fail."""
    for right in (
        Right("system:controller:novelty-controller", "create", "", "pods"),
        Right("system:controller:replicaset-controller", "create", "", "secrets"),
        Right("system:controller:job-controller", "delete", "", "configmaps"),
        Right("system:kube-scheduler", "update", "apps", "deployments"),
    ):
        assert not judges(right, SCOPED)


CLOUD = actors.CLOUD | actors.API_SERVER
"""Who has no bootstrap role: the cloud's own manager, and the server itself."""


def test_every_actor_has_the_right() -> None:
    """No row is for somebody whom the server would not let do it."""
    has = Counter(user for right in RIGHTS for user in right.users)
    actors = {
        actor
        for rows in (writes.ROWS, deletions.ROWS, DERIVATIONS.values())
        for row in rows
        for actor in row.actors
    }

    assert {actor for actor in actors if not has[actor]} <= CLOUD
