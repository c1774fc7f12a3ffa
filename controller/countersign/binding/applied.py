"""What ``kubectl apply`` makes of a live object: for those who ask before they apply.

A three-way merge: what the manifest says wins, what an earlier apply wrote and the
manifest no longer says goes, and what others wrote stays. Nothing is admitted on the
strength of this: the server merges again, and admission judges what comes of that.

Source:
    kubectl's apply command, and ``patchMergeKey`` and ``patchStrategy`` in k8s.io/api.
"""

import json
from typing import Any

from countersign.binding.normal_form import LAST_APPLIED
from countersign.binding.tree import ABSENT, Struct, Value, find, token
from countersign.core.types.artifacts import Tree

_ITEM_KEYS = {
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Lists that are merged item by item, and what tells their items apart."""

_RETAINED = frozenset({"strategy", "volumes"})
"""Unions, of which apply keeps only the fields that are said (``retainKeys``)."""


def applied(live: Tree, manifest: Tree) -> Tree:
    """Return the object that stands there once `manifest` is applied over `live`.

    Args:
        live: As the server shows it.
        manifest: As written; of the same kind and name.
    """
    merged = _map(dict(live), _earlier(live), dict(manifest))
    finalizers = find(live, "/metadata/finalizers")
    said = find(manifest, "/metadata/finalizers")
    if type(finalizers) is list and type(said) is list:  # patchStrategy=merge: a set
        more = [name for name in said if name not in finalizers]
        merged["metadata"]["finalizers"] = [*finalizers, *more]
    return merged


def _earlier(live: Tree) -> Struct:
    """Return what an earlier apply wrote, as far as somebody noted it."""
    noted = find(live, "/metadata/annotations/" + token(LAST_APPLIED))
    if type(noted) is str:
        try:
            said = json.loads(noted)
        except ValueError:
            return {}
        return said if type(said) is dict else {}
    entries = find(live, "/metadata/managedFields")
    owned: Struct = {}
    for entry in entries if type(entries) is list else []:
        if type(entry) is dict and entry.get("operation") == "Apply":
            owned |= _fields(entry.get("fieldsV1"))
    return owned


def _fields(owned: Value) -> Struct:
    """Read a FieldsV1 set as an object without values."""
    found: Struct = {}
    for key, below in owned.items() if type(owned) is dict else ():
        if key.startswith("f:"):
            items = _items(below)
            found[key[2:]] = items or _fields(below)
    return found


def _items(owned: Value) -> list[Struct]:
    """Return the items of a list that a FieldsV1 set names by their keys."""
    keyed = owned.items() if type(owned) is dict else ()
    return [
        _fields(below) | json.loads(key[2:])
        for key, below in keyed
        if key.startswith("k:")
    ]


def _map(live: Struct, earlier: Struct, said: Struct) -> Struct:
    merged: Struct = {}
    for key in [*live, *(key for key in said if key not in live)]:
        now, new = live.get(key, ABSENT), said.get(key, ABSENT)
        if new is None or (new is ABSENT and key in earlier):
            continue
        merged[key] = now if new is ABSENT else _merge(now, earlier.get(key), new, key)
    return merged


def _merge(live: Value, earlier: Value, said: Value, field: str) -> Value:
    if type(live) is dict and type(said) is dict:
        if field in _RETAINED:
            live = {key: value for key, value in live.items() if key in said}
        return _map(live, earlier if type(earlier) is dict else {}, said)
    key = _key(field, live, said)
    if key:
        return _list(live, _keyed(earlier, key), said, field, key)
    return said


def _list(
    live: list[Any], earlier: dict[Any, Any], said: list[Any], field: str, key: str
) -> list[Any]:
    known, named = _keyed(live, key), _keyed(said, key)
    merged = [
        _merge(known.get(item[key], ABSENT), earlier.get(item[key]), item, field)
        for item in said
    ]
    others = (i for i in live if i[key] not in named and i[key] not in earlier)
    return [*merged, *others]


def _key(field: str, *lists: Value) -> str:
    """Return what tells the items of these lists apart, or ``""``."""
    return next(
        (
            key
            for key in _ITEM_KEYS.get(field, ())
            if all(
                type(each) is list and all(type(i) is dict and key in i for i in each)
                for each in lists
            )
        ),
        "",
    )


def _keyed(items: Value, key: str) -> dict[Any, Any]:
    each = items if type(items) is list else []
    return {i[key]: i for i in each if type(i) is dict and key in i}
