"""YAML, read as Kubernetes reads it: the same values, or a refusal.

kubectl cuts a stream into documents by lines, before any YAML is read, and reads the
first document of each piece alone. So do we, since otherwise one could sign what is never
sent, or the other way round. Stricter than kubectl: equal keys, keys that are neither
strings nor spelt as they end up, tags but ``!!str``, and what it would pass over in
silence are refused, since readers disagree about them.

Source:
    ``YAMLReader`` in apimachinery/pkg/util/yaml/decoder.go; go.yaml.in/yaml/v2 v2.4.4,
    ``decode.go``.
"""

from collections.abc import Iterator

import yaml
from yaml import events

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.strict_json import MAX_DEPTH
from countersign.wire.yaml_scalars import plain, plain_key

MAX_VALUES = 500_000  # JSON values of one document, aliases counted where they are used

_MERGE = "<<"
_STRING = "tag:yaml.org,2002:str"
_SEPARATOR = b"---"


def documents(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a stream into documents, as kubectl does.

    Yields:
        The number of lines before, and the text of a document.

    Raises:
        Malformed: something else than a comment follows a separator.
    """
    piece: list[bytes] = []
    first = 0
    for number, ended in enumerate(raw.split(b"\n")):
        line = ended.removesuffix(b"\r")
        if line.startswith(_SEPARATOR):
            rest = line.removeprefix(_SEPARATOR).strip()
            if rest and not rest.startswith(b"#"):
                raise Malformed(
                    f"line {number + 1}: expected nothing on a line that begins with ---"
                )
            if piece:
                yield first, b"\n".join([*piece, b""])
                piece, first = [], number + 1
                continue
        piece.append(line)
    # what ends without a line break gets one, which a block scalar may keep
    yield first, b"\n".join(piece if piece and not piece[-1] else [*piece, b""])


def parse_document(text: bytes, before: int = 0) -> Json:
    """Read one document.

    Args:
        text: UTF-8.
        before: How many lines there were before, for the messages.

    Raises:
        Malformed: no YAML, or ambiguous, or deeper or larger than allowed.
    """
    try:
        stream = yaml.parse(text, Loader=yaml.CSafeLoader)
        value = None
        for count, event in enumerate(_starts(stream)):
            if count:
                raise Malformed(f"{_line(event, before)}: expected --- before it")
            value = _Document(stream, before).value(next(stream), MAX_DEPTH)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + before + 1}: " if mark else ""
        raise Malformed(f"expected YAML: {where}{error.problem}"[:300]) from error
    except yaml.YAMLError as error:
        raise Malformed(f"expected YAML: {str(error)[:300]}") from error
    return value


def _starts(stream: Iterator[events.Event]) -> Iterator[events.Event]:
    return (one for one in stream if isinstance(one, events.DocumentStartEvent))


class _Document:
    """One document, read event by event.

    PyYAML's own composer recurses in C as deep as the input says, until the stack is
    gone. Here depth is bounded before it grows, and values are counted where an alias
    uses them, so that aliases cannot explode.
    """

    def __init__(self, stream: Iterator[events.Event], before: int) -> None:
        self._stream = stream
        self._before = before
        self._count = 0
        self._anchors: dict[str, tuple[Json, int] | events.Event] = {}

    def value(self, event: events.Event, depth: int) -> Json:
        """Return the JSON value that starts with `event`, at most `depth` deep."""
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        before = self._count
        self._add(1)
        if depth < 0:
            raise self._wrong(event, f"expected YAML at most {MAX_DEPTH} deep")
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:  # from its start on it hides one of the same name
            self._anchors[anchor] = event
        value: Json
        match event:
            case events.ScalarEvent(value=text, implicit=(bare, _), tag=None):
                value = self._plain(event, text) if bare else text
            case events.ScalarEvent(value=text, tag=tag) if tag == _STRING:
                value = text
            case events.SequenceStartEvent(tag=None):
                value = self._sequence(depth - 1)
            case events.MappingStartEvent(tag=None):
                value = self._mapping(depth - 1)
            case _:
                raise self._wrong(event, "expected no tag, saw one")
        if anchor is not None and self._anchors[anchor] is event:
            self._anchors[anchor] = value, self._count - before
        return value

    def _plain(self, event: events.Event, text: str) -> Json:
        try:
            return plain(text)
        except Malformed as error:
            raise self._wrong(event, str(error)) from error

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            raise Malformed(f"expected at most {MAX_VALUES} values in a document")

    def _alias(self, event: events.AliasEvent) -> Json:
        known = self._anchors.get(event.anchor or "")
        if not isinstance(known, tuple):
            raise self._wrong(event, "expected a known, complete anchor")
        value, count = known
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
                self._merge(event, merged, mapping, depth)
                continue
            key = self._key(event, depth)
            if key in mapping:
                raise self._wrong(event, f"the key {key[:80]!r} is there twice")
            mapping[key] = self.value(next(self._stream), depth)
        return {**merged, **mapping}

    def _key(self, event: events.Event, depth: int) -> str:
        key = self.value(event, depth)
        if isinstance(event, events.ScalarEvent) and not isinstance(key, str):
            key = plain_key(event.value)
        if not isinstance(key, str):
            raise self._wrong(event, "expected a string as key: quote it")
        return key

    def _merge(
        self, event: events.ScalarEvent, merged: Tree, said: Tree, depth: int
    ) -> None:
        """Merge one mapping or several, the first that has a key winning.

        A key that was said or merged before is refused: YAML lets it win, kubectl lose.
        """
        start = next(self._stream)
        several = isinstance(start, events.SequenceStartEvent)
        source = self.value(start, depth)
        if event.anchor is not None:
            raise self._wrong(event, "expected no anchor at a merge key")
        found: Tree = {}
        for mapping in source if several and isinstance(source, list) else [source]:
            if not isinstance(mapping, dict):
                raise self._wrong(event, "expected a mapping to merge")
            found = {**mapping, **found}
        if clash := sorted(found.keys() & (said.keys() | merged.keys())):
            raise self._wrong(
                event, f"expected {clash[0][:80]!r} after the merge key, saw it before"
            )
        merged |= found

    def _wrong(self, event: events.Event, message: str) -> Malformed:
        return Malformed(f"{_line(event, self._before)}: {message}")


def _line(event: events.Event, before: int) -> str:
    mark = event.start_mark
    return f"line {mark.line + before + 1}" if mark else "YAML"


def _is_merge(event: events.ScalarEvent) -> bool:
    return event.implicit[0] and event.value == _MERGE
