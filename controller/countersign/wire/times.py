"""Times and spans of time as Kubernetes and Go write them."""

import re
from datetime import UTC, datetime, timedelta

from countersign.core.errors import Malformed

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
DURATION = r"^([0-9]{1,9}(\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h|d))+$"
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d)")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


def parse_duration(text: str) -> timedelta:
    """Read a span of time as Go writes it, plus ``d``: ``72h``, ``1h30m``, ``30d``.

    Raises:
        Malformed: it is none, is negative, or is longer than Python can say.
    """
    if not re.fullmatch(DURATION, text):
        raise Malformed(
            f"expected a duration like 30d, 72h or 1h30m, saw {text[:80]!r}"
        )
    seconds = sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text))
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise Malformed(f"expected a shorter duration, saw {text[:80]!r}") from error


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 time; the result is in UTC.

    Raises:
        Malformed: it is none.
    """
    if not _RFC3339.fullmatch(text):
        raise Malformed(f"expected a time like 2026-11-22T19:00:00Z, saw {text[:80]!r}")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"expected a time that exists, saw {text[:80]!r}") from error
