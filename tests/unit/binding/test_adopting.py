"""Who takes up an object that nobody controls: told from what an UPDATE changes."""

from typing import Any

import pytest

from countersign.binding.children import DERIVATIONS, adopts, changes_hands, selects
from countersign.core.types.request import (
    AdmissionRequest,
    Requester,
    Resource,
    Verb,
)
from tests.support.trees import Tree, having, pod, ref, tree

OWNERS = "/metadata/ownerReferences"
BARE = having(pod(), "/metadata/labels", {"app": "it", "tier": "web"})


def owner(uid: str = "u", *, controller: bool = True) -> Tree:
    """Return a reference to an owner."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "it",
        "uid": uid,
        **({"controller": True} if controller else {}),
    }


def owned(*owners: Tree, by: Tree = BARE) -> Tree:
    """Return a Pod of some owners."""
    return having(by, OWNERS, [*owners])


def update(old: Tree | None, new: Tree | None) -> AdmissionRequest:
    """Return an UPDATE of a Pod."""
    return AdmissionRequest(
        uid="1",
        verb=Verb.UPDATE,
        resource=Resource("", "v1", "pods"),
        ref=ref(BARE),
        version="v1",
        object=new,
        old=old,
        options=None,
        requester=Requester("x"),
    )


LOOSE = owner("v", controller=False)


@pytest.mark.parametrize(
    ("old", "new", "only"),
    [
        pytest.param(BARE, owned(owner()), True, id="taken up"),
        pytest.param(owned(LOOSE), owned(LOOSE, owner()), False, id="beside another"),
        pytest.param(None, owned(owner()), False, id="made"),
        pytest.param(BARE, None, False, id="taken away"),
        pytest.param(BARE, BARE, False, id="nothing"),
        pytest.param(BARE, owned(LOOSE), False, id="by no controller"),
        pytest.param(owned(owner("w")), owned(owner()), False, id="from another"),
        pytest.param(
            owned(owner()), owned(owner(), LOOSE), False, id="taken up before"
        ),
        pytest.param(
            BARE,
            owned(owner(), by=having(BARE, "/spec/nodeName", "n")),
            False,
            id="and changed",
        ),
        pytest.param(
            BARE,
            owned(owner(), by=having(BARE, "/metadata/labels/app", "x")),
            False,
            id="and labelled",
        ),
    ],
)
def test_adopting_changes_the_owner_alone(
    old: Tree | None, new: Tree | None, *, only: bool
) -> None:
    """From nobody to a controller, which must be the only owner then."""
    assert adopts(update(old, new)) is only


@pytest.mark.parametrize(
    ("old", "new", "taken"),
    [
        (owned(owner("w")), owned(owner()), True),
        (owned(LOOSE, owner("w")), owned(owner()), True),
        (owned(owner()), owned(owner()), False),
        (owned(LOOSE), owned(owner()), False),
        (owned(owner()), owned(LOOSE), False),
        (owned(owner()), BARE, False),
        (None, owned(owner()), False),
    ],
)
def test_what_has_a_controller_is_not_taken(
    old: Tree | None, new: Tree, *, taken: bool
) -> None:
    """Orphaned it may be; another's it may not become."""
    assert changes_hands(old, new) is taken


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({"matchLabels": {"app": "it"}}, True),
        ({"matchLabels": {"app": "it", "tier": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "x", "operator": "Exists"}]}, False),
        ({"matchLabels": {}, "matchExpressions": []}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_selector_selects(selector: Any, *, selected: bool) -> None:
    """Nothing, where it is empty."""
    found = tree("ReplicaSet", "apps/v1", spec={"selector": selector})

    assert selects(found, BARE) is selected


@pytest.mark.parametrize(
    ("selector", "selected"),
    [({"app": "it"}, True), ({"app": "x"}, False), ({}, False), (None, False)],
)
def test_an_old_selector_is_a_map(selector: Any, *, selected: bool) -> None:
    """Of ReplicationControllers."""
    found = tree("ReplicationController", spec={"selector": selector})

    assert selects(found, BARE) is selected


def test_each_way_is_called_by_its_kinds() -> None:
    """By the owner's, and by the last word of the child's."""
    for (parent, child), way in DERIVATIONS.items():
        first, _, last = way.rule.partition("-")
        assert parent.kind.lower() == first
        assert child.kind.lower().endswith(last), way.rule


def test_a_replication_controller_makes_its_own_pods() -> None:
    """It shares the code of ReplicaSets, and not the account."""
    ways = {way.rule: way.actors for way in DERIVATIONS.values()}
    accounts = "system:serviceaccount:kube-system:"

    made = ways["replicationcontroller-pod"]
    assert f"{accounts}replication-controller" in made
    assert f"{accounts}replicaset-controller" not in made
