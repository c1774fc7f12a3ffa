"""Clocks that differ close the gate; those that agree are nobody's business."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from countersign.adapters.cluster.skew import MAX_SKEW_S, TimelyBook, ahead_of
from countersign.core.errors import Stale
from countersign.ports import PolicySnapshot


class Server:
    """Tells how far we are ahead."""

    def __init__(self, ahead_s: float | None) -> None:
        self.ahead_s = ahead_s


class Book:
    """Is asked, or not."""

    def __init__(self) -> None:
        self.asked = 0

    def snapshot(self) -> PolicySnapshot:
        """Count."""
        self.asked += 1
        return PolicySnapshot(policies=(), invalid=(), revocations=(), protected=())


@pytest.mark.parametrize("ahead_s", [None, 0.0, -MAX_SKEW_S, MAX_SKEW_S])
def test_asks_while_the_clocks_agree(ahead_s: float | None) -> None:
    """Or before the server told any time: then there was no first list either."""
    book = Book()
    timely = TimelyBook(book, Server(ahead_s))

    timely.snapshot()

    assert (book.asked, timely.trouble()) == (1, ())


@pytest.mark.parametrize(
    ("ahead_s", "told"), [(-400.0, "400 s behind"), (301.0, "301 s ahead of")]
)
def test_knows_nothing_while_they_differ(ahead_s: float, told: str) -> None:
    """Fault seen caught: a clock that is behind taken for one that is right."""
    book = Book()
    timely = TimelyBook(book, Server(ahead_s))

    with pytest.raises(Stale, match=told):
        timely.snapshot()

    assert book.asked == 0
    assert told in timely.trouble()[0]


def test_writes_one_line_when_they_begin_to_differ_and_one_when_they_agree(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However often it is asked: many requests a second are judged."""
    server = Server(0.0)
    timely = TimelyBook(Book(), server)
    for ahead_s in (0.0, 1000.0, 1001.0, 1002.0, 0.0, 1.0):
        server.ahead_s = ahead_s
        timely.trouble()

    said = [record.getMessage() for record in caplog.records]
    assert said == ["clocks_differ", "clocks_agree"]


def test_reads_the_server_s_clock() -> None:
    """As HTTP writes it (RFC 9110, 5.6.7); what is no date tells nothing."""
    then = datetime.now(UTC) - timedelta(hours=1)

    ahead_s = ahead_of(format_datetime(then, usegmt=True))

    assert ahead_s is not None
    assert 3599 <= ahead_s < 3700
    assert ahead_of("") is ahead_of("yesterday") is None
