"""Manifests, read as kubectl reads them.

kubectl turns YAML into JSON with sigs.k8s.io/yaml, which is YAML 1.1 with corrections;
PyYAML's own rules differ: for them ``12:30:45`` is a number and ``2024-01-01`` a date.
What a person signs must be what kubectl would send, so the scalars are resolved here.
Stricter than kubectl: equal keys, keys that are no strings, and explicit tags are
refused, since readers disagree about them.

Source:
    go.yaml.in/yaml/v2 v2.4.4, ``resolve.go`` and ``decode.go``.
"""

import math
import re
from collections.abc import Iterator

import yaml
from yaml import events

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.strict_json import MAX_DEPTH, parse_json

MAX_MANIFESTS = 4 * 2**20  # bytes of one input
MAX_VALUES = 500_000  # JSON values of one input, aliases counted where they are used

_MERGE = "<<"

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INTEGER = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)"
)
_FRACTION = re.compile(  # read by Go's ParseFloat, which knows where a _ may stand
    r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def parse_manifests(raw: bytes) -> tuple[Tree, ...]:
    """Parse YAML documents or one JSON document, and take lists apart.

    Args:
        raw: UTF-8; empty documents are passed over.

    Returns:
        The objects in their order; none for an input without any.

    Raises:
        Malformed: larger or deeper than allowed, no YAML or JSON, ambiguous, or a
            document that is no object.
    """
    if len(raw) > MAX_MANIFESTS:
        raise Malformed(f"expected at most {MAX_MANIFESTS} bytes of manifests")
    documents: Iterator[Json]
    if raw.lstrip().startswith(b"{"):
        documents = iter([parse_json(raw, limit=MAX_MANIFESTS)])
    else:
        documents = _documents(raw)
    return tuple(
        manifest
        for document in documents
        if document is not None
        for manifest in _flattened(document)
    )


def _documents(raw: bytes) -> Iterator[Json]:
    """Yield the documents of a YAML stream."""
    try:
        stream = yaml.parse(raw.decode(), Loader=yaml.CSafeLoader)
        for event in stream:
            if isinstance(event, events.DocumentStartEvent):
                yield _Document(stream).value(next(stream), MAX_DEPTH)
    except UnicodeDecodeError as error:
        raise Malformed("expected UTF-8, saw other bytes") from error
    except yaml.YAMLError as error:
        raise Malformed(f"expected YAML: {str(error)[:300]}") from error


def _flattened(document: Json) -> Iterator[Tree]:
    """Yield an object, or the items of a list, as kubectl sends them."""
    if not isinstance(document, dict):
        raise Malformed("expected an object in each document, saw something else")
    kind, items = document.get("kind"), document.get("items")
    if not (isinstance(kind, str) and kind.endswith("List") and "items" in document):
        yield document
        return
    if not isinstance(items, list):
        raise Malformed(f"expected the items of a {kind} to be a list")
    for item in items:
        if isinstance(item, dict) and kind != "List":
            own = {"apiVersion": document.get("apiVersion"), "kind": kind[:-4]}
            yield from _flattened({**own, **item})
        else:
            yield from _flattened(item)


class _Document:
    """One document, read event by event.

    PyYAML's own composer recurses in C as deep as the input says, until the stack is
    gone. Here depth is bounded before it grows, and values are counted where an alias
    uses them, so that aliases cannot explode.
    """

    def __init__(self, stream: Iterator[events.Event]) -> None:
        self._stream = stream
        self._count = 0
        self._anchors: dict[str, tuple[Json, int]] = {}

    def value(self, event: events.Event, depth: int) -> Json:
        """Return the JSON value that starts with `event`, at most `depth` deep."""
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        before = self._count
        self._add(1)
        if depth < 0:
            raise Malformed(f"{_line(event)}: expected YAML at most {MAX_DEPTH} deep")
        value: Json
        match event:
            case events.ScalarEvent(value=text, implicit=(plain, _), tag=None):
                value = _plain(text) if plain else text
            case events.SequenceStartEvent(tag=None):
                value = self._sequence(depth - 1)
            case events.MappingStartEvent(tag=None):
                value = self._mapping(depth - 1)
            case _:
                raise Malformed(f"{_line(event)}: expected no tag, saw one")
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._count - before
        return value

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            raise Malformed(f"expected at most {MAX_VALUES} values in a document")

    def _alias(self, event: events.AliasEvent) -> Json:
        if event.anchor not in self._anchors:
            raise Malformed(f"{_line(event)}: expected a known, complete anchor")
        value, count = self._anchors[event.anchor]
        self._add(count)
        return value

    def _sequence(self, depth: int) -> list[Json]:
        items = []
        while not isinstance(event := next(self._stream), events.SequenceEndEvent):
            items.append(self.value(event, depth))
        return items

    def _mapping(self, depth: int) -> Tree:
        mapping: Tree = {}
        merged: Tree = {}
        while not isinstance(event := next(self._stream), events.MappingEndEvent):
            if isinstance(event, events.ScalarEvent) and _is_merge(event):
                source = self.value(next(self._stream), depth)
                _merge(merged, source, said=mapping)
                continue
            key = self.value(event, depth)
            if not isinstance(key, str):
                raise Malformed(f"{_line(event)}: expected a string as key: quote it")
            if key in mapping:
                raise Malformed(f"{_line(event)}: the key {key[:80]!r} is there twice")
            mapping[key] = self.value(next(self._stream), depth)
        return {**merged, **mapping}


def _line(event: events.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else "YAML"


def _is_merge(event: events.ScalarEvent) -> bool:
    return event.implicit[0] and event.value == _MERGE


def _merge(merged: Tree, source: Json, *, said: Tree) -> None:
    """Merge one mapping or several, the first that has a key winning.

    A key that was said before the merge is refused: YAML lets it win, kubectl lose.
    """
    for mapping in source if isinstance(source, list) else [source]:
        if not isinstance(mapping, dict):
            raise Malformed("expected a mapping to merge, saw something else")
        if clash := sorted(mapping.keys() & said.keys()):
            raise Malformed(f"expected {clash[0]!r} after the merge key, saw it before")
        for key, value in mapping.items():
            merged.setdefault(key, value)


def _plain(text: str) -> Json:
    """Return what an unquoted text means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INFINITE.fullmatch(text):
        raise Malformed(f"expected a number that JSON has, saw {text}")
    if text[0] == ".":
        return _float(text) if _FRACTION.fullmatch(text) else text
    digits = text.replace("_", "") if text[0] != "_" else text
    if _INTEGER.fullmatch(digits):
        return _integer(digits)
    return _float(digits) if _FLOAT.fullmatch(digits) else text


def _integer(digits: str) -> int | float:
    """Read an integer with Go's prefixes: 0x, 0b, 0o, and 0 for octal."""
    sign, bare = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
    prefix = bare[:2].lower()
    if prefix in ("0x", "0b", "0o"):
        number = int(bare[2:], {"0x": 16, "0b": 2, "0o": 8}[prefix])
    else:
        number = int(bare, 8 if bare[0] == "0" else 10)
    if number >= 2**63:
        raise Malformed(f"expected an integer of 64 bits, saw {digits[:40]}")
    return sign * number


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Malformed(f"expected a number that JSON has, saw {digits[:40]}")
    return number
