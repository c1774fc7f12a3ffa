"""Waits for time stamps to differ."""

from datetime import UTC, datetime, timedelta

from tools.stack.ready import until


def in_another_second() -> None:
    """Return in the next second: stamps have no finer ones."""
    now = datetime.now(UTC).replace(microsecond=0)
    until(
        lambda: "" if datetime.now(UTC) >= now + timedelta(seconds=1) else "the same",
        what="the next second",
    )
