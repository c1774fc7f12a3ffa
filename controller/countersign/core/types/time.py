"""Spans of time. All instants are aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime

from countersign.core.errors import Malformed


def require_zone(*instants: datetime | None) -> None:
    """Refuse instants without a time zone; None stands for no instant.

    Raises:
        Malformed: an instant has no time zone, so that nobody knows when it is.
    """
    for instant in instants:
        if instant is not None and instant.tzinfo is None:
            raise Malformed(f"expected a time with its zone, saw {instant}")


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` to `end`, both included; None is open.

    Raises:
        Malformed: it ends before it starts, or an instant has no time zone.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        require_zone(self.start, self.end)
        if self.start is not None and self.end is not None and self.end < self.start:
            raise Malformed(f"expected a span, saw one that ends before {self.start}")

    def holds(self, at: datetime) -> bool:
        """Tell whether `at` lies inside."""
        after = self.start is None or self.start <= at
        return after and (self.end is None or at <= self.end)


ALWAYS = Interval()
