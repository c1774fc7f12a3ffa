"""The digest of what an installation begins with. A test with real helm has the rest."""

import copy
from typing import Any

import pytest

from countersign.wire.resources.founding import digest
from tests.support import resources as stored


def test_what_the_server_and_tools_add_changes_nothing() -> None:
    """Labels of helm, an uid, field managers."""
    tree: Any = stored.roster()
    shown = copy.deepcopy(tree)
    shown["metadata"] |= {
        "uid": "3b4c",
        "creationTimestamp": "2026-11-22T12:00:00Z",
        "generation": 1,
        "managedFields": [],
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "countersign"},
    }

    assert digest(shown) == digest(tree) is not None


@pytest.mark.parametrize(
    "more",
    [
        {"finalizers": ["a/b"]},
        {"ownerReferences": []},
        {"generateName": "platform-"},
        {"deletionTimestamp": "2026-11-22T12:00:00Z"},
        {"annotations": {"countersign.dev/bundles": "x"}},
        {"name": None},
    ],
)
def test_what_says_more_has_none(more: dict[str, Any]) -> None:
    """It would be let in with what nobody was asked about."""
    tree: Any = stored.roster()
    tree["metadata"] |= more

    assert digest(tree) is None
    assert digest({**stored.roster(), "status": {}}) is None


@pytest.mark.parametrize("field", ["apiVersion", "kind", "spec"])
def test_every_part_counts(field: str) -> None:
    """The name, too."""
    tree: Any = stored.roster()
    named = copy.deepcopy(tree)
    named["metadata"]["name"] = "other"

    assert digest({**tree, field: "other"}) != digest(tree)
    assert digest(named) != digest(tree)


def test_escapes_what_go_escapes() -> None:
    """Line separators: a digest that a chart makes would be another."""
    tree: Any = {**stored.roster(), "spec": {"a": "\u2028<&>é"}}
    plain: Any = {**stored.roster(), "spec": {"a": "\\u2028<&>é"}}

    assert digest(tree) != digest(plain)
