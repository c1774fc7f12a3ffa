"""Where an object is not what was signed, and what to do about each place.

What to do goes by the cause, which binding guessed: following the advice and having it
signed is what brings the object through; the test runs it against the real gate.
"""

import shlex
from collections.abc import Iterable, Iterator
from types import MappingProxyType

from countersign.core.types.artifacts import Cause, Difference, Json, ObjectRef, Subject
from countersign.core.types.verdict import Differences, Finding, Reason
from countersign.report.phrases import clean

MAX_LISTED = 5  # differences of one finding that are shown
_MASKED = '"*****"'  # how `binding.causes` shows values of Secrets and plans
_RESOURCE = "/data/resource_changes "  # of a plan (`wire.plan`)
_VALUE = 60  # characters of a value in a sentence

_SAYS = MappingProxyType(
    {
        Cause.OTHERWISE: "{path} is {seen}, {signed} was signed",
        Cause.UNSIGNED: "{path} is {seen}, nothing of the sort was signed",
        Cause.MISSING: "{path} is missing, {signed} was signed",
        Cause.UNWRITTEN: "{path} is {seen}, what was signed leaves it out and so means {signed}",
        Cause.KEPT: "{path} is {seen} as before, nothing of the sort was signed",
        Cause.SCALED: "{path} is {seen}, {signed} was signed",
        Cause.MARKED: "{path} is {seen}, the mark of a tool, nothing of the sort was signed",
        Cause.DROPPED: "{path} is missing, {signed} was signed",
        Cause.REORDERED: "{path} is in another order than was signed: {seen}, not {signed}",
    }
)

_HINTS = MappingProxyType(
    {
        Cause.UNWRITTEN: "write {path}: {signed} into the manifest",
        Cause.KEPT: "write it into the manifest, or take it off the live object",
        Cause.SCALED: "sign it with --elastic {room}",
        Cause.MARKED: "have the tool named in the policy (tools), or write the mark into the manifest",
        Cause.DROPPED: "take it out of the manifest: the server drops it while its feature gate is off",
        Cause.REORDERED: "keep the order that was signed",
    }
)

_STEPS = MappingProxyType(
    {
        Cause.UNWRITTEN: "write {path}: {signed} into the manifest, and have that signed: {{make}}",
        Cause.KEPT: "write {path} into the manifest or take it off the live object, and have that signed: {{make}}",
        Cause.SCALED: "apply the number that was signed, or have room to scale signed: {{sign}} --elastic {room}",
        Cause.MARKED: "have the tool named in the policy (tools), or write the mark into the manifest and have that signed: {{make}}",
        Cause.DROPPED: "take {path} out of the manifest (the server drops it while its feature gate is off), and have that signed: {{make}}",
        Cause.REORDERED: "apply it in the order that was signed, or have this one signed: {{make}}",
    }
)

_NEW_FILE = frozenset({Cause.UNWRITTEN, Cause.DROPPED, Cause.MARKED})
"""What was denied is not what is meant: another manifest has to be signed."""


def chief(differences: Iterable[Difference]) -> Difference:
    """Return the one to speak of first: real changes go before what has a remedy."""
    return min(differences, key=_order)


def _order(one: Difference) -> tuple[bool, bool, str]:
    """Put real changes first, and of a plan the resources that it changes."""
    return one.cause in _HINTS, not one.path.startswith(_RESOURCE), one.path


def difference(found: tuple[Difference, ...]) -> str:
    """Say where an object differs, and in how many other places."""
    text, more = _said(chief(found)), len(found) - 1
    return f"{text} (and {more} more)" if more > 0 else text


def changed_step(finding: Finding) -> str:
    """Return what to do about the first difference, or ``""`` where nothing is special.

    The commands are left as ``{make}`` and ``{sign}``.
    """
    facts = finding.facts
    if finding.reason is not Reason.CHANGED or not isinstance(facts, Differences):
        return ""
    one = chief(facts.differences)
    template = _STEPS.get(one.cause, "")
    pieces = _pieces(one, finding.about)
    safe = {
        key: value.replace("{", "{{").replace("}", "}}")
        for key, value in pieces.items()
    }
    return template.format_map(safe)


def is_of_another_file(finding: Finding) -> bool:
    """Tell whether signing what was denied would sign what nobody means."""
    facts = finding.facts
    return (
        finding.reason is Reason.CHANGED
        and isinstance(facts, Differences)
        and chief(facts.differences).cause in _NEW_FILE
    )


def difference_lines(finding: Finding) -> Iterator[str]:
    """Yield a line for each difference of a finding: where, both values, what to do."""
    facts = finding.facts
    if not isinstance(facts, Differences):
        return
    changed = finding.reason is Reason.CHANGED
    yield from _lines(facts.differences, finding.about, hints=changed)


def recorded_lines(facts: Json, reason: str, about: ObjectRef) -> Iterator[str]:
    """Yield the same of facts as a decision keeps them; of others nothing."""
    kept = facts.get("differences") if isinstance(facts, dict) else None
    found = [
        Difference(
            path=str(one.get("path", "")),
            expected=_text(one.get("expected")),
            seen=_text(one.get("seen")),
            cause=_cause(one.get("cause")),
        )
        for one in (kept if isinstance(kept, list) else [])
        if isinstance(one, dict)
    ]
    yield from _lines(tuple(found), about, hints=reason == Reason.CHANGED)


def _lines(
    found: tuple[Difference, ...], about: ObjectRef | Subject, *, hints: bool
) -> Iterator[str]:
    ordered = sorted(found, key=_order)
    for one in ordered[:MAX_LISTED]:
        hint = _HINTS.get(one.cause, "") if hints else ""
        advice = f": {hint.format_map(_pieces(one, about))}" if hint else ""
        yield f"{_said(one)}{advice}"
    if len(ordered) > MAX_LISTED:
        yield f"and {len(ordered) - MAX_LISTED} more"


def _said(one: Difference) -> str:
    cause = one.cause
    if one.expected == one.seen == _MASKED:
        return f"{clean(one.path)} is another than was signed"
    if cause is Cause.OTHERWISE and one.expected is None:
        cause = Cause.UNSIGNED
    elif one.seen is None and cause in (Cause.OTHERWISE, Cause.UNWRITTEN):
        cause = Cause.MISSING
    return _SAYS[cause].format_map(_pieces(one, None))


def _pieces(one: Difference, about: ObjectRef | Subject | None) -> dict[str, str]:
    numbers = [
        int(text) for text in (one.expected, one.seen) if text and text.isdecimal()
    ]
    ref = about if isinstance(about, ObjectRef) else ObjectRef("", "KIND", "", "NAME")
    low, high = min(numbers, default=1), max(numbers, default=1)
    what = f"{clean(ref.kind)}/{clean(ref.name) or 'NAME'}"
    path = clean(one.path)
    return {
        "path": path,
        "signed": clean(one.expected or "", _VALUE),
        "seen": clean(one.seen or "", _VALUE),
        # in a file, which no server has seen, an object may have any name
        "room": shlex.quote(f"{what}:{path}={low}..{high}"),
    }


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _cause(value: Json) -> Cause:
    """Return a cause; decisions of older versions have none."""
    return next((cause for cause in Cause if cause == value), Cause.OTHERWISE)
