"""What is logged of watches that fail: a line when it begins, a line when it is over.

There are some twenty watches, and all of them fail together when the API server is away,
again and again. Whoever reads the log then wants to know that, since when, and when it
was over; not twenty kinds every few seconds. How often each fails is a metric.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

from countersign.adapters.cluster.source import Away, Gone
from countersign.core.errors import Unavailable

logger = logging.getLogger(__name__)

_STARTING = 3  # refusals of a server that comes back: it does not know its roles yet


class Lapses:
    """Tells of the watches of one API server.

    Args:
        monotonic: A clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since = 0.0
        self._away: set[str] = set()
        self._gone: set[str] = set()
        self._refused: set[str] = set()
        self._refusals: Counter[str] = Counter()

    def fail(self, kind: str, error: Unavailable) -> None:
        """Note that the watch of `kind` failed."""
        match error:
            case Away():
                if not self._away:
                    self._since = self._monotonic()
                    told = {"kind": kind, "error": str(error)}
                    logger.warning("api_server_away", extra=told)
                self._away.add(kind)
            case Gone():
                if not (self._gone or self._away):
                    told = {"kind": kind, "error": str(error)}
                    logger.info("listed_again", extra=told)
                self._gone.add(kind)
            case _:
                self._refuse(kind, error)

    def back(self, kind: str) -> None:
        """Note that the server has told all there is of `kind`."""
        self._gone.discard(kind)
        self._refusals.pop(kind, None)
        if kind in self._refused:
            self._refused.discard(kind)
            logger.info("watch_back", extra={"kind": kind})
        self._no_longer_away(kind)

    def _refuse(self, kind: str, error: Unavailable) -> None:
        self._refusals[kind] += 1
        if kind in self._away and self._refusals[kind] < _STARTING:
            return
        if kind not in self._refused:
            self._refused.add(kind)
            told = {"kind": kind, "error": str(error)}
            logger.warning("watch_failed", extra=told)
        self._no_longer_away(kind)  # it answers

    def _no_longer_away(self, kind: str) -> None:
        if kind in self._away:
            self._away.discard(kind)
            if not self._away:
                away_s = round(self._monotonic() - self._since, 3)
                logger.info("api_server_back", extra={"away_s": away_s})
