"""What a registry asks for when it answers 401.

Source:
    RFC 9110, 11.6.1; github.com/distribution/distribution docs/content/spec/auth/token.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

_MAX_HEADER = 4096  # characters; what is longer is not looked at
_MAX_HEADERS = 4  # of that name
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, 5.6.2
_PIECE = re.compile(
    rf"[\s,]*(?:(?P<name>{_TOKEN})\s*=\s*"
    rf'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>{_TOKEN}))'
    rf"|(?P<scheme>{_TOKEN})(?=\s|,|$))"
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to say who we are.

    Attributes:
        scheme: Lowercase: ``bearer``, ``basic``.
        parameters: By lowercase name; of equal ones the first.
    """

    scheme: str
    parameters: dict[str, str]


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Read ``WWW-Authenticate`` headers; what cannot be read ends its header."""
    found: list[Challenge] = []
    for header in islice(headers, _MAX_HEADERS):
        found.extend(_parse(header[:_MAX_HEADER]))
    return tuple(found)


def _parse(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    at = 0
    while piece := _PIECE.match(header, at):
        at = piece.end()
        if piece["scheme"]:
            found.append(Challenge(piece["scheme"].lower(), {}))
        elif found:
            quoted = piece["quoted"]
            value = piece["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
            found[-1].parameters.setdefault(piece["name"].lower(), value)
    return found
