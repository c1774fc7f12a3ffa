"""What the controllers of sets make, to the last field: real ones, and every change."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from countersign.binding.children import DERIVATIONS, comes_from, compare
from countersign.binding.derivations.histories import record_named, template_of
from countersign.binding.derivations.kin import Kin
from countersign.binding.derivations.stateful_sets import sets_of_claim
from countersign.binding.derivations.table import Derivation
from countersign.binding.tree import find
from countersign.core.errors import Malformed
from tests.support.trees import Tree, having
from tests.support.world import ref_of

RECORDED: dict[str, Tree] = json.loads(
    (Path(__file__).parents[2] / "support/recorded/sets.json").read_text()
)
CHILDREN = [name for name in RECORDED if "-" in name]
OWNERS = "/metadata/ownerReferences"


def way(name: str) -> Derivation:
    """Return how a recorded child comes from its owner."""
    (found,) = (w for w in DERIVATIONS.values() if w.rule == name)
    return found


def kin(name: str) -> Kin:
    """Return a recorded child with its owner."""
    return Kin(owner=RECORDED[name.partition("-")[0]], child=RECORDED[name])


def differs(name: str, them: Kin) -> bool:
    """Tell whether a child is not what its owner makes."""
    return bool(compare(way(name), them, ref_of(them.child)))


@pytest.mark.parametrize("name", CHILDREN)
def test_what_a_real_controller_made_is_derived(name: str) -> None:
    """On creation, and as a live object."""
    them = kin(name)

    assert not differs(name, them)
    if name != "statefulset-claim":  # that has no owner to name
        assert comes_from(way(name), them.owner, them.child, ref_of(them.child))


def leaves(tree: Any, path: str = "") -> list[str]:
    """Return where an object has a value."""
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    escaped = ((str(k).replace("~", "~0").replace("/", "~1"), v) for k, v in items)
    found = [leaf for key, value in escaped for leaf in leaves(value, f"{path}/{key}")]
    return found or [path]


_SERVERS = re.compile(
    r"/(apiVersion|kind|status|revision)\b"
    r"|/metadata/(uid|generation|creationTimestamp|namespace|name|generateName)\b"
    r"|.*/serviceAccount$"  # the server takes serviceAccountName, and puts it here
)
_CHOSEN = {
    "statefulset-pod": {"/metadata/labels/controller-revision-hash"},
    "statefulset-revision": {"/metadata/labels/controller.kubernetes.io~1hash"},
    "daemonset-pod": {"/metadata/labels/controller-revision-hash"},
    "daemonset-revision": {"/metadata/labels/controller-revision-hash"},
}
"""What names, and says nothing about what runs."""


@pytest.mark.parametrize("name", CHILDREN)
@given(data=st.data())
def test_any_other_leaf_is_a_difference(name: str, data: st.DataObject) -> None:
    """Seen to fail with a derivation that takes the child's tolerations as they are."""
    them = kin(name)
    known = [leaf for leaf in leaves(them.child) if not _SERVERS.match(leaf)]
    leaf = data.draw(st.sampled_from(known))
    node = leaf.endswith("/matchFields/0/values/0")
    value = data.draw(st.sampled_from(["Evil!", 77, True, ["x"], {"x": "y"}]))
    assume(find(them.child, leaf) is not value)
    try:
        changed = differs(name, replace(them, child=having(them.child, leaf, value)))
    except Malformed:  # no value of that field's type: denied as well
        return

    assert changed or leaf in _CHOSEN.get(name, ()) or node


def test_a_set_makes_only_its_ordinals() -> None:
    """And an old Pod of a set that was scaled down keeps its own."""
    them = kin("statefulset-pod")
    for replicas, start, made in ((2, 0, True), (1, 0, False), (1, 1, True)):
        owner = having(them.owner, "/spec/replicas", replicas)
        owner = having(owner, "/spec/ordinals", {"start": start})

        assert differs("statefulset-pod", replace(them, owner=owner)) is not made
        assert not differs(
            "statefulset-pod", replace(them, owner=owner, old=them.child)
        )


def test_claims_come_in_any_order() -> None:
    """They come from a map; but each once, and before what else there is."""
    them = kin("statefulset-pod")
    (claim,) = RECORDED["statefulset"]["spec"]["volumeClaimTemplates"]
    other = having(claim, "/metadata/name", "wal")
    owner = having(them.owner, "/spec/volumeClaimTemplates", [claim, other])
    data, token = RECORDED["statefulset-pod"]["spec"]["volumes"]
    wal = {"name": "wal", "persistentVolumeClaim": {"claimName": "wal-adopted-1"}}

    def made(*volumes: Tree) -> bool:
        child = having(them.child, "/spec/volumes", [*volumes])
        return not differs("statefulset-pod", replace(them, owner=owner, child=child))

    assert made(data, wal, token)
    assert made(wal, data, token)
    assert not made(data, data, token)
    assert not made(data, token)
    assert not made(data, token, wal)


