"""Spans of time. All instants are aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime

from countersign.core.errors import Malformed


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` to `end`, both included; None is open.

    Raises:
        Malformed: it ends before it starts, or an instant has no time zone.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant is not None and instant.tzinfo is None:
                raise Malformed(f"expected a time with its zone, saw {instant}")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise Malformed(f"expected a span, saw one that ends before {self.start}")

    def holds(self, at: datetime) -> bool:
        """Tell whether `at` lies inside."""
        after = self.start is None or self.start <= at
        return after and (self.end is None or at <= self.end)


ALWAYS = Interval()
