"""The annotations that carry evidence on the object itself.

``countersign.dev/bundles`` holds a list of Sigstore bundles, ``countersign.dev/intent``
the canonical intent; both are compressed with gzip and written in base64. Whoever can
write an object can write anything here: sizes are bounded before and while anything is
inflated.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache, cached

from countersign.core.errors import Malformed, OverLimit
from countersign.core.types.artifacts import Json
from countersign.wire import packed
from countersign.wire.strict_json import parse_json

PREFIX = "countersign.dev/"
BUNDLES = f"{PREFIX}bundles"
INTENT = f"{PREFIX}intent"
KNOWN = frozenset({BUNDLES, INTENT})  # all that is read; others are refused

MAX_PACKED = 256 * 2**10  # characters; Kubernetes' own limit on all annotations
MAX_INFLATED = 2**20  # bytes
MAX_RATIO = 100  # inflated to packed bytes; JSON of certificates stays below 10
_REMEMBERED = 8 * 2**20  # bytes of bundles that need not be unpacked again


@dataclass(frozen=True, slots=True)
class Carried:
    """What an object carries.

    Attributes:
        bundles: Sigstore bundles as JSON bytes, in their order; not verified.
        intent: Canonical JSON of the intent, or None; not checked against anything.
    """

    bundles: tuple[bytes, ...] = ()
    intent: bytes | None = None


def read_annotations(annotations: Mapping[str, Json]) -> Carried:
    """Read what an object's annotations carry.

    Raises:
        Malformed: an annotation under our prefix that is not known, or one that is
            too large, not packed as we pack, or not what it should hold.
    """
    for key in annotations:
        if key.startswith(PREFIX) and key not in KNOWN:
            raise Malformed(f"expected no annotation {key[:120]}: it means nothing")
    bundles, intent = annotations.get(BUNDLES), annotations.get(INTENT)
    return Carried(
        _remembered(bundles) if isinstance(bundles, str) else _none(bundles),
        None if intent is None else unpack(intent),
    )


def render_annotations(carried: Carried) -> dict[str, str]:
    """Write the annotations that carry something; the same gives the same text.

    Raises:
        Malformed: a bundle is no JSON object, or there is too much of something.
    """
    written = {}
    if carried.bundles:
        listed = b"[" + b",".join(carried.bundles) + b"]"
        if tuple(_items(listed)) != tuple(raw.strip() for raw in carried.bundles):
            raise Malformed("expected each bundle to be one JSON object")
        written[BUNDLES] = pack(listed)
    if carried.intent is not None:
        written[INTENT] = pack(carried.intent)
    return written


def _size(bundles: tuple[bytes, ...]) -> int:
    return sum(map(len, bundles))


def _none(bundles: Json) -> tuple[bytes, ...]:
    if bundles is not None:
        raise Malformed("expected base64, saw no text")
    return ()


@cached(LRUCache(_REMEMBERED, getsizeof=_size), lock=Lock())
def _remembered(text: str) -> tuple[bytes, ...]:
    """Unpack bundles, or remember them: a rollout shows the same ones again and again."""
    return tuple(_items(unpack(text)))


def _items(data: bytes) -> Iterator[bytes]:
    """Yield the objects of a JSON list byte for byte: their digests must not change."""
    values = parse_json(data, limit=MAX_INFLATED)
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise Malformed("expected a list of bundles, each an object")
    text, decoder, end = data.decode(), json.JSONDecoder(), 0
    for _ in values:
        start = text.index("{", end)  # between objects of a list there is no other
        _, end = decoder.raw_decode(text, start)
        yield text[start:end].encode()


def pack(data: bytes) -> str:
    """Compress and encode; the same bytes give the same text.

    Raises:
        Malformed: nobody would unpack it again: too large, or it shrinks too well.
    """
    written = packed.pack(data)
    unpack(written)
    return written


def unpack(text: Json) -> bytes:
    """Decode and inflate one gzip member.

    Raises:
        OverLimit: larger than allowed before or after inflating.
        Malformed: no text, no base64, or anything but exactly one whole gzip member.
    """
    if not isinstance(text, str):
        raise Malformed("expected base64, saw no text")
    if len(text) > MAX_PACKED:
        raise OverLimit(f"expected at most {MAX_PACKED} characters of base64")
    member = packed.decode(text)
    return packed.inflate(member, min(MAX_INFLATED, MAX_RATIO * len(member)))
