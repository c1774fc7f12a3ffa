"""Differences of trees, and places in them."""

from typing import Any

import pytest

from countersign.binding.tree import ABSENT, differences, find, put


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("/a", 1, True)]),
        ([0, "x"], [False, "x"], [("/0", 0, False)]),
        ({"a": "80"}, {"a": 80}, [("/a", "80", 80)]),
        ({"a": None}, {}, [("/a", None, ABSENT)]),
        ({}, {"a": {}}, [("/a", ABSENT, {})]),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, [("/a/b/0", 1, 2)]),
        ([1, 2], [1, 3, 2], [("/1", ABSENT, 3)]),
        ([1, 2, 3, 4], [1, 4], [("/1", 2, ABSENT), ("/2", 3, ABSENT)]),
        ([], ["x"], [("/0", ABSENT, "x")]),
        ([1, 1], [1, 1, 1], [("/2", ABSENT, 1)]),
        ([1, 2], [3, 2, 1], [("", [1, 2], [3, 2, 1])]),
        ([1, 2], [1, 5, 6], [("", [1, 2], [1, 5, 6])]),
        ({"a": []}, {"a": {}}, [("/a", [], {})]),
    ],
)
def test_names_the_deepest_places(one: Any, other: Any, found: list[Any]) -> None:
    """With types as JSON knows them, and what was put into or out of a list."""
    assert list(differences(one, other)) == found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", {"a/b": [{"c~d": 1}]}),
        ("/a~1b", [{"c~d": 1}]),
        ("/a~1b/0/c~0d", 1),
        ("/a~1b/1", ABSENT),
        ("/a~1b/-1", ABSENT),
        ("/a~1b/0/c~0d/e", ABSENT),
        ("/x/y", ABSENT),
    ],
)
def test_finds_places(path: str, value: Any) -> None:
    """JSON pointers (RFC 6901); what is not there is absent, not an error."""
    assert find({"a/b": [{"c~d": 1}]}, path) == value


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("/a/b", {"a": {"b": 7}, "l": [0]}),
        ("/x/y~1z", {"a": {}, "l": [0], "x": {"y/z": 7}}),
        ("/l/0", {"a": {}, "l": [7]}),
        ("/l/1", {"a": {}, "l": [0]}),
        ("/l/1/z", {"a": {}, "l": [0]}),
    ],
)
def test_puts_values(path: str, after: Any) -> None:
    """Objects are made on the way; places in lists are not."""
    tree: Any = {"a": {}, "l": [0]}
    put(tree, path, 7)

    assert tree == after
