"""A plan of infrastructure for a person: what it would do, the gravest first.

Shown as the program shows it, with the same counts, from the same file that is signed.
What the plan marks as sensitive is not shown, but that it changes is; so is the number
of such places, for whoever marks a thing may do so to hide it.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Final

from countersign.core.types.artifacts import Json
from countersign.report.phrases import clean
from countersign.report.plan_values import (
    Leaf,
    both,
    fields,
    flat,
    hiding,
    items,
    joined,
    spelt,
)

_SECRET: Final = 6  # characters, with quotes: shorter ones stand anywhere by chance
_MAX_PLACES: Final = 200  # attributes of one resource; what is beyond is counted

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

_READ: Final = frozenset(
    {
        "checks",
        "configuration",
        "deferred_changes",
        "output_changes",
        "resource_drift",
        "variables",
    }
)
_RUNS: Final = frozenset({"create", "delete"})  # with these, provisioners run
_INSTANCE: Final = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')

_COUNTED: Final = MappingProxyType(
    {"create": "add", "update": "change", "delete": "destroy", "forget": "forget"}
)


def plan_lines(
    changes: Sequence[Json], others: Mapping[str, Json], code: Collection[str]
) -> Iterator[str]:
    """Yield what a plan would do: counts, then resource by resource, then outputs.

    Before them, how much code is signed with it: what a plan does not say is there.

    Args:
        changes: Of the plan's ``resource_changes`` those in which something happens.
        others: Its fields ``output_changes``, ``resource_drift``, ``deferred_changes``,
            ``checks``; ``variables`` and ``configuration``, which say what else is
            sensitive and which commands run; and each field that nobody here knows.
        code: The files of code in the saved plan, and the lock file of providers.
    """
    secrets = _secrets(changes, others)
    module = fields(fields(others.get("configuration")).get("root_module"))
    commands = dict(_provisioners(module, ""))
    yield plan_counts(changes)
    yield f"code: {len(code)} files {_CODE}"
    for one in sorted(map(fields, changes), key=_gravity):
        yield from _change(one, secrets)
        yield from _commands(one, commands, secrets)
    for title, field in (("output", "output_changes"), ("drifted", "resource_drift")):
        yield from _others(title, others.get(field), secrets)
    if left := others.get("deferred_changes"):
        yield f"deferred: {len(left) if isinstance(left, list) else 1}"
    yield from _checks(others.get("checks"))
    for field in sorted(others.keys() - _READ):
        about = [str(fields(one).get("address", "")) for one in items(others[field])]
        named = f": {', '.join(spelt(one) for one in about)}" if any(about) else ""
        yield f"? {clean(field)}, which is not known here: see `show`{named}"


_CODE: Final = (
    "are signed with it: expressions and commands are there, in the reviewed commit; "
    "below are values, and as `runs` what provisioners run"
)


def _checks(found: Json) -> Iterator[str]:
    """Yield which checks of the stack do not hold."""
    for check in map(fields, items(found)):
        if (status := check.get("status")) in ("fail", "error"):
            name = fields(check.get("address")).get("to_display")
            yield f"! {clean(str(name), 400)}: check ended in {status}"


def _provisioners(
    module: Mapping[str, Json], path: str
) -> Iterator[tuple[str, Sequence[Json]]]:
    """Yield the provisioners of each resource of a module, and of those below it."""
    todo = [(path, module)]
    while todo:
        path, module = todo.pop()
        for one in map(fields, items(module.get("resources"))):
            if found := items(one.get("provisioners")):
                yield f"{path}{one.get('address')}", found
        for name, call in fields(module.get("module_calls")).items():
            below = fields(fields(call).get("module"))
            todo.append((f"{path}module.{name}.", below))


def _commands(
    one: Mapping[str, Json],
    commands: Mapping[str, Sequence[Json]],
    secrets: frozenset[str],
) -> Iterator[str]:
    """Yield what else runs where a resource is made or destroyed.

    Source:
        OpenTofu's internal/command/jsonconfig/config.go, ``provisioner``.
    """
    found = commands.get(_INSTANCE.sub("", str(one.get("address"))), ())
    if _RUNS.isdisjoint(map(str, items(fields(one.get("change")).get("actions")))):
        return
    for provisioner in map(fields, found):
        given = fields(fields(provisioner.get("expressions")).get("command"))
        said = (
            str(hiding(flat(given["constant_value"], None, None)[""], secrets))
            if (type(given.get("constant_value")) is str)
            else "see its code"
        )
        yield f"    runs {clean(str(provisioner.get('type')))}: {said}"


def plan_counts(changes: Sequence[Json]) -> str:
    """Return the line that the program ends a plan with.

    Source:
        OpenTofu's internal/command/jsonformat/plan.go, ``renderHuman``: resources are
        counted, what is only read or moved is not.
    """
    counts = dict.fromkeys(("import", *_COUNTED.values()), 0)
    for one in map(fields, changes):
        change = fields(one.get("change"))
        if one.get("mode") != "managed":
            continue
        counts["import"] += "importing" in change
        for action in items(change.get("actions")):
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
    outputs = [*fields(others.get("output_changes")).values()]
    drifted = [*items(others.get("resource_drift"))]
    found: list[Leaf] = []
    for change in [
        fields(fields(one).get("change")) for one in (*changes, *drifted)
    ] + [fields(one) for one in outputs]:
        for side in ("before", "after"):
            leaves = flat(change.get(side), change.get(f"{side}_sensitive"), None)
            found += leaves.values()
    module = fields(fields(others.get("configuration")).get("root_module"))
    said = fields(others.get("variables"))
    for name, variable in fields(module.get("variables")).items():
        hidden = fields(variable).get("sensitive") is True
        found += flat(fields(said.get(name)).get("value"), hidden, None).values()
    return frozenset(
        json.loads(leaf.text)
        for leaf in found
        if leaf.hidden and leaf.text.startswith('"') and len(leaf.text) >= _SECRET
    )


def _change(one: Mapping[str, Json], secrets: frozenset[str]) -> Iterator[str]:
    """Yield a line about one resource, and one for each place that changes in it."""
    change = fields(one.get("change"))
    actions = tuple(str(action) for action in items(change.get("actions")))
    sign, meaning = _SIGNS.get(actions, ("?", ", ".join(actions)))
    about = [meaning]
    if deposed := one.get("deposed"):
        about.append(f"left over from a replacement, {deposed}")
    if (before := one.get("previous_address")) is not None:
        about.append(f"moved from {before}")
    if "importing" in change:
        about.append(f"imported, {json.dumps(fields(change['importing']).get('id'))}")
    if reason := one.get("action_reason"):
        about.append(str(reason).replace("_", " "))
    yield f"{sign} {spelt(str(one.get('address')))}: {clean('; '.join(about), 600)}"
    if _NOT_SHOWN.isdisjoint(actions):
        forced = {joined(path) for path in items(change.get("replace_paths"))}
        yield from _places(change, forced, secrets)


_NOT_SHOWN: Final = frozenset({"forget", "no-op"})


def _others(title: str, found: Json, secrets: frozenset[str]) -> Iterator[str]:
    """Yield what changes in outputs, or changed behind the program's back."""
    if isinstance(found, dict):
        named = [(name, fields(change)) for name, change in found.items()]
    else:
        about = [fields(one) for one in items(found)]
        named = [(str(one.get("address")), fields(one.get("change"))) for one in about]
    for name, change in named:
        actions = tuple(str(action) for action in items(change.get("actions")))
        sign, _ = _SIGNS.get(actions, ("?", ""))
        if actions != ("no-op",):
            yield f"{sign} {title} {spelt(name)}"
            yield from _places(change, set(), secrets)


