"""Carry: evidence in BundleSets that go before the objects it speaks of."""

from collections.abc import Iterable, Sequence

from countersign.binding.canonical import canonical_json
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

    Args:
        objects: What the evidence is about; what they carry goes in, too.
        bundles: Evidence for all of them.
        before: Sets that were given with them: what is in them stays.
        what: For people, at the front of the names.

    Raises:
        Malformed: there is no bundle, or more than one set may hold.
    """
    spaces = dict.fromkeys(one.ref.namespace or OWN_NAMESPACE for one in objects)
    return tuple(_set(place, objects, bundles, before, what) for place in spaces)


def _set(
    place: str,
    objects: Sequence[Prepared],
    bundles: Sequence[bytes],
    before: Sequence[Placed],
    what: str,
) -> Tree:
    here = [o for o in objects if (o.ref.namespace or OWN_NAMESPACE) == place]
    kept = [found for where, found in before if where == place]
    ours = {one.ref for one in here}
    others = [r for found in kept for r in found.intents if intent_ref(r) not in ours]
    carried = [
        *(raw for found in kept for raw in found.bundles),
        *(raw for one in here for raw in one.bundles),
    ]
    intents = [canonical_json(one.intent.tree) for one in here]
    return render_bundle_set(what, [*carried, *bundles], [*intents, *others], place)


def _namespace(metadata: Json) -> str:
    return str(metadata.get("namespace", "")) if isinstance(metadata, dict) else ""
