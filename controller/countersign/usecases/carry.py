"""Carry: evidence in BundleSets that go before the objects it speaks of."""

from collections.abc import Iterable, Sequence

from countersign.binding.canonical import canonical_json
from countersign.core.errors import OverLimit
from countersign.core.types.artifacts import Json, Tree
from countersign.ports import Detached
from countersign.usecases.deliver import OWN_NAMESPACE
from countersign.usecases.prepare import Prepared, name_of
from countersign.wire.resources import objects as resources
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.resources.bundleset_about import intent_ref
from countersign.wire.resources.kinds import API_VERSION, BUNDLE_SET

Placed = tuple[str, Detached]
"""A BundleSet, and the namespace it lives in."""


def unload(trees: Iterable[Tree]) -> tuple[tuple[Tree, ...], tuple[Placed, ...]]:
    """Take the BundleSets out of what is to be applied.

    Returns:
        The other objects, and the sets, each in their order. Nothing is verified.

    Raises:
        Malformed: something is called a BundleSet, and is none.
    """
    kept: list[Tree] = []
    sets: list[Placed] = []
    for tree in trees:
        if (tree.get("apiVersion"), tree.get("kind")) != (API_VERSION, BUNDLE_SET.name):
            kept.append(tree)
            continue
        bundles, intents = resources.bundle_set(tree)
        name = name_of(tree).partition("/")[2]
        found = Detached(name=name, bundles=bundles, intents=intents)
        sets.append((_namespace(tree.get("metadata")), found))
    return tuple(kept), tuple(sets)


def bundle_sets(
    objects: Sequence[Prepared],
    bundles: Sequence[bytes],
    before: Sequence[Placed] = (),
    *,
    what: str,
) -> tuple[Tree, ...]:
    """Return a BundleSet for each namespace of `objects`, in the order they come.

    Or several for a namespace, where one is too small for all of its objects.

    Args:
        objects: What the evidence is about; what they carry goes in, too.
        bundles: Evidence for all of them.
        before: Sets that were given with them: what is in them stays.
        what: For people, at the front of the names.

    Raises:
        Malformed: there is no bundle, or more than one set may hold.
    """
    spaces = dict.fromkeys(one.ref.namespace or OWN_NAMESPACE for one in objects)
    made: list[Tree] = []
    for place in spaces:
        here = [o for o in objects if (o.ref.namespace or OWN_NAMESPACE) == place]
        kept = [found for where, found in before if where == place]
        ours = {one.ref for one in here}
        others = [
            raw
            for found in kept
            for raw in found.intents
            if intent_ref(raw) not in ours
        ]
        known = [raw for found in kept for raw in found.bundles]
        made += _packed(place, here, [*known, *bundles], others, what)
    return tuple(made)


def _packed(
    place: str,
    here: Sequence[Prepared],
    bundles: Sequence[bytes],
    others: Sequence[bytes],
    what: str,
) -> tuple[Tree, ...]:
    """Return one set, or, of half of the objects each, several."""
    carried = [raw for one in here for raw in one.bundles]
    intents = [canonical_json(one.intent.tree) for one in here]
    try:
        every = [*carried, *bundles]
        return (render_bundle_set(what, every, [*intents, *others], place),)
    except OverLimit:
        half = len(here) // 2
        if not half:
            raise
        return (
            *_packed(place, here[:half], bundles, others, what),
            *_packed(place, here[half:], bundles, (), what),
        )


def _namespace(metadata: Json) -> str:
    return str(metadata.get("namespace", "")) if isinstance(metadata, dict) else ""
