"""Intents beside an object: one that cannot be read is in nobody else's way."""

from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.custom.definition import compile_definition
from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import Kinds
from countersign.core.errors import Malformed
from countersign.usecases.bind import Sight, bind
from countersign.usecases.gathered import Gathered
from tests.support import a
from tests.support.trees import Tree, ref
from tests.unit.binding.test_custom import definition, widget

KNOWN = Kinds(compile_definition(definition()))


def nested(depth: int) -> Tree:
    """Return objects in objects."""
    tree: Tree = {}
    for _ in range(depth):
        tree = {"a": tree}
    return tree


def bound(*intents: Tree) -> int:
    """Return how many of some intents an object equals."""
    observed = widget(size=1)
    sight = Sight(
        tree=observed,
        identity=ref(observed),
        old=None,
        facts=ClusterFacts(kinds=KNOWN),
    )
    read = [canonical(intent) for intent in intents]
    return len(bind(sight, Gathered(intents=read), a.policy())[0])


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param({"free": nested(600)}, id="nested"),
        pytest.param({"pod": {"metadata": "x"}}, id="no metadata"),
    ],
)
def test_junk_does_not_hide_what_was_signed(junk: dict[str, Any]) -> None:
    """Before it or after it; alone it says why nothing is bound."""
    assert bound(widget(**junk), widget()) == 1
    assert bound(widget(), widget(**junk)) == 1
    with pytest.raises(Malformed):
        bound(widget(**junk))
