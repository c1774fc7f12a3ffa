"""What stands where in a plan, before and after, told apart to the last character.

Nothing that differs may look the same: a name with a dot is written with brackets, what
does not print is spelt out, and of long texts that part is shown in which they differ.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from countersign.core.types.artifacts import Digits, Json

_VALUE: Final = 2000  # characters of one value
_CONTEXT: Final = 40  # characters before the first that differs
_NOTHING: Final = "null"
_LATER: Final = "(known after apply)"
_HIDDEN: Final = "(sensitive value)"
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value; two that are sensitive are the same if what they hide is."""

    text: str = _NOTHING
    hidden: bool = False
    unknown: bool = False

    def __str__(self) -> str:
        if self.unknown:
            return _LATER
        return _HIDDEN if self.hidden else _cut(self.text)


def both(was: Leaf, is_now: Leaf) -> str:
    """Write two values that differ so that it is seen where."""
    apart = 0
    if not (was.hidden or is_now.hidden or was.unknown or is_now.unknown):
        same = takewhile(
            lambda pair: pair[0] == pair[1], zip(was.text, is_now.text, strict=False)
        )
        apart = sum(1 for _ in same) - _CONTEXT
    if max(len(was.text), len(is_now.text)) <= _VALUE or apart <= 0:
        return f"{was} -> {is_now}"
    return f"…{_cut(was.text[apart:])} -> …{_cut(is_now.text[apart:])}"


def _cut(text: str) -> str:
    """Return the beginning of a text, and how much more there is."""
    more = len(text) - _VALUE
    shown = spelt(text[:_VALUE])
    return f"{shown}… (and {more} characters more)" if more > 0 else shown


def spelt(text: str) -> str:
    """Return `text` with what does not print spelt out; spaces stay as they are."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def hiding(leaf: Leaf, secrets: frozenset[str]) -> Leaf:
    """Hide a text in which something sensitive stands, marked here or not."""
    if leaf.hidden or not leaf.text.startswith('"'):
        return leaf
    text = json.loads(leaf.text)
    return replace(leaf, hidden=any(secret in text for secret in secrets))


def flat(value: Json, sensitive: Json, unknown: Json) -> dict[str, Leaf]:
    """Return each value that is in another, by its path."""
    found: dict[str, Leaf] = {}
    todo: list[tuple[str, Json, Json, Json]] = [("", value, sensitive, unknown)]
    while todo:
        path, one, secret, later = todo.pop()
        hidden = secret is True
        if later is True:
            found[path] = Leaf(hidden=hidden, unknown=True)
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
                found[path] = Leaf(json.dumps(one), hidden=hidden)
        elif one is not None:
            text = (
                one if isinstance(one, Digits) else json.dumps(one, ensure_ascii=False)
            )
            found[path] = Leaf(text, hidden=hidden)
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
    if not _PLAIN.fullmatch(step):
        return f"{path}[{json.dumps(step, ensure_ascii=False)}]"
    return f"{path}.{step}" if path else step


def joined(path: Json) -> str:
    """Return a path of a plan as it is written here."""
    whole = ""
    for step in items(path):
        plain = isinstance(step, str | int) and not isinstance(step, Digits)
        whole = _step(whole, step if plain else str(step))  # type: ignore[arg-type]
    return whole


def fields(value: Json) -> Mapping[str, Json]:
    """Return a map, or an empty one for all else."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> Sequence[Json]:
    """Return a list, or an empty one for all else."""
    return value if isinstance(value, list) else []
