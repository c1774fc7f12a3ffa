"""Bundles changed by chance: their bytes, their JSON, their ASN.1, what the log took."""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.support.forging import Json

Path = tuple[str | int, ...]

_NUMBERS = frozenset({"logIndex", "treeSize", "integratedTime"})
_CONSTRUCTED = 0x20
_MAX_NODES = 400  # of one DER value, that are looked at

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["0", "-1", str(2**63), "AAAA", "\ud800", "MAA=", "1e9"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def places(node: Any, path: Path = ()) -> Iterator[Path]:
    """Walk every place of a JSON value."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in items:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))


def binary(document: Json) -> list[Path]:
    """List the places that hold base64."""
    found = []
    for path in places(document):
        value = at(document, path)
        if isinstance(value, str) and path[-1] not in _NUMBERS and len(value) > 1:
            try:
                base64.b64decode(value, validate=True)
            except ValueError:
                continue
            found.append(path)
    return found


def at(document: Any, path: Path) -> Any:
    """Return what stands at `path`."""
    for step in path:
        document = document[step]
    return document


@st.composite
def bytes_changed(draw: st.DrawFn, data: bytes) -> bytes:
    """Flip, cut out, put in, repeat, or cut off."""
    start = draw(st.integers(0, max(len(data) - 1, 0)))
    length = draw(st.sampled_from([1, 1, 1, 2, 8, 64]))
    head, middle, tail = (
        data[:start],
        data[start : start + length],
        data[start + length :],
    )
    match draw(st.sampled_from(["flip", "cut", "insert", "repeat", "truncate"])):
        case "flip":
            mask = 1 << draw(st.integers(0, 7))
            return head + bytes([byte ^ mask for byte in middle]) + tail
        case "cut":
            return head + tail
        case "insert":
            return head + draw(st.binary(min_size=1, max_size=8)) + middle + tail
        case "repeat":
            return head + middle * 2 + tail
        case _:
            return head


@st.composite
def json_changed(draw: st.DrawFn, document: Json, others: list[Json]) -> Json:
    """Replace, take away, repeat or swap one place, or take one from another bundle."""
    document = copy.deepcopy(document)
    path = draw(st.sampled_from([*places(document)]))
    holder, key = at(document, path[:-1]), path[-1]
    match draw(st.sampled_from(["value", "drop", "repeat", "other", "swap"])):
        case "value":
            holder[key] = draw(json_values)
        case "drop":
            del holder[key]
        case "repeat":
            holder[key] = [holder[key], holder[key]]
        case "swap":
            other = draw(st.sampled_from([*places(document)]))
            holder[key] = copy.deepcopy(at(document, other))
        case _:
            try:
                holder[key] = copy.deepcopy(at(draw(st.sampled_from(others)), path))
            except (KeyError, IndexError, TypeError):
                del holder[key]
    return document


@st.composite
def base64_changed(draw: st.DrawFn, document: Json) -> Json:
    """Change bytes under base64."""
    return _under_base64(draw, document, bytes_changed)


@st.composite
def asn1_changed(draw: st.DrawFn, document: Json) -> Json:
    """Change one element of what is DER under base64, its parents' lengths with it."""
    return _under_base64(draw, document, der_changed)


def _under_base64(draw: st.DrawFn, document: Json, change: Any) -> Json:
    document = copy.deepcopy(document)
    path = draw(st.sampled_from(binary(document)))
    holder, key = at(document, path[:-1]), path[-1]
    data = draw(change(base64.b64decode(holder[key])))
    holder[key] = base64.b64encode(data).decode()
    return document


@st.composite
def der_changed(draw: st.DrawFn, data: bytes) -> bytes:
    """Change the tag, the content or the way the length is written of one element."""
    nodes = [*_nodes(data)][:_MAX_NODES]
    if not nodes:
        return draw(bytes_changed(data))
    path = draw(st.sampled_from(nodes))
    how = draw(st.sampled_from(["tag", "content", "drop", "repeat", "long", "endless"]))
    other = draw(st.integers(0, 255))

    def change(tag: int, content: bytes) -> bytes:
        match how:
            case "tag":
                return _tlv(other, content)
            case "content":
                return _tlv(tag, bytes([other]) + content[1:])
            case "drop":
                return b""
            case "repeat":
                return _tlv(tag, content) * 2
            case "long":  # a length in more bytes than it needs
                return bytes([tag, 0x84]) + len(content).to_bytes(4) + content
            case _:
                return bytes([tag, 0x80]) + content + b"\0\0"

    return _rewritten(data, path, change)


def _elements(data: bytes) -> list[tuple[int, bytes]] | None:
    """Split a run of DER elements; None: it is none."""
    found, place = [], 0
    while place < len(data):
        if place + 2 > len(data):
            return None
        tag, length = data[place], data[place + 1]
        place += 2
        if length & 0x80:
            width = length & 0x7F
            if not width or width > 4:
                return None
            length = int.from_bytes(data[place : place + width])
            place += width
        if place + length > len(data):
            return None
        found.append((tag, data[place : place + length]))
        place += length
    return found


def _nodes(data: bytes, path: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for index, (tag, content) in enumerate(_elements(data) or []):
        yield (*path, index)
        if tag & _CONSTRUCTED:
            yield from _nodes(content, (*path, index))


def _rewritten(data: bytes, path: tuple[int, ...], change: Any) -> bytes:
    first, *rest = path
    written = []
    for index, (tag, content) in enumerate(_elements(data) or []):
        if index != first:
            written.append(_tlv(tag, content))
        elif rest:
            written.append(_tlv(tag, _rewritten(content, tuple(rest), change)))
        else:
            written.append(change(tag, content))
    return b"".join(written)


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    width = (size.bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + size.to_bytes(width) + content


@st.composite
def body_changed(draw: st.DrawFn, body: Json) -> Json:
    """Change what a log writes down."""
    return draw(json_changed(body, [body]))


def as_json(document: Any) -> bytes:
    """Write a document, odd values and all."""
    return json.dumps(document).encode("utf-8", "surrogatepass")
