"""Binding over the whole corpus, without a server.

Each property names the fault it was seen to catch.
"""

import copy
import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from countersign.binding.canonical import canonical, canonical_json, read_intent
from countersign.binding.images import images
from countersign.binding.match import match, same
from countersign.binding.normal_form import normal_form
from countersign.binding.references import parse_reference
from countersign.binding.scalars import nanos, quantity_text
from countersign.binding.tree import ABSENT, differences, put, token
from countersign.core.errors import Malformed
from countersign.wire.annotations import (
    BUNDLES,
    INTENT,
    Carried,
    read_annotations,
    render_annotations,
)
from countersign.wire.manifests import parse_manifests
from tests.support.corpus import by_kind
from tests.support.mutations import stepped, steps
from tests.support.trees import Tree, ref

SALT = bytes(range(32))


MANIFESTS = list(itertools.chain(*by_kind("here").values()))
STEPS = {id(manifest): steps(manifest) for manifest in MANIFESTS}
manifests = st.sampled_from(MANIFESTS)
pairs = manifests.flatmap(
    lambda m: st.sampled_from(STEPS[id(m)]).map(lambda step: (m, stepped(m, step)))
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(value: Any, path: str = "") -> list[str]:
    """Return the JSON pointers of everything in a tree."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths(item, f"{path}/{token(key)}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += paths(item, f"{path}/{index}")
    return found


def shuffled(value: Any, order: st.DataObject) -> Any:
    """Return an equal tree whose keys come in another order."""
    if isinstance(value, dict):
        keys = order.draw(st.permutations(list(value)))
        return {key: shuffled(value[key], order) for key in keys}
    return (
        [shuffled(item, order) for item in value] if isinstance(value, list) else value
    )


@given(manifests)
def test_an_intent_is_read_back_as_itself(manifest: Tree) -> None:
    """Caught: nulls left in structs; a masked Secret masked again."""
    intent = canonical(manifest, salt=SALT)

    assert read_intent(canonical_json(intent.tree)) == intent
    assert canonical(intent.tree) == intent


@given(manifests, st.data())
def test_the_order_of_keys_means_nothing(manifest: Tree, data: st.DataObject) -> None:
    """Caught: a digest over the order of insertion."""
    other = shuffled(manifest, data)

    assert canonical(other, salt=SALT) == canonical(manifest, salt=SALT)
    assert normal_form(other) == normal_form(manifest)


@given(pairs)
def test_a_normal_form_has_itself_as_normal_form(pair: tuple[Tree, Tree]) -> None:
    """Caught: a default that depends on another default, applied too early."""
    for tree in pair:
        try:
            form = normal_form(tree)
        except Malformed:
            continue

        assert normal_form(form) == form


@given(pairs)
def test_what_has_another_normal_form_matches_only_by_a_rule(
    pair: tuple[Tree, Tree],
) -> None:
    """Without an old object and facts, only what a rule of allocation writes is free.

    And a null in a map of texts, which some ways to apply drop.

    Caught: a comparison that stops at the first list of equal length; a rule that takes
    labels, priority classes or volumes from what it sees.
    """
    manifest, mutant = pair
    try:
        intent, seen = canonical(manifest, salt=SALT).tree, normal_form(mutant)
        found = match(intent, mutant, identity=ref(mutant), old=None)
    except Malformed:
        return
    raw = [
        path
        for path, was, now in differences(normal_form(manifest), seen)
        if not (path == NULL and (was, now) == ("", ABSENT))
    ]
    if not raw:
        return

    assert found or all(path.startswith(ALLOCATED) for path in raw), raw


NULL = "/data/nothing"  # of the corpus; the server makes the empty text of it
ALLOCATED = (
    "/metadata/annotations/deprecated.daemonset.template.generation",
    "/metadata/annotations/kubernetes.io~1change-cause",
    "/metadata/finalizers",
    "/spec/clusterIP",
    "/spec/dataSource",
    "/spec/extra",
    "/spec/finalizers",
    "/spec/groups",
    "/spec/ipFamil",
    "/spec/ports",
    "/spec/healthCheckNodePort",
    "/spec/preemptionPolicy",
    "/spec/priority",
    "/spec/resources",
    "/spec/selector",
    "/spec/serviceAccount",
    "/spec/tolerations",
    "/spec/uid",
    "/spec/username",
)


@given(manifests, json_values, st.data())
def test_nonsense_raises_nothing_but_malformed(
    manifest: Tree, nonsense: Any, data: st.DataObject
) -> None:
    """Whatever stands wherever in an object. Caught: a KeyError in a default."""
    broken = copy.deepcopy(manifest)
    put(broken, data.draw(st.sampled_from(paths(manifest))), nonsense)
    intent = canonical(manifest, salt=SALT).tree
    for judge in (
        lambda: canonical(broken, salt=SALT),
        lambda: match(intent, broken, identity=ref(manifest), old=broken),
        lambda: same(manifest, broken),
        lambda: images(broken),
    ):
        try:
            judge()
        except Malformed:
            continue


@given(st.integers(-(10**40), 10**40))
def test_quantities_survive_being_written(amount: int) -> None:
    """Caught: a binary suffix for what is no multiple; the sign lost."""
    assert nanos(quantity_text(amount)) == amount or abs(amount) > 2**63 * 10**9


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_manifests_or_malformed(raw: bytes) -> None:
    """Caught: YAML's own errors, and recursion."""
    try:
        parse_manifests(raw)
        read_intent(raw)
    except Malformed:
        return


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_none(text: str) -> None:
    """A repository always names its registry, so that patterns cannot be fooled."""
    found = parse_reference(text)

    assert found is None or "/" in found.repository


@given(
    st.lists(st.dictionaries(st.text(), st.text() | st.integers(0, 9), max_size=3)),
    st.binary(max_size=300),
)
def test_what_is_carried_arrives(bundles: list[dict[str, Any]], intent: bytes) -> None:
    """Caught: a bundle cut at a brace inside a string."""
    carried = Carried(tuple(canonical_json(b) for b in bundles), intent)

    assert read_annotations(render_annotations(carried)) == carried


@given(st.text(max_size=200), st.sampled_from([BUNDLES, INTENT]))
def test_any_annotation_is_read_or_malformed(text: str, key: str) -> None:
    """Anybody may write there."""
    try:
        read_annotations({key: text})
    except Malformed:
        return


@given(json_values, json_values)
def test_differences_are_typed_and_complete(one: Any, other: Any) -> None:
    """Caught: true taken for 1; a list compared up to the shorter one's end."""
    found = list(differences(one, other))

    assert bool(found) is (not identical(one, other))
    assert list(differences(one, copy.deepcopy(one))) == []
    assert all(left is not ABSENT or right is not ABSENT for _, left, right in found)


def identical(one: Any, other: Any) -> bool:
    """Compare by hand, as JSON does: 1.0 is 1, true is not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            identical(one[key], other[key]) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(identical, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
