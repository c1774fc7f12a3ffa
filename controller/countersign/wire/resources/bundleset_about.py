"""What a BundleSet speaks of, before anything of it is proven.

Enough to find it by: what is found is proven before it counts, and what names nothing
is never found.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, ObjectRef
from countersign.core.types.change import Change, NamespaceWindow
from countersign.core.types.evidence import SignOff
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.resources.bundleset_spec import MAX_PLAIN
from countersign.wire.strict_json import parse_json


@dataclass(frozen=True, slots=True)
class About:
    """What a set claims to speak of.

    Attributes:
        objects: By its intents, and by the changes of its sign-offs. API versions where
            an intent tells one, else ``""``.
        namespaces: Of break-glass windows.
    """

    objects: frozenset[tuple[str, ObjectRef]]
    namespaces: frozenset[str]

    @property
    def refs(self) -> frozenset[ObjectRef]:
        """The objects, without versions."""
        return frozenset(ref for _, ref in self.objects)


def about(bundles: Iterable[bytes], intents: Iterable[bytes]) -> About:
    """Return what is named; what cannot be read names nothing."""
    objects: set[tuple[str, ObjectRef]] = set()
    windows: set[str] = set()
    for raw in intents:
        if found := _described(raw):
            objects.add(found)
    for raw in bundles:
        for change in _changes(raw):
            if isinstance(change, NamespaceWindow):
                windows.add(change.namespace)
            else:
                objects.add(("", change.object))
    return About(frozenset(objects), frozenset(windows))


def intent_ref(raw: bytes) -> ObjectRef | None:
    """Return which object an intent describes, or None if it cannot be read."""
    found = _described(raw)
    return None if found is None else found[1]


def _described(raw: bytes) -> tuple[str, ObjectRef] | None:
    try:
        tree = parse_json(raw, limit=MAX_PLAIN)
    except Malformed:
        return None
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or not isinstance(metadata, dict):
        return None
    group, _, version = _text(tree.get("apiVersion")).rpartition("/")
    names = (_text(metadata.get(k)) for k in ("namespace", "name", "generateName"))
    ref = ObjectRef(group, _text(tree.get("kind")), *names)
    return (version, ref) if ref.kind and (ref.name or ref.generate_name) else None


def _changes(raw: bytes) -> tuple[Change, ...]:
    try:
        claim = parse_attestation(parse_bundle(raw).envelope.payload).claim
    except Malformed:
        return ()
    return claim.changes if isinstance(claim, SignOff) else ()


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
