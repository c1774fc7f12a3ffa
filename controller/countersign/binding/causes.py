"""Why something differs, as far as the two sides show it: so that advice can be given.

Nothing here decides: what differs is denied whatever its cause. The words and the advice
are in ``report``.
"""

import json
import re

from countersign.binding.argocd import HOOK_FINALIZER
from countersign.binding.comparison import Comparison
from countersign.binding.gated import gated
from countersign.binding.smallest import Place, smallest
from countersign.binding.tree import ABSENT, Value, differences, find, token
from countersign.core.types.artifacts import Cause, Difference, Tree

MAX_DIFFERENCES = 16
MAX_SHOWN = 160  # characters of a value in a difference
_CONTEXT = 40  # of them before the first character that differs
_MASK = "*****"
_SCALED = frozenset({"/spec/replicas", "/spec/parallelism"})
_MARK = re.compile(
    r"/metadata/(?:labels|annotations)/(?:app\.kubernetes\.io~1managed-by|"
    r"(?:meta\.helm\.sh|argocd\.argoproj\.io|(?:helm|kustomize)\.toolkit\.fluxcd\.io)~1.*)"
)


def explained(
    sides: Comparison, *, intent: Tree, secret: bool
) -> tuple[Difference, ...]:
    """Return where the sides differ, sorted by path, bounded; values of Secrets masked.

    Args:
        sides: Completed by all rules.
        intent: What was signed.
        secret: It is a Secret's.
    """
    if (
        next(differences(sides.wanted, sides.seen), None) is None
    ):  # the usual, and quick
        return ()
    places = [_widened(place, sides) for place in smallest(sides.wanted, sides.seen)]
    once = {place.path: place for place in places}
    droppable = {path for path, _, _ in gated(intent)}
    return tuple(
        _difference(once[path], sides, droppable, hidden=_hidden(path, secret=secret))
        for path in sorted(once)[:MAX_DIFFERENCES]
    )


def _hidden(path: str, *, secret: bool) -> bool:
    return secret and path.startswith(("/data", "/stringData"))


def _widened(place: Place, sides: Comparison) -> Place:
    """Name the whole of a list that the intent leaves out: nobody can write an item.

    As of ``policyTypes``, whose default depends on what else is there.
    """
    parts = place.path.split("/")
    for end in range(2, len(parts)):
        path = "/".join(parts[:end])
        one = find(sides.wanted, path)
        if type(one) is list and find(sides.written, path) is ABSENT:
            return Place(path, one, find(sides.seen, path))
    return place


def _difference(
    place: Place, sides: Comparison, droppable: set[str], *, hidden: bool
) -> Difference:
    if hidden:
        one, other = (v if v is ABSENT else _MASK for v in (place.one, place.other))
        place = place._replace(one=one, other=other, reordered=False)
    expected, seen = texts(place.one, place.other)
    return Difference(place.path, expected, seen, _cause(place, sides, droppable))


def _cause(place: Place, sides: Comparison, droppable: set[str]) -> Cause:
    path, one, other = place.path, place.one, place.other
    if place.reordered:
        return Cause.REORDERED
    if path in _SCALED and type(one) is int and type(other) is int:
        return Cause.SCALED
    if one is ABSENT:
        if _MARK.fullmatch(path) or other == [HOOK_FINALIZER]:
            return Cause.MARKED
        kept = other == sides.before(path)
        return Cause.KEPT if kept else Cause.UNSIGNED
    if find(sides.written, path) is ABSENT:
        return Cause.UNWRITTEN
    if other is not ABSENT:
        return Cause.OTHERWISE
    dropped = any(path == each or path.startswith(f"{each}/") for each in droppable)
    gone = dropped or _hollow(one, path, droppable)
    return Cause.DROPPED if gone else Cause.MISSING


def _hollow(value: Value, path: str, droppable: set[str]) -> bool:
    """Tell whether nothing is left of a struct without what the server may drop."""
    if type(value) is not dict or not value:
        return False
    items = ((f"{path}/{token(key)}", item) for key, item in value.items())
    return all(at in droppable or _hollow(item, at, droppable) for at, item in items)


def texts(one: Value, other: Value) -> tuple[str | None, str | None]:
    """Write two values as compact JSON, long ones around where they differ."""
    left, right = (
        None if value is ABSENT else json.dumps(value, ensure_ascii=False)
        for value in (one, other)
    )
    start = 0
    if (
        left is not None
        and right is not None
        and max(len(left), len(right)) > MAX_SHOWN
    ):
        pairs = enumerate(zip(left, right, strict=False))
        same = next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))
        start = max(0, same - _CONTEXT)
    return _cut(left, start), _cut(right, start)


def _cut(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    shown = f"…{text[start:]}" if start else text
    return shown if len(shown) <= MAX_SHOWN else f"{shown[: MAX_SHOWN - 1]}…"
