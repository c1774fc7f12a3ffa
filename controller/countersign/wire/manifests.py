"""Manifests, read as kubectl reads them: what a person signs is what it would send.

A stream of JSON objects, or of YAML documents of which the first may be JSON; lists are
taken apart.

Source:
    ``YAMLOrJSONDecoder`` in apimachinery/pkg/util/yaml/decoder.go;
    ``unstructuredJSONScheme`` in apimachinery/pkg/apis/meta/v1/unstructured/helpers.go.
"""

import json
import re
from collections.abc import Iterator

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.strict_json import parse_json
from countersign.wire.yaml_documents import documents, parse_document

MAX_MANIFESTS = 4 * 2**20  # bytes of one input

_SPACE = re.compile(r"[ \t\r\n]*")


def parse_manifests(raw: bytes) -> tuple[Tree, ...]:
    """Parse YAML documents or JSON objects, and take lists apart.

    Args:
        raw: UTF-8; empty documents are passed over.

    Returns:
        The objects in their order; none for an input without any.

    Raises:
        Malformed: larger or deeper than allowed, no YAML or JSON, ambiguous, or a
            document that is no object.
    """
    return tuple(manifest for _, manifest in parse_placed(raw))


def parse_placed(raw: bytes) -> tuple[tuple[int, Tree], ...]:
    """Parse as `parse_manifests` does, and say where each object is.

    Returns:
        The line on which its document begins, from 1, and the object.

    Raises:
        Malformed: as `parse_manifests`.
    """
    if len(raw) > MAX_MANIFESTS:
        raise Malformed(f"expected at most {MAX_MANIFESTS} bytes of manifests")
    return tuple(
        (line, manifest)
        for line, document in _values(raw)
        if document is not None
        for manifest in _flattened(document)
    )


def _values(raw: bytes) -> Iterator[tuple[int, Json]]:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed("expected UTF-8, saw other bytes") from error
    if objects := _json_objects(text):
        for line, one in objects:
            yield line, parse_json(one.encode(), limit=MAX_MANIFESTS)
        return
    for before, document in documents(raw):
        alone = _json_objects(document.decode()) if before == 0 else []
        if len(alone) == 1:
            ((line, one),) = alone
            yield line, parse_json(one.encode(), limit=MAX_MANIFESTS)
        else:
            yield before + _begins(document), parse_document(document, before)


def _begins(document: bytes) -> int:
    """Return the first line that says something, from 1."""
    lines = enumerate(map(bytes.strip, document.split(b"\n")), start=1)
    says = (n for n, line in lines if line and not line.startswith((b"#", b"---")))
    return next(says, 1)


def _json_objects(text: str) -> list[tuple[int, str]]:
    """Cut a stream of JSON objects; empty if it is something else, to its end.

    Each comes with its line, from 1.

    What looks like JSON and is none is YAML to kubectl.
    """
    at, found = _end_of_space(text, 0), []
    line, counted = 1, 0
    while at < len(text):
        if text[at] != "{":
            return []
        try:
            _, end = json.JSONDecoder().raw_decode(text, at)
        except RecursionError as error:
            raise Malformed("expected JSON, saw it nested too deeply") from error
        except ValueError:
            return []
        line, counted = line + text.count("\n", counted, at), at
        found.append((line, text[at:end]))
        at = _end_of_space(text, end)
    return found


def _end_of_space(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    return found.end() if found else start


def _flattened(document: Json) -> Iterator[Tree]:
    """Yield an object, or the items of a list, as kubectl sends them."""
    if not isinstance(document, dict):
        raise Malformed("expected an object in each document, saw something else")
    kind, items = document.get("kind"), document.get("items")
    if "items" not in document:
        yield document
        return
    if not (isinstance(kind, str) and kind.endswith("List")):
        raise Malformed(f"expected no items in a {kind}: kubectl takes it for a list")
    if not isinstance(items, list):
        raise Malformed(f"expected the items of a {kind} to be a list")
    for item in items:
        if isinstance(item, dict) and kind != "List":
            own = {"apiVersion": document.get("apiVersion"), "kind": kind[:-4]}
            yield from _flattened({**own, **item})
        else:
            yield from _flattened(item)
