"""A plan of infrastructure for a person: what it would do, the gravest first.

Shown as the program shows it, with the same counts, from the same file that is signed.
What the plan marks as sensitive is not shown, but that it changes is; so is the number
of such places, for whoever marks a thing may do so to hide it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType
from typing import Final

from countersign.core.types.artifacts import Digits, Json
from countersign.report.phrases import clean

_VALUE: Final = 100  # characters of one value
_SECRET: Final = 6  # characters, with quotes: shorter ones stand anywhere by chance
_MAX_PLACES: Final = 200  # attributes of one resource; what is beyond is counted
_NOTHING: Final = "null"
_LATER: Final = "(known after apply)"
_HIDDEN: Final = "(sensitive value)"

_GRAVITY: Final = MappingProxyType({"delete": 0, "forget": 1, "update": 2, "create": 3})
_SIGNS: Final = MappingProxyType(
    {
        ("delete", "create"): ("-/+", "destroy and create again"),
        ("create", "delete"): ("+/-", "create again and then destroy"),
        ("forget", "create"): ("./+", "forget and create again"),
        ("delete",): ("-", "destroy"),
        ("forget",): (".", "forget: it stays, and is no longer managed"),
        ("create",): ("+", "create"),
        ("update",): ("~", "update"),
        ("read",): ("<=", "read while it is applied"),
        ("no-op",): (" ", "stay as it is"),
    }
)
"""How the program marks what happens (``DiffActionSymbol``), and what that means."""

_COUNTED: Final = MappingProxyType(
    {"create": "add", "update": "change", "delete": "destroy", "forget": "forget"}
)


def plan_lines(changes: Sequence[Json], others: Mapping[str, Json]) -> Iterator[str]:
    """Yield what a plan would do: counts, then resource by resource, then outputs.

    Args:
        changes: Of the plan's ``resource_changes`` those in which something happens.
        others: Its fields ``output_changes``, ``resource_drift``, ``deferred_changes``;
            ``variables`` and ``configuration``, which say what else is sensitive.
    """
    secrets = _secrets(changes, others)
    yield plan_counts(changes)
    for one in sorted(map(_map, changes), key=_gravity):
        yield from _change(one, secrets)
    for title, field in (("output", "output_changes"), ("drifted", "resource_drift")):
        yield from _others(title, others.get(field), secrets)
    if left := others.get("deferred_changes"):
        yield f"deferred: {len(left) if isinstance(left, list) else 1}"


def plan_counts(changes: Sequence[Json]) -> str:
    """Return the line that the program ends a plan with.

    Source:
        OpenTofu's internal/command/jsonformat/plan.go, ``renderHuman``: resources are
        counted, what is only read or moved is not.
    """
    counts = dict.fromkeys(("import", *_COUNTED.values()), 0)
    for one in map(_map, changes):
        change = _map(one.get("change"))
        if one.get("mode") != "managed":
            continue
        counts["import"] += "importing" in change
        for action in _list(change.get("actions")):
            if action in _COUNTED:
                counts[_COUNTED[str(action)]] += 1
    said = [f"{counts[what]} to {what}" for what in ("add", "change", "destroy")]
    if counts["import"]:
        said.insert(0, f"{counts['import']} to import")
    if counts["forget"]:
        said.append(f"{counts['forget']} to forget")
    return f"Plan: {', '.join(said)}."


def _secrets(changes: Sequence[Json], others: Mapping[str, Json]) -> frozenset[str]:
    """Return the texts that are marked as sensitive anywhere.

    A provider that copies one loses the mark, and the program then shows it.
    """
    outputs = [*_map(others.get("output_changes")).values()]
    drifted = [*_list(others.get("resource_drift"))]
    found: list[_Leaf] = []
    for change in [_map(_map(one).get("change")) for one in (*changes, *drifted)] + [
        _map(one) for one in outputs
    ]:
        for side in ("before", "after"):
            leaves = _flat(change.get(side), change.get(f"{side}_sensitive"), None)
            found += leaves.values()
    module = _map(_map(others.get("configuration")).get("root_module"))
    said = _map(others.get("variables"))
    for name, variable in _map(module.get("variables")).items():
        hidden = _map(variable).get("sensitive") is True
        found += _flat(_map(said.get(name)).get("value"), hidden, None).values()
    return frozenset(
        json.loads(leaf.text)
        for leaf in found
        if leaf.hidden and leaf.text.startswith('"') and len(leaf.text) >= _SECRET
    )


def _change(one: Mapping[str, Json], secrets: frozenset[str]) -> Iterator[str]:
    """Yield a line about one resource, and one for each place that changes in it."""
    change = _map(one.get("change"))
    actions = tuple(str(action) for action in _list(change.get("actions")))
    sign, meaning = _SIGNS.get(actions, ("?", ", ".join(actions)))
    about = [meaning]
    if deposed := one.get("deposed"):
        about.append(f"left over from a replacement, {deposed}")
    if (before := one.get("previous_address")) is not None:
        about.append(f"moved from {before}")
    if "importing" in change:
        about.append(f"imported, {json.dumps(_map(change['importing']).get('id'))}")
    if reason := one.get("action_reason"):
        about.append(str(reason).replace("_", " "))
    yield f"{sign} {clean(str(one.get('address')), 400)}: {clean('; '.join(about), 600)}"
    if _NOT_SHOWN.isdisjoint(actions):
        forced = {_joined(path) for path in _list(change.get("replace_paths"))}
        yield from _places(change, forced, secrets)


_NOT_SHOWN: Final = frozenset({"forget", "no-op"})


def _others(title: str, found: Json, secrets: frozenset[str]) -> Iterator[str]:
    """Yield what changes in outputs, or changed behind the program's back."""
    if isinstance(found, dict):
        named = [(name, _map(change)) for name, change in found.items()]
    else:
        about = [_map(one) for one in _list(found)]
        named = [(str(one.get("address")), _map(one.get("change"))) for one in about]
    for name, change in named:
        actions = tuple(str(action) for action in _list(change.get("actions")))
        sign, _ = _SIGNS.get(actions, ("?", ""))
        if actions != ("no-op",):
            yield f"{sign} {title} {clean(name, 400)}"
            yield from _places(change, set(), secrets)


