"""What an UPDATE changes, and the forms that a change may take."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.binding.edits import (
    NUMBER,
    NUMBERS,
    TIME,
    changes,
    count,
    filled,
    filled_bytes,
    lets_owners_go,
    removes,
    toggles,
    written,
)
from countersign.binding.tree import ABSENT

keys = st.sampled_from(["a", "b", "metadata", "spec"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x", "1"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=6,
)
trees = st.dictionaries(keys, values, max_size=3)


@given(trees, trees)
def test_every_difference_is_a_change(one: Any, other: Any) -> None:
    """JSON's own equality decides: true is not 1. Fails if maps are not looked into."""
    found = list(changes(one, other))

    assert bool(found) is not (repr(_plain(one)) == repr(_plain(other)))
    assert all(repr(before) != repr(after) for _, before, after in found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def test_the_servers_own_count_is_no_change() -> None:
    """Seen to fail when metadata that differed in nothing else became one change."""
    old: Any = {"metadata": {"name": "it", "resourceVersion": "1", "generation": 1}}
    new = copy.deepcopy(old)
    new["metadata"] |= {"resourceVersion": "2", "generation": 2, "managedFields": [{}]}

    assert list(changes(old, new)) == []
    deeper: Any = {"spec": {"metadata": {"generation": 2}}}
    assert [path for path, _, _ in changes({}, deeper)] == ["/spec/metadata/generation"]


def test_maps_are_told_apart_by_key_and_lists_are_not() -> None:
    """So that an edit names one annotation, and a finalizer is seen in its list."""
    old: Any = {"metadata": {"labels": {"a/b": "1"}, "finalizers": ["x"]}}
    new: Any = {
        "metadata": {"labels": {"a/b": "2", "c": "3"}, "finalizers": ["x", "y"]}
    }

    assert list(changes(old, new)) == [
        ("/metadata/finalizers", ["x"], ["x", "y"]),
        ("/metadata/labels/a~1b", "1", "2"),
        ("/metadata/labels/c", ABSENT, "3"),
    ]


def test_an_empty_map_is_not_nothing() -> None:
    """A selector of everything is another thing than no selector."""
    assert list(changes({}, {"podSelector": {}})) == [("/podSelector", ABSENT, {})]


OWNER = {"name": "a", "uid": "1", "controller": True, "blockOwnerDeletion": True}
OTHER = {"name": "b", "uid": "2"}


@pytest.mark.parametrize(
    ("form", "before", "after", "fits"),
    [
        pytest.param(written(NUMBER), "1", "2", True, id="a number for a number"),
        pytest.param(written(NUMBER), ABSENT, "1", True, id="a number for nothing"),
        pytest.param(written(NUMBER), "1", ABSENT, False, id="nothing for a number"),
        pytest.param(written(NUMBER), "1", "1 ", False, id="a number and a space"),
        pytest.param(written(NUMBER), "1", "٣", False, id="another script's digit"),
        pytest.param(written(NUMBER), "1", "1\n", False, id="a number and a line end"),
        pytest.param(written(NUMBER), "1", 2, False, id="no text"),
        pytest.param(written(NUMBERS), "1", "1,2", True, id="a history"),
        pytest.param(written(NUMBERS), "1", "1,,2", False, id="a hole in it"),
        pytest.param(
            written(TIME), ABSENT, "2026-11-22T12:00:00+01:00", True, id="a time"
        ),
        pytest.param(written(TIME), ABSENT, "now", False, id="no time"),
        pytest.param(filled(NUMBER), ABSENT, "1", True, id="filled in"),
        pytest.param(filled(NUMBER), "1", "2", False, id="filled in over something"),
        pytest.param(filled_bytes, ABSENT, "YQ==", True, id="bytes"),
        pytest.param(filled_bytes, "YQ==", "Yg==", False, id="other bytes"),
        pytest.param(filled_bytes, ABSENT, "%", False, id="no base64"),
        pytest.param(count, 1, 0, True, id="down to zero"),
        pytest.param(count, 1, -1, False, id="below zero"),
        pytest.param(count, 1, True, False, id="a truth for a number"),
        pytest.param(removes("x"), ["x", "y"], ["y"], True, id="one goes"),
        pytest.param(removes("x"), ["x"], ABSENT, True, id="the last one goes"),
        pytest.param(removes("x"), ["x"], [], True, id="the last one, spelled out"),
        pytest.param(removes("x"), ["x", "y"], ["x"], False, id="another goes"),
        pytest.param(removes("x"), ["y"], ["x", "y"], False, id="one comes"),
        pytest.param(removes("x"), ["y", "z"], ["z", "y"], False, id="others move"),
        pytest.param(removes("x"), ["x"], None, False, id="null for a list"),
        pytest.param(removes("x"), ["x"], {}, False, id="a map for a list"),
        pytest.param(toggles("x"), ABSENT, ["x"], True, id="it comes"),
        pytest.param(toggles("x"), ["y", "x"], ["y"], True, id="it goes"),
        pytest.param(toggles("x"), ["y"], ["x"], False, id="another goes with it"),
        pytest.param(toggles("x"), ["y"], "x", False, id="a text for a list"),
        pytest.param(lets_owners_go, [OWNER, OTHER], [OTHER], True, id="one is let go"),
        pytest.param(lets_owners_go, [OWNER], ABSENT, True, id="all are let go"),
        pytest.param(
            lets_owners_go,
            [OWNER],
            [{**OWNER, "blockOwnerDeletion": False}],
            True,
            id="it blocks no more",
        ),
        pytest.param(lets_owners_go, ABSENT, [OWNER], False, id="an owner comes"),
        pytest.param(lets_owners_go, [OWNER], [OWNER, OWNER], False, id="twice"),
        pytest.param(
            lets_owners_go, [OWNER], [{**OWNER, "uid": "2"}], False, id="another owner"
        ),
        pytest.param(
            lets_owners_go,
            [OTHER],
            [{**OTHER, "controller": True}],
            False,
            id="an owner becomes the controller",
        ),
        pytest.param(lets_owners_go, [OWNER], "x", False, id="a text for owners"),
    ],
)
def test_a_step_fits_its_form_or_not(
    form: Any, before: Any, after: Any, *, fits: bool
) -> None:
    """Each form allows one kind of step, in one direction."""
    assert form(before, after) is fits
