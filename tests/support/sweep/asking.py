"""Asks the server for a dry run, and mends a manifest as the server's complaints say."""

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import RemoteDisconnected
from typing import Any

from countersign.binding.tables import ListOf, MapOf, Structure
from countersign.binding.tree import ABSENT, find, put
from tests.support.apiserver import ApiServer, Refused, Tree
from tests.support.sweep.places import pointer, shape_at, within
from tests.support.sweep.values import Values
from tests.support.trees import remove

_REPAIRS = 4  # in a row, of one manifest
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SUPPORTED = "supported values: "


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a manifest.

    Attributes:
        sent: As it was sent in the end.
        seen: What the server made of it; None if it refused.
        offered: Values that the server named for the changed field.
        said: The last complaint.
    """

    sent: Tree
    seen: Tree | None
    offered: tuple[str, ...] = ()
    said: str = ""


@dataclass
class Asker:
    """Submits manifests.

    Attributes:
        server: One connection.
        values: To mend with.
        count: Of the submissions so far.
    """

    server: ApiServer
    values: Values
    count: int = 0

    def ask(self, manifest: Tree, changed: str = "") -> Answer:
        """Submit a manifest; mend it, where the server says how, and try again.

        Args:
            manifest: As it should be.
            changed: The pointer of the field that this is about, which stays.
        """
        offered: tuple[str, ...] = ()
        said = ""
        for _ in range(_REPAIRS):
            self.count += 1
            try:
                seen = self.server.create(manifest, dryRun="All")
                return Answer(manifest, seen)
            except Refused as error:
                said = str(error)
                if error.code != HTTPStatus.UNPROCESSABLE_ENTITY:
                    break
                offered = offered or _offered(error.causes, changed)
                mended = self._mended(manifest, error.causes, changed)
                if mended == manifest:
                    break
                manifest = mended
            except RemoteDisconnected:
                # 1.37.2 panics at a CRD with selectableFields and no schema
                self.server.close()  # opens again by itself
                said = "hung up"
                break
        return Answer(manifest, None, offered, said)

    def _mended(self, manifest: Tree, causes: Iterable[Tree], changed: str) -> Tree:
        mended = copy.deepcopy(manifest)
        for cause in causes:
            path = pointer(cause.get("field", ""))
            found = shape_at(mended, path)
            if found is None or within(changed, path):
                continue
            supported = _supported(cause)
            owed = supported and isinstance(found[2], MapOf)
            if supported and not owed:
                several = isinstance(found[2], ListOf)
                put(mended, path, [supported[0]] if several else supported[0])
            elif owed or cause["reason"] == "FieldValueRequired":
                owner, field, shape = found
                for value in list(self.values.plausible(owner, field, shape))[:1]:
                    put(mended, path, copy.deepcopy(value))
            elif _optional(mended, path, self.values):
                remove(mended, path)
        return _alone(mended, changed, self.values) if mended == manifest else mended


def _offered(causes: Iterable[Tree], changed: str) -> tuple[str, ...]:
    """Return what the server would rather have for the changed field."""
    return next(
        (_supported(c) for c in causes if pointer(c.get("field", "")) == changed), ()
    )


def _supported(cause: Tree) -> tuple[str, ...]:
    _, _, listed = cause["message"].partition(_SUPPORTED)
    return tuple(_QUOTED.findall(listed))


def _optional(tree: Tree, path: str, values: Values) -> bool:
    found = shape_at(tree, path)
    return (
        found is not None
        and not found[1].endswith("[]")
        and find(tree, path) is not ABSENT
        and found[1] not in values.schemas.required.get(found[0], ())
    )


def _alone(manifest: Tree, changed: str, values: Values) -> Tree:
    """Take away what stands beside the changed field and need not."""
    parent, _, field = changed.rpartition("/")
    found = shape_at(manifest, parent) if parent else None
    struct: Any = find(manifest, parent)
    if found is None or not isinstance(found[2], Structure) or struct is ABSENT:
        return manifest
    required = values.schemas.required.get(found[2].type, ())
    kept: Sequence[str] = (*required, field, "name", "type")
    alone = copy.deepcopy(manifest)
    put(alone, parent, {k: v for k, v in struct.items() if k in kept})
    return alone