def _places(
    change: Mapping[str, Json], forced: set[str], secrets: frozenset[str]
) -> Iterator[str]:
    sides = (
        _flat(change.get("before"), change.get("before_sensitive"), None),
        _flat(
            change.get("after"),
            change.get("after_sensitive"),
            change.get("after_unknown"),
        ),
    )
    before, after = (
        {path: _hiding(leaf, secrets) for path, leaf in side.items()} for side in sides
    )
    later = tuple(
        f"{path}{step}" for path, leaf in after.items() if leaf.unknown for step in ".["
    )
    hidden, shown = 0, 0
    for path in dict.fromkeys(chain(before, after)):
        was, is_now = before.get(path, _Leaf()), after.get(path, _Leaf())
        if path not in after and path.startswith(later):
            is_now = _Leaf(unknown=True)
        hidden += was.hidden or is_now.hidden
        if was == is_now:
            continue
        shown += 1
        if shown <= _MAX_PLACES:
            why = "  # forces replacement" if path in forced else ""
            yield f"    {clean(path, 300) or 'value'}: {was} -> {is_now}{why}"
    if shown > _MAX_PLACES:
        yield f"    and {shown - _MAX_PLACES} more places"
    if hidden:
        yield f"    {hidden} marked as sensitive, which are not shown"


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One value; two that are sensitive are the same if what they hide is."""

    text: str = _NOTHING
    hidden: bool = False
    unknown: bool = False

    def __str__(self) -> str:
        if self.unknown:
            return _LATER
        return _HIDDEN if self.hidden else clean(self.text, _VALUE)


def _hiding(leaf: _Leaf, secrets: frozenset[str]) -> _Leaf:
    """Hide a text in which something sensitive stands, marked here or not."""
    if leaf.hidden or not leaf.text.startswith('"'):
        return leaf
    text = json.loads(leaf.text)
    return replace(leaf, hidden=any(secret in text for secret in secrets))


def _flat(value: Json, sensitive: Json, unknown: Json) -> dict[str, _Leaf]:
    """Return each value that is in another, by its path."""
    found: dict[str, _Leaf] = {}
    todo: list[tuple[str, Json, Json, Json]] = [("", value, sensitive, unknown)]
    while todo:
        path, one, secret, later = todo.pop()
        hidden = secret is True
        if later is True:
            found[path] = _Leaf(hidden=hidden, unknown=True)
        elif isinstance(one, dict | list) or isinstance(later, dict | list):
            below = [*_steps(one, later)]
            todo += [
                (
                    _step(path, key),
                    _at(one, key),
                    True if hidden else _at(secret, key),
                    _at(later, key),
                )
                for key in reversed(below)
            ]
            if not below:
                found[path] = _Leaf(json.dumps(one), hidden=hidden)
        elif one is not None:
            text = (
                one if isinstance(one, Digits) else json.dumps(one, ensure_ascii=False)
            )
            found[path] = _Leaf(text, hidden=hidden)
    return found


def _steps(*values: Json) -> Iterator[str | int]:
    """Yield the names or places in any of the values, each once."""
    names: dict[str | int, None] = {}
    for value in values:
        if isinstance(value, dict):
            names |= dict.fromkeys(value)
        elif isinstance(value, list):
            names |= dict.fromkeys(range(len(value)))
    yield from names


def _at(value: Json, step: str | int) -> Json:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _step(path: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def _joined(path: Json) -> str:
    joined = ""
    for step in _list(path):
        plain = isinstance(step, str | int) and not isinstance(step, Digits)
        joined = _step(joined, step if plain else str(step))  # type: ignore[arg-type]
    return joined


def _gravity(one: Mapping[str, Json]) -> tuple[int, str]:
    actions = _list(_map(one.get("change")).get("actions"))
    grave = min((_GRAVITY.get(str(action), 9) for action in actions), default=9)
    return grave, str(one.get("address"))


def _map(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else []
