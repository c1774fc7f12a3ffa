"""What running the command line gives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and all that it printed."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Ran]
