"""What to sign of an object that came without a signature.

Its author's manifest is not at hand, only what the server made of it. So whatever the
comparison would put back by itself is taken out again: what the server allocated, what
tools leave on what they apply, what controllers were let through to write. All else
stays, defaults spelled out. Then the very same request equals the intent again, with
other addresses, ports and generated names, and no other request does.
"""

import copy
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from countersign.binding.allocation.inverse import INVERSES, Step
from countersign.binding.argocd import HOOK_FINALIZER
from countersign.binding.besides import NOTHING, Besides
from countersign.binding.canonical import canonical
from countersign.binding.facts import ClusterFacts
from countersign.binding.inherited import (
    KEPT_ANNOTATIONS,
    KEPT_FINALIZERS,
    KEPT_PATHS,
    TOKEN_PATHS,
)
from countersign.binding.kinds import Kinds
from countersign.binding.match import match
from countersign.binding.normal_form import SERVER_OWNED
from countersign.binding.places import places_in
from countersign.binding.tables import kind_key
from countersign.binding.tooling import (
    CHANGE_CAUSE,
    FLUX,
    INSTALLATION_ID,
    MANAGED_BY,
    RELEASE,
    TRACKING_ID,
)
from countersign.binding.tree import Struct, find, token
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Intent, ObjectRef, Tree

_LABELS, _ANNOTATIONS = "/metadata/labels/", "/metadata/annotations/"
_REPLICAS = "/spec/replicas"
_LASTING = frozenset({_REPLICAS, "/metadata/labels", "/spec/storageClassName"})
"""What may stay as it was, and is no controller's: signed as it is seen."""


def propose(
    tree: Tree,
    *,
    identity: ObjectRef,
    old: Tree | None,
    facts: ClusterFacts,
    carried: Iterable[Intent],
    salt: bytes,
    besides: Besides = NOTHING,
) -> Intent | None:
    """Return the intent to sign, so that the very same request is admitted.

    Args:
        tree: The object as the server shows it to a validating webhook.
        identity: What the request says it is about.
        old: The object before an UPDATE; None on CREATE.
        facts: Answers to `facts_needed(tree)`, and the cluster's settings.
        carried: Intents that travel with the object: the first one that it equals is
            the answer.
        salt: For a Secret whose intent does not travel with it: 32 random bytes.
        besides: What every policy that applies lets be there.

    Returns:
        An intent that the object equals; None if there is none: a kind that binding
        does not know, or something in it that nobody could sign for.
    """

    def equals(intent: Tree) -> bool:
        return not match(
            intent, tree, identity=identity, old=old, facts=facts, besides=besides
        )

    try:
        for intent in carried:
            if equals(intent.tree):
                return intent
        rest = _written(tree, identity, salt, facts.kinds)
        for step in _steps(tree, created=old is None, besides=besides):
            less = copy.deepcopy(rest)
            step(less)
            if less != rest and equals(less):
                rest = less
        proposed = canonical(rest, namespace=identity.namespace)
        return proposed if equals(proposed.tree) else None
    except Malformed:
        return None


def _written(tree: Tree, identity: ObjectRef, salt: bytes, kinds: Kinds) -> Struct:
    """Return the object without what only the server owns, Secrets masked."""
    status = kinds.of(tree).status
    kept = {k: v for k, v in tree.items() if k != "status" or not status}
    metadata = kept.get("metadata")
    if not isinstance(metadata, dict):
        raise Malformed("/metadata: expected an object")
    kept["metadata"] = {k: v for k, v in metadata.items() if k not in SERVER_OWNED}
    return dict(canonical(kept, namespace=identity.namespace, salt=salt).tree)


def _steps(tree: Tree, *, created: bool, besides: Besides) -> Iterator[Step]:
    """Yield what may be taken out, if the comparison puts it back."""
    kind = kind_key(tree)
    yield _without(_ANNOTATIONS + token(CHANGE_CAUSE))
    if besides.tools.helm:
        yield _without(_LABELS + token(MANAGED_BY))
        yield _without(*(_ANNOTATIONS + token(key) for key in RELEASE))
    if besides.tools.argocd is not None:
        yield _without(_ANNOTATIONS + token(TRACKING_ID))
        yield _without(_ANNOTATIONS + token(INSTALLATION_ID))
        yield partial(_unfinalized, names=(HOOK_FINALIZER,))
    if besides.tools.flux:
        yield _without(*(_LABELS + token(key) for key in FLUX))
    for field in () if created else besides.fields:
        yield _without(*places_in(tree, field))
    if created:
        if find(tree, "/metadata/generateName"):
            yield _without("/metadata/name")
    else:
        yield from _inherited(tree, kind)
    chosen = _written_fields(tree)
    for inverse in INVERSES.get(kind, ()):
        if chosen.isdisjoint(inverse.fields):
            yield inverse.take


def _inherited(tree: Tree, kind: str) -> Iterator[Step]:
    """Yield what an UPDATE may leave as it was."""
    yield partial(_unfinalized, names=KEPT_FINALIZERS)
    yield _without("/metadata/ownerReferences")
    for key in sorted(KEPT_ANNOTATIONS.get(kind, ())):
        yield _without(_ANNOTATIONS + token(key))
    for path in KEPT_PATHS.get(kind, ()):
        if path not in _LASTING or (path == _REPLICAS and _scaled(tree)):
            yield _without(path)
    if kind == "v1/Secret":
        yield _without(*TOKEN_PATHS)


def _written_fields(tree: Tree) -> frozenset[str]:
    """Return the names of all fields that ``managedFields`` says clients wrote."""
    found: set[str] = set()
    rest = [entry.get("fieldsV1") for entry in _managers(tree)]
    while rest:
        fields = rest.pop()
        if isinstance(fields, dict):
            found.update(k.removeprefix("f:") for k in fields if k.startswith("f:"))
            rest += fields.values()
    return frozenset(found)


def _managers(tree: Tree) -> list[Struct]:
    entries = find(tree, "/metadata/managedFields")
    listed = entries if isinstance(entries, list) else []
    return [entry for entry in listed if isinstance(entry, dict)]


def _scaled(tree: Tree) -> bool:
    """Tell whether the number of replicas was set by scaling, not by a manifest.

    What ``managedFields`` says is only a hint at what to leave open: then it may stay
    as it was, and no more.
    """
    return any(entry.get("subresource") == "scale" for entry in _managers(tree))


def _unfinalized(tree: Struct, *, names: Collection[str]) -> None:
    kept = tree["metadata"].pop("finalizers", None) or []
    if rest := [name for name in kept if name not in names]:
        tree["metadata"]["finalizers"] = rest


def _without(*paths: str) -> Step:
    """Take out what is at these JSON pointers, and maps that are empty then."""

    def step(tree: Struct) -> None:
        for path in paths:
            _drop(tree, path)

    return step


def _drop(tree: Struct, path: str) -> None:
    where, _, last = path.rpartition("/")
    parent = find(tree, where)
    if type(parent) is dict:
        parent.pop(last.replace("~1", "/").replace("~0", "~"), None)
        if not parent and where:
            _drop(tree, where)