def test_a_claim_may_be_of_a_set_with_dashes() -> None:
    """Every cut is tried; what is no ordinal has none."""
    assert [*sets_of_claim("data-my-db-0")] == ["my-db", "db"]
    assert [*sets_of_claim("data-db-01")] == []
    assert [*sets_of_claim("data-0")] == []


def test_the_retention_policy_names_the_owner_of_a_claim() -> None:
    """The set, the Pod that was scaled away, or nobody; and foreign owners stay."""
    them = kin("statefulset-claim")
    pod = RECORDED["statefulset-pod"]
    the_set = _reference(RECORDED["statefulset"], "apps/v1", "StatefulSet")
    the_pod = _reference(pod, "v1", "Pod")
    another = {**_reference(pod, "v1", "ConfigMap"), "controller": False}

    def may(
        owners: list[Tree], before: list[Tree], replicas: int = 2, **policy: str
    ) -> bool:
        owner = having(them.owner, "/spec/replicas", replicas)
        path = "/spec/persistentVolumeClaimRetentionPolicy"
        owner = having(owner, path, policy)
        old = having(them.child, OWNERS, before)
        child = having(them.child, OWNERS, owners)
        family = Kin(owner=owner, child=child, old=old, pods=(pod,))
        return not differs("statefulset-claim", family)

    assert may([the_set], [], whenDeleted="Delete")
    assert may([another, the_set], [another], whenDeleted="Delete")
    assert may([the_pod], [the_set], 1, whenDeleted="Delete", whenScaled="Delete")
    assert may([the_set], [the_pod], whenDeleted="Delete", whenScaled="Delete")
    assert may([the_pod], [], 1, whenScaled="Delete")
    assert may([], [the_set])
    assert not may([the_set], [])
    assert not may([the_pod], [], whenScaled="Delete")
    assert not may([the_set], [], whenScaled="Delete")
    assert not may([the_set], [another], whenDeleted="Delete")
    assert not may([{**the_set, "uid": "another"}], [], whenDeleted="Delete")


def _reference(tree: Tree, version: str, kind: str) -> Tree:
    return {
        "apiVersion": version,
        "kind": kind,
        "name": tree["metadata"]["name"],
        "uid": tree["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def test_an_old_claim_keeps_all_else() -> None:
    """Its controller never resizes or relabels it."""
    them = kin("statefulset-claim")
    old = replace(them, old=them.child)
    grown = having(them.child, "/spec/resources/requests/storage", "9Gi")

    assert not differs("statefulset-claim", old)
    assert differs("statefulset-claim", replace(old, child=grown))


def test_a_record_brings_back_a_template_and_nothing_else() -> None:
    """What does more is no record."""
    record = RECORDED["statefulset-revision"]
    template = template_of(record)

    assert template is not None
    assert "$patch" not in template
    for path, value in (
        ("/data/spec/replicas", 3),
        ("/data/metadata", {}),
        ("/data/spec/template/$patch", "merge"),
        ("/data/spec/template", None),
        ("/data", None),
    ):
        assert template_of(having(record, path, value)) is None


def test_a_pod_names_one_of_two_records() -> None:
    """Those that the set's status knows; a DaemonSet's is made of name and hash."""
    them = kin("statefulset-pod")
    named = record_named(them.owner, them.child)
    path = "/metadata/labels/controller-revision-hash"
    node = kin("daemonset-pod")

    assert named == RECORDED["statefulset-revision"]["metadata"]["name"]
    assert not record_named(having(them.owner, "/status", {}), them.child)
    assert not record_named(them.owner, having(them.child, path, "other-bcdf"))
    record = RECORDED["daemonset-revision"]["metadata"]["name"]
    assert record_named(node.owner, node.child) == record


def test_tolerations_take_each_others_place() -> None:
    """One that is alike but for its seconds is replaced where it stands."""
    them = kin("daemonset-pod")
    mine: Tree = {"key": "node.kubernetes.io/not-ready", "operator": "Exists"}
    mine |= {"effect": "NoExecute", "tolerationSeconds": 30}
    path = "/spec/template/spec/tolerations"
    owner = having(them.owner, path, [mine, {"key": "a", "operator": "Exists"}])
    (_, plain, *rest) = RECORDED["daemonset-pod"]["spec"]["tolerations"]
    seen = [plain, {"key": "a", "operator": "Exists"}, *rest]
    child = having(them.child, "/spec/tolerations", seen)

    assert not differs("daemonset-pod", replace(them, owner=owner, child=child))
