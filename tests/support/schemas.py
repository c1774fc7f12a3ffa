"""Structural schemas at random, and objects that may or may not fit them.

Everything is drawn from one seeded source, so a failure comes again.
"""

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

Tree = dict[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
GROUP = "schemas.example.com"

_LEAVES: dict[str, tuple[Any, ...]] = {
    "string": ("", "a", "80", "true", "1Gi", "~/x"),
    "integer": (0, 1, -7, 80, 2**53 - 1),
    "number": (0, 1, 1.0, 0.5, -2.25, 1e3),
    "boolean": (True, False),
}
_NAMES = ("alpha", "beta", "gamma", "delta", "a/b", "data", "spec")
_FREE: tuple[Any, ...] = (
    None,
    {},
    [],
    {"a": None, "b": [None, 1, True], "c": {"d": 1.5}},
    [True, 1, "1", 0, False],
    {"labels": {}, "x": ""},
)
_METADATA: tuple[Any, ...] = (
    {"name": "x"},
    {"name": "x", "labels": {}, "creationTimestamp": None},
    {"labels": {"a": "b"}, "annotations": {"c": ""}},
    {},
)


def schema(rng: Random, depth: int = 4) -> Tree:
    """Draw one structural schema."""
    sorts = [*_LEAVES, "intOrString"]
    if depth:
        sorts += ["object"] * 6 + ["map", "list"] * 2 + ["any", "free", "embedded"]
    sort = rng.choice(sorts)
    drawn = _drawn(rng, sort, depth)
    if rng.random() < 0.25:
        drawn["nullable"] = True
    if rng.random() < 0.4 and sort != "embedded":
        drawn["default"] = _fitting(rng, drawn)
    return drawn


def _drawn(rng: Random, sort: str, depth: int) -> Tree:
    match sort:
        case "intOrString":
            return {INT_OR_STRING: True}
        case "object":
            drawn: Tree = {"type": "object", "properties": _fields(rng, depth)}
            return drawn | ({PRESERVE: True} if rng.random() < 0.2 else {})
        case "map":
            return {
                "type": "object",
                "additionalProperties": schema(rng, depth - 1),
            }
        case "list":
            drawn = {"type": "array", "items": schema(rng, depth - 1)}
            return drawn | ({PRESERVE: True} if rng.random() < 0.2 else {})
        case "any":
            return {PRESERVE: True}
        case "free":
            return {"type": "object", PRESERVE: True}
        case "embedded":
            drawn = {"type": "object", EMBEDDED: True, PRESERVE: True}
            if rng.random() < 0.5:
                drawn["properties"] = {"spec": schema(rng, depth - 1)}
            return drawn
        case _:
            return {"type": sort}


def _fields(rng: Random, depth: int) -> Tree:
    names = rng.sample(_NAMES, rng.randint(1, 4))
    return {name: schema(rng, depth - 1) for name in names}


def _fitting(rng: Random, drawn: Tree) -> Any:
    """Return a value that the schema lets be a default: pruned and valid."""
    if drawn.get(EMBEDDED):
        return {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}}
    match drawn.get("type"):
        case "object" if "properties" in drawn:
            chosen = [n for n in drawn["properties"] if rng.random() < 0.5]
            return {n: _fitting(rng, drawn["properties"][n]) for n in chosen}
        case "object" if "additionalProperties" in drawn:
            return {"k": _fitting(rng, drawn["additionalProperties"])}
        case "object":
            return {"free": rng.choice(_FREE)}
        case "array":
            return [_fitting(rng, drawn["items"]) for _ in range(rng.randint(0, 2))]
        case None if INT_OR_STRING in drawn:
            return rng.choice([80, "80", "30%"])
        case None:
            return rng.choice([one for one in _FREE if one is not None])
        case sort:
            return rng.choice(_LEAVES[sort])


