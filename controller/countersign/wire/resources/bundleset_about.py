"""What a BundleSet speaks of, before anything of it is proven.

Enough to find it by: what is found is proven before it counts, and what names nothing
is never found.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, ObjectRef
from countersign.core.types.change import NamespaceWindow
from countersign.core.types.evidence import SignOff
from countersign.core.types.stated import Stated
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.resources.bundleset_spec import MAX_PLAIN
from countersign.wire.strict_json import parse_json


@dataclass(frozen=True, slots=True)
class About:
    """What a set claims to speak of.

    Attributes:
        refs: Objects, by its intents and by the changes of its sign-offs.
        namespaces: Of break-glass windows.
    """

    refs: frozenset[ObjectRef]
    namespaces: frozenset[str]


def about(bundles: Iterable[bytes], intents: Iterable[bytes]) -> About:
    """Return what is named; what cannot be read names nothing."""
    return named(map(stated, bundles), intents)


def stated(raw: bytes) -> Stated | None:
    """Return what a bundle claims, without what only people read; None: unreadable."""
    try:
        said = parse_attestation(parse_bundle(raw).envelope.payload)
    except Malformed:
        return None
    claim = said.claim
    if isinstance(claim, SignOff):  # its answers are most of it
        claim = replace(claim, answers=(), traceability=(), link="")
    return Stated(frozenset(subject.digest for subject in said.subjects), claim)


def named(statements: Iterable[Stated | None], intents: Iterable[bytes]) -> About:
    """Return what statements and intents name; what cannot be read names nothing."""
    refs: set[ObjectRef] = set()
    windows: set[str] = set()
    for raw in intents:
        if described := intent_ref(raw):
            refs.add(described)
    for one in statements:
        claim = one.claim if one is not None else None
        for change in claim.changes if isinstance(claim, SignOff) else ():
            if isinstance(change, NamespaceWindow):
                windows.add(change.namespace)
            else:
                refs.add(change.object)
    return About(frozenset(refs), frozenset(windows))


def intent_ref(raw: bytes) -> ObjectRef | None:
    """Return which object an intent describes, or None if it cannot be read."""
    try:
        tree = parse_json(raw, limit=MAX_PLAIN)
    except Malformed:
        return None
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or not isinstance(metadata, dict):
        return None
    group = _text(tree.get("apiVersion")).rpartition("/")[0]
    names = (_text(metadata.get(k)) for k in ("namespace", "name", "generateName"))
    ref = ObjectRef(group, _text(tree.get("kind")), *names)
    return ref if ref.kind and (ref.name or ref.generate_name) else None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
