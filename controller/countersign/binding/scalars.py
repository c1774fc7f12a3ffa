"""Normal forms of single values: what Go's decoder would make of them.

A normal form is JSON again, so that it can be compared, shown and hashed. Equal values
have equal normal forms, whatever their spelling.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from countersign.binding.tree import Value
from countersign.core.errors import Malformed

_QUANTITY = re.compile(
    r"\s*([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?\s*"
)
_NANOS: Mapping[str, int] = {
    **{suffix: 10 ** (3 * i) for i, suffix in enumerate(["n", "u", "m", ""])},
    **{suffix: 10 ** (12 + 3 * i) for i, suffix in enumerate("kMGTPE")},
    **{f"{letter}i": 1024 ** (i + 1) * 10**9 for i, letter in enumerate("KMGTPE")},
}
_MILLI = 10**6  # nanos
_SHORT = 32  # characters of a quantity that is remembered
_LARGEST = (2**63 - 1) * 10**9  # nanos; binary quantities are capped there


def _wrong(expected: str, value: Value) -> Malformed:
    return Malformed(f"expected {expected}, saw {str(value)[:40]!r}")


def nanos(value: Value) -> int:
    """Return a quantity in whole nanos, rounded away from zero.

    Raises:
        Malformed: `value` is no quantity.

    Source:
        ``ParseQuantity`` in apimachinery/pkg/api/resource/quantity.go.
    """
    if type(value) not in (str, int, float):
        raise _wrong("a quantity", value)
    parts = _QUANTITY.fullmatch(str(value))
    if not parts or not (parts[2] or parts[3]):
        raise _wrong("a quantity", value)
    sign, whole, fraction, suffix, exponent = parts.groups()
    digits = int((whole or "") + (fraction or ""))
    unit: int = 10 ** len(fraction or "")
    above, below = digits * _NANOS[suffix or ""], unit
    power = int(exponent or 0)
    ten: int = 10 ** abs(power)
    above, below = (above * ten, below) if power > 0 else (above, below * ten)
    amount = -(-above // below)
    if suffix and suffix.endswith("i"):
        amount = min(amount, _LARGEST)
    return -amount if sign == "-" else amount


def quantity_text(amount: int) -> str:
    """Write nanos in the shortest of the spellings that say exactly this."""
    texts = (
        f"{amount // unit}{suffix}"
        for suffix, unit in _NANOS.items()
        if amount % unit == 0
    )
    return min(texts, key=len) if amount else "0"


def _quantity(value: Value) -> str:
    return quantity_text(nanos(value))


def _milli_quantity(value: Value) -> str:
    """Round up to milli, as ``SetDefaults_ResourceList`` does (core/v1/defaults.go)."""
    if type(value) is str and len(value) <= _SHORT:
        return _usual_quantity(value)
    return _rounded(value)


@lru_cache(maxsize=1024)  # the same few, in every container
def _usual_quantity(text: str) -> str:
    return _rounded(text)


def _rounded(value: Value) -> str:
    amount = nanos(value)
    rounded = -(-abs(amount) // _MILLI) * _MILLI
    return quantity_text(rounded if amount >= 0 else -rounded)


def _exactly(kind: type, name: str) -> Callable[[Value], Value]:
    def check(value: Value) -> Value:
        if type(value) is not kind:
            raise _wrong(name, value)
        return value

    return check


def whole(value: Value) -> Value:
    """Return 1 for 1.0, everything else as it is: JSON has one kind of number."""
    return int(value) if type(value) is float and value.is_integer() else value


def _int(value: Value) -> int:
    number = whole(value)
    if type(number) is not int:
        raise _wrong("a whole number", value)
    return number


def _int_or_string(value: Value) -> int | str:
    return value if type(value) is str else _int(value)


def decode_base64(value: Value) -> bytes:
    """Decode as Go's ``base64.StdEncoding``, which ignores line breaks.

    Raises:
        Malformed: `value` is no padded standard base64.
    """
    if type(value) is not str:
        raise _wrong("base64", value)
    try:
        joined = value.replace("\r", "").replace("\n", "")
        return base64.b64decode(joined, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("expected base64, saw something else") from error


def encode_base64(value: bytes) -> str:
    """Encode as the API server does."""
    return base64.b64encode(value).decode()


def _bytes(value: Value) -> str:
    return encode_base64(decode_base64(value))


def _float(value: Value) -> Value:
    """Read a number as Go's float64 does: 1, 1.0 and 1e0 are one; digits may be lost."""
    if type(value) not in (int, float):
        raise _wrong("a number", value)
    try:
        return whole(float(value))
    except OverflowError as error:
        raise _wrong("a number that float64 can hold", value) from error


def _moment(value: Value) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise _wrong("an RFC 3339 time with its zone", value)
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong("an RFC 3339 time", value) from error


def _time(value: Value) -> str:
    """Write an RFC 3339 time as ``metav1.Time`` does: UTC, whole seconds."""
    return _moment(value).replace(microsecond=0).isoformat()


def _micro_time(value: Value) -> str:
    """Write an RFC 3339 time as ``metav1.MicroTime`` does: UTC, microseconds."""
    return _moment(value).isoformat(timespec="microseconds")


SCALARS: Mapping[str, Callable[[Value], Value]] = {
    "any": lambda value: value,
    "bool": _exactly(bool, "true or false"),
    "bytes": _bytes,
    "float": _float,
    "int": _int,
    "intOrString": _int_or_string,
    "microTime": _micro_time,
    "milliQuantity": _milli_quantity,
    "quantity": _quantity,
    "string": _exactly(str, "a string"),
    "time": _time,
}
"""The normal form of a non-null value, by the name that the type table gives it.

Each raises Malformed for a value that Go's decoder refuses.
"""

ZEROS: Mapping[str, Value] = {
    "any": None,
    "bool": False,
    "bytes": "",
    "float": 0,
    "int": 0,
    "intOrString": 0,
    "microTime": None,
    "milliQuantity": "0",
    "quantity": "0",
    "string": "",
    "time": None,
}
"""The normal form of Go's zero value; null in a list or map becomes this."""
