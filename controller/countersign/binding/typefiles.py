"""The generated type tables as they lie on disk, one for each supported minor.

They are data (``data/types-MINOR-DIGEST.json``, made by ``python -m tools.gen``). That of
the newest minor is whole, each older one a merge patch (RFC 7396) of the next newer one:
what changes in a year is a twentieth of the whole.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeAlias

import orjson

from countersign.core.errors import Misconfigured

_NAME = re.compile(r"types-1\.(?P<minor>\d+)-(?P<digest>[0-9a-f]{12})\.json")

Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TypeTable:
    """What one minor of Kubernetes knows.

    Attributes:
        minor: As in ``1.37``.
        kinds: By ``apiVersion/kind``: where its objects live, and their Go type.
        types: By Go type: the fields, and what each holds, as text.
    """

    minor: str
    kinds: Mapping[str, Mapping[str, Any]]
    types: Mapping[str, Mapping[str, str]]


def load() -> tuple[TypeTable, ...]:
    """Return the tables, the newest minor first.

    Raises:
        Misconfigured: There is none, or a file is not what its name says.
    """
    found = sorted(
        (
            (int(name["minor"]), name["digest"], entry)
            for entry in (files("countersign.binding") / "data").iterdir()
            if (name := _NAME.fullmatch(entry.name))
        ),
        key=lambda one: -one[0],
    )
    if not found:
        raise Misconfigured("expected a type table among the package's files, saw none")
    tables: list[TypeTable] = []
    whole: Document = {}
    for _, digest, entry in found:
        content = entry.read_bytes()
        if hashlib.sha256(content).hexdigest()[:12] != digest:
            raise Misconfigured(f"{entry.name}: the content is not what the name says")
        whole = patched(whole, orjson.loads(content))
        tables.append(TypeTable(whole["minor"], whole["kinds"], whole["types"]))
    return tuple(tables)


def patched(document: Document, patch: Document) -> Document:
    """Return a document with a merge patch applied; what does not change is shared."""
    merged = dict(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = patched(merged.get(key, {}), value)
        else:
            merged[key] = value
    return merged
