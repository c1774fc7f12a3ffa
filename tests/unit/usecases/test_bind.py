"""Intents beside an object: one that cannot be read is in nobody else's way."""

from typing import Any

import pytest

from countersign.binding.canonical import canonical
from countersign.binding.custom.definition import compile_definition
from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import Kinds
from countersign.core.errors import Malformed
from countersign.core.types.evidence import Evidence
from countersign.usecases.bind import Sight, bind, bind_old
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


def before(*evidence: Evidence) -> tuple[Evidence, ...]:
    """Return what of `evidence` speaks of a Pod that ran an image and was signed."""
    pod: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "payments", "uid": "1"},
        "spec": {"containers": [{"name": "c", "image": f"acme/x@{a.OLD_IMAGE}"}]},
    }
    plain = {**pod, "metadata": {"name": "p", "namespace": "payments"}}
    intent = canonical(plain)
    word = a.sign_off(changes=(a.state(ref(plain), intent.digest),), saw=[])
    sight = Sight(tree=pod, identity=ref(pod), old=pod, facts=ClusterFacts())
    gathered = Gathered(intents=[intent], evidence=[word, *evidence])
    state = bind_old(sight, gathered, a.policy(), None)
    assert word in state.evidence
    return tuple(e for e in state.evidence if e != word)


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


def test_the_source_of_what_ran_is_part_of_the_old_state() -> None:
    """As far as something says that what ran was built of it."""
    build = a.build(a.OLD_IMAGE, target="app")
    made = a.provenance(target="app", subjects=[])
    other = a.provenance(target="other", subjects=[])
    approval = a.sign_off(changes=(), subjects=[a.tree("app")])

    assert before(build, made, other, approval) == (build, made, approval)
    assert before(a.build(target="app"), made, other, approval) == ()
