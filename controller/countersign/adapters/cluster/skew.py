"""Our clock against the API server's: where they differ, one of them is wrong.

A clock that is behind makes good again what has expired, one that is ahead believes what
is not signed yet. Nobody here can tell which of two is right, so nothing is judged.
"""

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from countersign.core.errors import Stale
from countersign.core.types.governance import Regime
from countersign.ports import PolicyBook, PolicySnapshot, RootBook

logger = logging.getLogger(__name__)

MAX_SKEW_S = 300.0  # seconds, as Kerberos allows (RFC 4120, 1.6)


class Timed(Protocol):
    """What heard the server's clock.

    Attributes:
        ahead_s: Seconds that our clock was ahead when the server last told its time;
            less than 0: behind; None: it told no time yet.
    """

    ahead_s: float | None


def ahead_of(date: str) -> float | None:
    """Return how far our clock is ahead of a header ``Date`` that just came, in seconds.

    What it took to come counts as ours, which is little beside the limit.
    """
    try:
        said = parsedate_to_datetime(date)
    except ValueError:
        return None
    theirs = said if said.tzinfo else said.replace(tzinfo=UTC)
    return (datetime.now(UTC) - theirs).total_seconds()


class Book(PolicyBook, RootBook, Protocol):
    """What is asked of requests, and who says so."""


class TimelyBook:
    """A PolicyBook and RootBook that is as good as closed while the clocks differ.

    Args:
        book: Is asked while they agree.
        server: Whose clock ours is held against.
    """

    def __init__(self, book: Book, server: Timed) -> None:
        self._book = book
        self._server = server
        self._differed = False

    def snapshot(self) -> PolicySnapshot:
        """Return the present policies; see the port.

        Raises:
            Stale: the clocks differ by more than `MAX_SKEW_S`.
        """
        self._must_agree()
        return self._book.snapshot()

    async def regime(self, root: str) -> Regime:
        """Return who governs; see the port.

        Raises:
            Stale: the clocks differ by more than `MAX_SKEW_S`.
        """
        self._must_agree()
        return await self._book.regime(root)

    def _must_agree(self) -> None:
        for told in self.trouble():
            raise Stale(told)

    def trouble(self) -> tuple[str, ...]:
        """Return why nothing can be judged now; empty: the clocks agree.

        A line is written when they begin to differ, and when they agree again.
        """
        ahead_s = self._server.ahead_s
        differ = ahead_s is not None and abs(ahead_s) > MAX_SKEW_S
        if differ != self._differed:
            self._differed = differ
            said = "clocks_differ" if differ else "clocks_agree"
            logger.warning(said, extra={"ahead_s": ahead_s, "limit_s": MAX_SKEW_S})
        if ahead_s is None or not differ:
            return ()
        how = "ahead of" if ahead_s > 0 else "behind"
        told = f"the clock here is {abs(ahead_s):.0f} s {how} the API server's"
        return (f"{told}, limit {MAX_SKEW_S:g} s",)
