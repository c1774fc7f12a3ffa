"""What counts as the same when a template is rendered again."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.usecases.renders import unstable

Tree = dict[str, Any]

_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=8,
)
_RENDERS = st.lists(
    st.builds(
        lambda kind, name, data: {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": name},
            "data": data,
        },
        st.sampled_from(["ConfigMap", "Service"]),
        st.sampled_from(["a", "b", "c"]),
        st.dictionaries(st.text(max_size=3), _VALUES, max_size=3),
    ),
    max_size=4,
    unique_by=lambda tree: (tree["kind"], tree["metadata"]["name"]),
)


def shuffled(value: Any, chance: random.Random) -> Any:
    """Return the same with its keys in another order."""
    if isinstance(value, dict):
        items = [(k, shuffled(v, chance)) for k, v in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [shuffled(v, chance) for v in value] if isinstance(value, list) else value


@given(trees=_RENDERS, chance=st.randoms(use_true_random=False))
def test_order_of_documents_and_keys_is_nothing(
    trees: list[Tree], chance: random.Random
) -> None:
    """Helm sorts, other tools do not."""
    again = [shuffled(tree, chance) for tree in trees]
    chance.shuffle(again)

    assert unstable([trees, again]) == ()


@given(trees=_RENDERS.filter(bool), seed=st.integers(0, 99), late=st.integers(1, 3))
def test_any_other_value_is_found_where_it_is(
    trees: list[Tree], seed: int, late: int
) -> None:
    """In whatever rendering it comes, with object and path."""
    other = copy.deepcopy(trees)
    changed = other[seed % len(other)]
    changed["data"]["made-up"] = str(seed)
    renders = [trees] * late + [other]

    (found,) = unstable(renders)

    assert found.about == f"{changed['kind']}/{changed['metadata']['name']}"
    assert found.path == "/data/made-up"
    assert (found.first, found.other) == (None, str(seed))


@given(trees=_RENDERS.filter(bool), seed=st.integers(0, 99))
def test_an_object_that_is_there_at_times(trees: list[Tree], seed: int) -> None:
    """Either way round, and under another name."""
    fewer = [*trees]
    gone = fewer.pop(seed % len(fewer))
    about = f"{gone['kind']}/{gone['metadata']['name']}"

    for renders in ([trees, fewer], [fewer, trees]):
        assert [(one.about, one.path) for one in unstable(renders)] == [(about, "")]


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_values_of_secrets_are_never_told(field: str) -> None:
    """Only where they are."""
    secret: Tree = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}

    (found,) = unstable([[{**secret, field: {"p": v}}] for v in ("hunter2", "tr0ub4")])

    assert found.path == f"/{field}/p"
    assert found.secret
    assert "hunter2" not in repr(found)
    assert "tr0ub4" not in repr(found)


def test_items_in_another_order_differ() -> None:
    """As a map gives them: the server keeps the order of a list."""
    tree: Tree = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}}

    renders: list[list[Tree]] = [[{**tree, "args": a}] for a in ("ab", "ba")]
    for (one,) in renders:
        one["args"] = [*one["args"]]

    (found,) = unstable(renders)

    assert found.path == "/args"
    assert found.reordered
