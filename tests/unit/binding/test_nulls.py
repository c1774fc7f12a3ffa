"""What charts leave empty, ``key:``, is null; tools disagree about what to send for it.

`kubectl create` and server-side apply send it, and the server stores a map's null as the
empty string; client-side `kubectl apply` sends no such key. Both are what was signed.
"""

from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.match import match
from countersign.binding.tree import without_nulls
from tests.support.trees import Tree, deployment, ref, tree

SALT = bytes(range(32))


def differ(manifest: Tree, observed: Tree) -> list[str]:
    """Return where an object differs from the intent of a manifest."""
    intent = canonical(manifest, salt=SALT)
    return [d.path for d in match(intent.tree, observed, identity=ref(observed))]


@pytest.mark.parametrize(
    "kind",
    [pytest.param("ConfigMap"), pytest.param("Secret")],
)
def test_a_null_is_the_empty_value_or_none(kind: str) -> None:
    """And nothing else; an empty value that was spelled out does not go away."""
    signed, spelled = tree(kind, data={"a": None}), tree(kind, data={"a": ""})

    assert differ(signed, tree(kind, data={"a": ""})) == []
    assert differ(signed, tree(kind)) == []
    assert differ(signed, tree(kind, data={"a": "eA=="})) != []
    assert differ(signed, tree(kind, data={"b": ""})) != []
    assert differ(spelled, tree(kind)) != []


def test_a_null_in_a_list_is_the_zero_of_its_type() -> None:
    """Go's decoder leaves the element as it made it."""
    assert differ(deployment(args=[None, "a"]), deployment(args=["", "a"])) == []
    assert differ(deployment(env=[None]), deployment(env=[{}])) == []
    assert differ(deployment(args=[None, "a"]), deployment(args=["a"])) != []


def test_all_nulls_are_sent_or_none_is() -> None:
    """One tool makes one object."""
    signed = tree("ConfigMap", data={"a": None, "b": None})

    assert differ(signed, tree("ConfigMap", data={"a": ""})) != []


def test_a_secret_says_null_of_what_is_null() -> None:
    """There is nothing to hide; text that wins over null is hidden as ever."""
    secret = tree(
        "Secret", data={"a": None, "b": None}, stringData={"a": "x", "c": None}
    )
    data = canonical(secret, salt=SALT).tree["data"]

    assert isinstance(data, dict)
    assert (data["b"], data["c"]) == (None, None)
    assert str(data["a"]).startswith("hmac-sha256:")


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"a": None}, {}),
        ({"a": {"b": None, "c": 0}}, {"a": {"c": 0}}),
        ([None, {"a": None}], [None, {}]),
        ({"a": "", "b": [], "c": False}, {"a": "", "b": [], "c": False}),
    ],
)
def test_only_nulls_of_objects_go(given: Any, left: Any) -> None:
    """In a list null is an element, and its neighbours keep their places."""
    assert without_nulls(given) == left


def test_a_tree_without_any_stays_the_same_one() -> None:
    """So that nothing is compared a second time."""
    whole = {"a": [{"b": 1}], "c": {"d": ""}}

    assert without_nulls(whole) is whole
