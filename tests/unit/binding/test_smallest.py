"""Differences in few words: insertions, renames, orders, and long values.

Faults this was seen to catch: lists aligned by place alone; an order that is passed over.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.binding.causes import MAX_SHOWN, texts
from countersign.binding.smallest import smallest
from countersign.binding.tree import ABSENT, differences

NAMED = st.fixed_dictionaries({"name": st.sampled_from("abcd"), "v": st.integers(0, 2)})
TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from("ab")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(NAMED, max_size=4),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    ),
    max_leaves=12,
)


@given(TREES, TREES)
def test_says_nothing_if_and_only_if_nothing_differs(one: Any, other: Any) -> None:
    """Whatever is said, the verdict of the two walks is the same."""
    found = list(smallest(one, other))

    assert bool(found) == bool(list(differences(one, other)))
    assert all(place.one is not place.other for place in found)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param([1, 2], [1, 3, 2], [("/1", ABSENT, 3)], id="inserted"),
        pytest.param([1, 2, 3], [1, 3], [("/1", 2, ABSENT)], id="taken out"),
        pytest.param([1, 2], [1, 3, 4], [("/1", 2, 3), ("/2", ABSENT, 4)], id="both"),
        pytest.param([1, 2], [2, 1], [("", [1, 2], [2, 1])], id="reordered"),
        pytest.param(
            [{"name": "a"}, {"name": "b", "v": 1}],
            [{"name": "x"}, {"name": "a"}, {"name": "b", "v": 2}],
            [("/0", ABSENT, {"name": "x"}), ("/2/v", 1, 2)],
            id="inserted before one that changed",
        ),
        pytest.param(
            [{"name": "a", "v": 1}, {"name": "b"}],
            [{"name": "b"}, {"name": "a", "v": 2}],
            [("", ["a", "b"], ["b", "a"]), ("/1/v", 1, 2)],
            id="moved and changed",
        ),
        pytest.param(
            {"a": {"old": 1, "b": 2}},
            {"a": {"new": 1, "b": 2}},
            [("/a/new", ABSENT, 1), ("/a/old", 1, ABSENT)],
            id="a key renamed",
        ),
        pytest.param(
            {},
            {"labels": {"a": "b"}},
            [("/labels/a", ABSENT, "b")],
            id="the first of all",
        ),
        pytest.param(
            {"data": {}}, {}, [("/data", {}, ABSENT)], id="an empty one is not none"
        ),
        pytest.param([True], [1], [("/0", True, 1)], id="true is not 1"),
        pytest.param([1.0], [1], [], id="1.0 is 1"),
        pytest.param(
            ["1.0", 1.0], [1, "1.0"], None, id="reordered in another spelling"
        ),
    ],
)
def test_names_the_smallest(one: Any, other: Any, expected: Any) -> None:
    """Not the list, nor the map, that holds it."""
    found = sorted(tuple(place[:3]) for place in smallest(one, other))

    assert len(found) == 2 if expected is None else found == expected


def test_shows_long_values_where_they_differ() -> None:
    """The beginning that is the same helps nobody."""
    long = "x" * 1000

    left, right = texts(f"{long}old{long}", f"{long}new{long}")

    assert left is not None
    assert "xold" in left
    assert len(left) <= MAX_SHOWN
    assert right is not None
    assert "xnew" in right
    assert left[0] == right[0] == "…"
    assert texts("a", ABSENT) == ('"a"', None)
    (cut, _) = texts(long, ABSENT)
    assert cut is not None
    assert cut.startswith('"x')
    assert len(cut) == MAX_SHOWN