def value(rng: Random, drawn: Tree) -> Any:
    """Draw a value for a schema: with nulls and fields that it does not know."""
    if rng.random() < 0.1:
        return None
    if drawn.get(EMBEDDED):
        return {
            "apiVersion": "v1",
            "kind": "X",
            "metadata": copy.deepcopy(rng.choice(_METADATA)),
            **_known(rng, drawn.get("properties", {})),
            **_stray(rng),
        }
    match drawn.get("type"):
        case "object" if "properties" in drawn:
            return _known(rng, drawn["properties"]) | _stray(rng)
        case "object" if "additionalProperties" in drawn:
            names = rng.sample(_NAMES, rng.randint(0, 2))
            return {name: value(rng, drawn["additionalProperties"]) for name in names}
        case "object":
            return {"f": rng.choice(_FREE)} | _stray(rng)
        case "array":
            return [value(rng, drawn["items"]) for _ in range(rng.randint(0, 3))]
        case None if INT_OR_STRING in drawn:
            return rng.choice([80, "80", 0, ""])
        case None:
            return copy.deepcopy(rng.choice(_FREE))
        case sort:
            return rng.choice(_LEAVES[sort])


def _known(rng: Random, properties: Tree) -> Tree:
    chosen = [name for name in properties if rng.random() < 0.6]
    return {name: value(rng, properties[name]) for name in chosen}


def _stray(rng: Random) -> Tree:
    if rng.random() < 0.93:
        return {}
    return {"stray": copy.deepcopy(rng.choice(_FREE))}


def definition(rng: Random, index: int) -> Tree:
    """Draw a CustomResourceDefinition of one version."""
    kind = f"Drawn{index}"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "plural": f"{kind.lower()}s",
                "listKind": f"{kind}List",
            },
            "versions": [_version(rng, status=bool(index % 2))],
        },
    }


def _version(rng: Random, *, status: bool) -> Tree:
    body = {
        "spec": {"type": "object", "properties": _fields(rng, 4)},
        "status": {"type": "object", "properties": _fields(rng, 2)},
    }
    return {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": body}},
        **({"subresources": {"status": {}}} if status else {}),
    }


def manifest(rng: Random, defined: Tree) -> Tree:
    """Draw an object of a definition."""
    spec = defined["spec"]
    body = spec["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": spec["names"]["kind"],
        "metadata": {"name": "drawn", "namespace": "default"},
        **_known(rng, body),
    }


def changed(rng: Random, tree: Tree, count: int) -> Iterator[Tree]:
    """Yield copies of an object, each with one place of its body changed."""
    places = [place for name in ("spec", "status") for place in _places(tree, name)]
    for _ in range(count if places else 0):
        copied = copy.deepcopy(tree)
        *way, last = rng.choice(places)
        parent: Any = copied
        for step in way:
            parent = parent[step]
        if rng.random() < 0.3:
            del parent[last]
        else:
            parent[last] = _other(rng, parent[last])
        yield copied


def _places(tree: Any, *way: str | int) -> Iterator[tuple[str | int, ...]]:
    found: Any = tree
    for step in way:
        if isinstance(found, dict) and step not in found:
            return
        found = found[step]
    if len(way) > 1:
        yield way
    if isinstance(found, dict):
        for key in found:
            yield from _places(tree, *way, key)
    elif isinstance(found, list):
        for index in range(len(found)):
            yield from _places(tree, *way, index)


def _other(rng: Random, old: Any) -> Any:
    """Return something near: of another type, or of another value."""
    match old:
        case bool():
            return rng.choice([not old, int(old), None])
        case int() | float():
            return rng.choice([bool(old), old + 1, float(old), str(old)])
        case str():
            return rng.choice([f"{old}x", "", None])
        case list():
            return rng.choice([[*old, *old[:1]], old[::-1], [], None])
        case dict():
            return rng.choice([{**old, "stray": 1}, {}, None])
        case _:
            return rng.choice([{}, "", 0, False])
