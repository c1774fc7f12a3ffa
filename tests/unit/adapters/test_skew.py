"""Clocks that differ close the gate; those that agree are nobody's business."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from countersign.adapters.cluster.skew import MAX_SKEW_S, TimelyBook, ahead_of
from countersign.core.errors import Stale
from countersign.core.types.governance import Regime
from countersign.ports import PolicySnapshot


class Server:
    """Tells how far we are ahead."""

    def __init__(self, ahead_s: float | None) -> None:
        self.ahead_s = ahead_s


class Knows:
    """Is asked, or not."""

    def __init__(self) -> None:
        self.asked = 0

    def snapshot(self) -> PolicySnapshot:
        """Count."""
        self.asked += 1
        return PolicySnapshot(policies=(), invalid=(), revocations=(), protected=())

    async def regime(self, root: str) -> Regime:
        """Count, too."""
        del root
        self.asked += 1
        return Regime(roster=None, problems=(), revocations=(), unread=frozenset())


@pytest.mark.parametrize("ahead_s", [None, 0.0, -MAX_SKEW_S, MAX_SKEW_S])
def test_asks_while_the_clocks_agree(ahead_s: float | None) -> None:
    """Or before the server told any time: then there was no first list either."""
    book = Knows()
    timely = TimelyBook(book, Server(ahead_s))

    timely.snapshot()

    assert (book.asked, timely.trouble()) == (1, ())


@pytest.mark.parametrize(
    ("ahead_s", "told"), [(-400.0, "400 s behind"), (301.0, "301 s ahead of")]
)
def test_knows_nothing_while_they_differ(ahead_s: float, told: str) -> None:
    """Fault seen caught: a clock that is behind taken for one that is right."""
    book = Knows()
    timely = TimelyBook(book, Server(ahead_s))

    with pytest.raises(Stale, match=told):
        timely.snapshot()

    assert book.asked == 0
    assert told in timely.trouble()[0]


async def test_nobody_governs_by_a_clock_that_is_wrong() -> None:
    """An admin whose time has passed would be one again.

    Fault seen caught: changes of our own objects judged beside the guard.
    """
    book, server = Knows(), Server(-400.0)
    timely = TimelyBook(book, server)

    with pytest.raises(Stale, match="400 s behind"):
        await timely.regime("platform")

    assert book.asked == 0
    server.ahead_s = 0.0
    await timely.regime("platform")
    assert book.asked == 1


def test_writes_one_line_when_they_begin_to_differ_and_one_when_they_agree(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However often it is asked: many requests a second are judged."""
    server = Server(0.0)
    timely = TimelyBook(Knows(), server)
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
