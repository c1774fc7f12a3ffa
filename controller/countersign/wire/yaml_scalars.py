"""What an unquoted word of YAML means to Kubernetes.

sigs.k8s.io/yaml is YAML 1.1 with corrections; PyYAML's own rules differ: for them
``12:30:45`` is a number, ``2024-01-01`` a date and ``1e3`` a string.

Source:
    go.yaml.in/yaml/v2 v2.4.4, ``resolve.go``; for keys ``convertToJSONableObject`` in
    sigs.k8s.io/yaml v1.6.0, ``yaml.go``.
"""

import math
import re

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INTEGER = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)"
)
_FRACTION = re.compile(  # read by Go's ParseFloat, which knows where a _ may stand
    r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

# Keys that are no strings, in the one spelling that kubectl makes of them: numbers as
# shortest float32 ('g'), which has no exponent for so few digits.
_PLAIN_KEY = re.compile(
    r"true|false|0|-?[1-9][0-9]{0,17}|-?(?=[0-9.]{3,6}$)(?:0|[1-9][0-9]*)\.[0-9]*[1-9]"
)


def plain(text: str) -> Json:
    """Return what an unquoted text means.

    Raises:
        Malformed: a number that JSON or Kubernetes cannot hold exactly.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INFINITE.fullmatch(text):
        raise Malformed(f"expected a number that JSON has, saw {text}")
    if text[0] == ".":
        return _float(text, text) if _FRACTION.fullmatch(text) else text
    digits = text.replace("_", "") if text[0] != "_" else text
    if _INTEGER.fullmatch(digits):
        return _integer(digits, text)
    return _float(digits, text) if _FLOAT.fullmatch(digits) else text


def plain_key(text: str) -> str | None:
    """Return the key that an unquoted number or truth value becomes, or None.

    Only where all readers make the same of it: ``8080``, not ``010``, ``1.20`` or ``on``.
    """
    return text if _PLAIN_KEY.fullmatch(text) else None


def _integer(digits: str, text: str) -> Json:
    """Read an integer with Go's prefixes: 0x, 0b, 0o, and 0 for octal.

    One with a prefix that no 64 bits hold is a string: an address, a hash.
    """
    sign, bare = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
    prefix = bare[:2].lower()
    prefixed = prefix in ("0x", "0b", "0o")
    if prefixed:
        number = int(bare[2:], {"0x": 16, "0b": 2, "0o": 8}[prefix])
    else:
        number = int(bare, 8 if bare[0] == "0" else 10) if len(bare) < 65 else 2**64  # noqa: PLR2004 - more digits than 64 bits
    if number < 2**63:
        return sign * number
    if prefixed and number >= 2**64:
        return text
    raise Malformed(f"expected an integer of 64 bits, saw {text[:40]}: quote it")


def _float(digits: str, text: str) -> Json:
    """Read a float; one beyond a double is a string, such as the commit 12e4567."""
    number = float(digits)
    return text if math.isinf(number) else number
