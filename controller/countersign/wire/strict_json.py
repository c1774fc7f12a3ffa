"""JSON read so that two readers cannot disagree about it.

Python's and orjson's readers take the last of two equal keys, others the first; whoever
signs the one meaning and shows the other has won. So what is ambiguous is refused: equal
keys, ``NaN``, numbers that no float or 64-bit integer holds, lone surrogates. Nesting and
size are bounded before anything walks the result.

Source:
    RFC 8259, section 4 (unique names) and 8 (UTF-8); RFC 7493 (I-JSON).
"""

import json
import math
import re
from collections.abc import Iterable

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json

MAX_DEPTH = 64  # objects and arrays; Kubernetes' deepest schemas stay below 30
_MAX_INTEGER = 2**63  # what Go's int64 holds, hence what the API server stores
_MAX_DIGITS = 19  # of that; longer ones are not even converted
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _AmbiguousError(ValueError):
    """Readers could disagree."""


VERBATIM = "\0"
"""Name in the object that stands for a number as it is written."""


def parse_json(raw: bytes, *, limit: int, verbatim: bool = False) -> Json:
    """Parse one JSON value.

    Args:
        raw: UTF-8 without byte order mark.
        limit: Most bytes that are looked at.
        verbatim: Numbers that are no short integers are not read: ``{VERBATIM: digits}``
            stands for each, and no object may have that name.

    Raises:
        Malformed: it is longer than `limit`, nested deeper than `MAX_DEPTH`, no JSON,
            or readers could disagree about it.
    """
    if len(raw) > limit:
        raise Malformed(f"expected at most {limit} bytes of JSON, saw {len(raw)}")
    try:
        text = raw.decode()
        value: Json = json.loads(
            text,
            object_pairs_hook=_plain_object if verbatim else _object,
            parse_constant=_constant,
            parse_int=_short if verbatim else _integer,
            parse_float=_verbatim if verbatim else _float,
        )
    except RecursionError as error:
        raise Malformed(f"expected JSON nested at most {MAX_DEPTH} deep") from error
    except ValueError as error:  # no UTF-8, no JSON, or ambiguous
        raise Malformed(f"expected unambiguous JSON, saw: {error}") from error
    _bound_depth(value)
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _AmbiguousError(f"the key {twice[:80]!r} twice in one object")
    return value


def _plain_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = _object(pairs)
    if VERBATIM in value:
        raise _AmbiguousError("an object that stands for a number")
    return value


def _short(digits: str) -> Json:
    short = len(digits) < _MAX_DIGITS and digits != "-0"
    return int(digits) if short else _verbatim(digits)


def _verbatim(digits: str) -> Json:
    return {VERBATIM: digits}


def _constant(name: str) -> float:
    raise _AmbiguousError(f"{name}, which is no JSON")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) <= _MAX_DIGITS:
        value = int(digits)
        if -_MAX_INTEGER <= value < _MAX_INTEGER:
            return value
    raise _AmbiguousError(f"an integer beyond 64 bits: {digits[:30]}")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _AmbiguousError(f"a number beyond a double: {digits[:30]}")
    return value


def _bound_depth(value: Json) -> None:
    """Go down level by level: no recursion, whatever the input."""
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        level = _containers(
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
        )
    if level:
        raise Malformed(f"expected JSON nested at most {MAX_DEPTH} deep")


def _containers(values: Iterable[Json]) -> list[dict[str, Json] | list[Json]]:
    return [value for value in values if isinstance(value, dict | list)]


def _refuse_lone_surrogates(value: Json) -> None:
    """Such strings have no UTF-8: they could be neither signed nor shown."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Malformed("expected Unicode text, saw half of a character") from error
