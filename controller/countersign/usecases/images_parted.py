"""What of all that lies beside an image is about one object, and about one state of it.

Many objects run one image, each in many states, and what was said of them all lies there.
"""

import hashlib
from collections.abc import Collection, Iterable
from functools import lru_cache

from countersign.core.rules.objects import is_about, states_of
from countersign.core.types.artifacts import Algorithm, Digest, ObjectRef
from countersign.core.types.evidence import (
    Build,
    Declaration,
    Evidence,
    Provenance,
    SignOff,
)
from countersign.core.types.stated import Stated
from countersign.usecases.gathered import Gathered
from countersign.wire.resources.bundleset_about import stated

_REMEMBERED, _SMALL = 512, 32 << 10  # statements, and bytes of each bundle: 16 MiB
_LAST = 4
_MAX_UNREADABLE = 4096
# Large ones of others, lists of parts above all, and what was put there to take time:
# 0.4 s for each mebibyte. Sets are safe to share between threads as they are used here.
_UNREADABLE: set[bytes] = set()


def concerning(
    bundles: Iterable[bytes], ref: ObjectRef, images: Collection[Digest]
) -> list[bytes]:
    """Return the bundles that may be about an object, the likeliest first.

    Approvals of other objects are left out by what they say themselves, unproven: proven
    they would say the same. First come approvals of this one, then what names its states,
    builders' words, what names the images, and the rest; what cannot be read is last.

    Args:
        bundles: In any order.
        ref: The object.
        images: Digests of what it runs.
    """
    said = [(raw, _stated(raw)) for raw in bundles]
    approvals = [
        one.claim
        for _, one in said
        if one is not None and isinstance(one.claim, SignOff)
    ]
    states = {c.digest for claim in approvals for c in states_of(claim, ref)}
    ranked = [
        (rank, raw)
        for raw, one in said
        if (rank := _rank(one, ref, states, images)) is not None
    ]
    return [raw for _, raw in sorted(ranked, key=lambda pair: pair[0])]


def _rank(
    one: Stated | None,
    ref: ObjectRef,
    states: Collection[Digest],
    images: Collection[Digest],
) -> int | None:
    """Return how likely a statement is about an object, 0 the most; None: it is not."""
    if one is None:
        return _LAST
    claim = one.claim
    if isinstance(claim, SignOff) and claim.changes:
        return 0 if any(is_about(change, ref) for change in claim.changes) else None
    if not one.digests.isdisjoint(states):
        return 1
    if isinstance(claim, Build):
        return 2
    return 3 if not one.digests.isdisjoint(images) else _LAST


def _stated(raw: bytes) -> Stated | None:
    if len(raw) <= _SMALL:
        return _remembered(raw)
    digest = hashlib.sha256(raw).digest()
    if digest in _UNREADABLE:
        return None
    said = stated(raw)
    if said is None:
        if len(_UNREADABLE) >= _MAX_UNREADABLE:
            _UNREADABLE.clear()
        _UNREADABLE.add(digest)
    return said


@lru_cache(maxsize=_REMEMBERED)  # Pods of one owner show the same again and again
def _remembered(raw: bytes) -> Stated | None:
    return stated(raw)


def part(
    here: Collection[Evidence], into: Gathered, digests: Collection[Digest]
) -> None:
    """Tell approvals of the object beside its images, and what goes with each, apart.

    One image runs in many states of an object, before and after each other, and all that
    was said of them lies beside it. An approval stands for its own state alone, with the
    provenance that it names, and the words about that.

    Args:
        here: What lies beside the images, and nowhere else.
        into: Gets the sets that each piece is of.
        digests: Of the images, and of their platforms.
    """
    approvals = [
        (e, e.claim.inputs)
        for e in here
        if isinstance(e.claim, SignOff) and e.claim.changes
    ]
    made: list[tuple[frozenset[Digest], frozenset[str]]] = []
    for e in here:
        own = frozenset({f"beside an image: {e.bundle}"})
        if isinstance(e.claim, SignOff) and e.claim.changes:
            into.sets[e.bundle] = own
        elif isinstance(e.claim, Provenance):
            into.sets[e.bundle] = _with(e, approvals) or _alone(e, own, digests)
            made.append((e.digests, into.sets[e.bundle]))
    for e in here:
        if isinstance(e.claim, Declaration):
            of = [sets for digests, sets in made if not digests.isdisjoint(e.digests)]
            bound = bool(of) and all(of)
            into.sets[e.bundle] = frozenset().union(*of) if bound else frozenset()


def _with(
    provenance: Evidence, approvals: Iterable[tuple[Evidence, frozenset[Digest]]]
) -> frozenset[str]:
    return frozenset(
        f"beside an image: {approval.bundle}"
        for approval, inputs in approvals
        if provenance.statement in inputs
    )


def _alone(
    provenance: Evidence, own: frozenset[str], digests: Collection[Digest]
) -> frozenset[str]:
    """Return the set of provenance that no approval names; none: it is of images only."""
    hashes = {d for d in provenance.digests if d.algorithm is Algorithm.SHA256}
    return frozenset() if hashes <= {*digests} else own
