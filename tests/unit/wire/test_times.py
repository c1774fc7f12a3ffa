"""Times and spans of time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.wire.times import parse_duration, parse_instant


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30d", timedelta(days=30)),
        ("72h", timedelta(hours=72)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("10s", timedelta(seconds=10)),
        ("250ms", timedelta(milliseconds=250)),
        ("3us", timedelta(microseconds=3)),
        ("0s", timedelta(0)),
    ],
)
def test_reads_durations_as_go_writes_them_and_days(text: str, span: timedelta) -> None:
    """One grammar for durations everywhere."""
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "d",
        "-1h",
        "+1h",
        "1 h",
        "1h ",
        "1w",
        "1h\n",
        "٣h",
        "1e3s",
        "9" * 400 + "d",
        "999999999d999999999d",
    ],
)
def test_refuses_what_is_no_duration(text: str) -> None:
    """No unit, no sign, no space, no other digits."""
    with pytest.raises(Malformed):
        parse_duration(text)


@given(st.integers(0, 99999), st.integers(0, 23), st.integers(0, 59))
def test_units_add_up(days: int, hours: int, minutes: int) -> None:
    """Seen to catch: minutes read as months, hours counted 360 s."""
    span = parse_duration(f"{days}d{hours}h{minutes}m")

    assert span == timedelta(days=days, hours=hours, minutes=minutes)


@given(st.text(max_size=40))
def test_arbitrary_text_raises_only_malformed(text: str) -> None:
    """Seen to catch: an OverflowError of timedelta."""
    for parse in (parse_duration, parse_instant):
        try:
            parse(text)
        except Malformed:
            continue


def test_reads_an_instant_in_any_zone_as_utc() -> None:
    """The server stores what people write."""
    assert parse_instant("2026-11-22T20:00:00+01:00") == datetime(
        2026, 11, 22, 19, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "2026-11-22T19:00:00",
        "2026-11-22 19:00:00Z",
        "2026-13-22T19:00:00Z",
        "2026-11-22T25:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "20261122T190000Z",
    ],
)
def test_refuses_what_is_no_instant(text: str) -> None:
    """Without a zone nobody knows when it is."""
    with pytest.raises(Malformed):
        parse_instant(text)