def _places(
    change: Mapping[str, Json], forced: set[str], secrets: frozenset[str]
) -> Iterator[str]:
    sides = (
        flat(change.get("before"), change.get("before_sensitive"), None),
        flat(
            change.get("after"),
            change.get("after_sensitive"),
            change.get("after_unknown"),
        ),
    )
    before, after = (
        {path: hiding(leaf, secrets) for path, leaf in side.items()} for side in sides
    )
    later = tuple(
        f"{path}{step}" for path, leaf in after.items() if leaf.unknown for step in ".["
    )
    hidden, shown = 0, 0
    for path in dict.fromkeys(chain(before, after)):
        was, is_now = before.get(path, Leaf()), after.get(path, Leaf())
        if path not in after and path.startswith(later):
            is_now = Leaf(unknown=True)
        hidden += was.hidden or is_now.hidden
        if was == is_now:
            continue
        shown += 1
        if shown <= _MAX_PLACES:
            why = "  # forces replacement" if path in forced else ""
            yield f"    {spelt(path) or 'value'}: {both(was, is_now)}{why}"
    if shown > _MAX_PLACES:
        yield f"    and {shown - _MAX_PLACES} more places"
    if hidden:
        yield f"    {hidden} marked as sensitive, which are not shown"


def _gravity(one: Mapping[str, Json]) -> tuple[int, str]:
    actions = items(fields(one.get("change")).get("actions"))
    grave = min((_GRAVITY.get(str(action), 9) for action in actions), default=9)
    return grave, str(one.get("address"))
