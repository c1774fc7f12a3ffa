"""Connections that hold no request: how many there may be, and for how long.

A place among the requests is taken only by a whole head. What comes before it, and who
does not read the answer, costs a connection: those are bounded here. So are those that
asked once and stay: where there are too many, who comes anew is let in for one of them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Middleware

logger = logging.getLogger(__name__)

MOST = 2048  # connections: all requests that may wait, and as many again
HEAD_S = 10.0  # from the first byte, or from connecting, to a whole head
READ_S = 10.0  # for the other side to read an answer
HANDSHAKE_S = 10.0
_TURN_S = 1.0  # between looks at who is late

Make = Callable[[], asyncio.Protocol]
Response = web.StreamResponse
Handler = Callable[[web.Request], Awaitable[Response]]


class _Connection(asyncio.Protocol):
    """One connection: everything is passed on to aiohttp's protocol.

    Attributes:
        transport: Its own, which each of its requests has, too.
        since: When something began that no request came of yet; None: nothing did.
        asking: Requests of it that are not answered yet.
        unread_since: When the other side stopped reading; None: it reads.
    """

    def __init__(self, door: "Door", inner: asyncio.Protocol) -> None:
        self._door = door
        self._inner = inner
        self.transport: asyncio.Transport | None = None
        self.since: float | None = None
        self.asking = 0
        self.unread_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.since = self._door.monotonic()
        self._inner.connection_made(transport)
        self._door.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.closed(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.since is None:
            self.since = self._door.monotonic()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self.unread_since = self._door.monotonic()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self.unread_since = None
        self._inner.resume_writing()

    def late(self, now: float) -> bool:
        """Tell whether nobody should wait for it any longer."""
        began = None if self.asking else self.since  # a request has its own limits
        slow = began is not None and now - began > HEAD_S
        return slow or (
            self.unread_since is not None and now - self.unread_since > READ_S
        )


class Door:
    """Makes a protocol for each connection, and knows them all.

    Args:
        make: Makes what speaks HTTP.
        monotonic: The clock.
    """

    def __init__(self, make: Make, monotonic: Callable[[], float]) -> None:
        self._make = make
        self.monotonic = monotonic
        self._open: dict[asyncio.BaseTransport | None, _Connection] = {}

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _Connection(self, self._make())

    def opened(self, connection: _Connection) -> None:
        """Keep a connection; where there are too many, let go of what is missed least.

        That is the one that has been silent for longest, else the one that has asked
        nothing for longest: an API server dials again where an idle one is closed.
        """
        if len(self._open) >= MOST:
            idle = [c for c in self._open.values() if not c.asking]
            silent = (c for c in idle if c.since is not None)
            self._cut([next(silent, next(iter(idle), connection))], "too many")
        self._open[connection.transport] = connection

    def closed(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._open.pop(connection.transport, None)

    def _used(self, connection: _Connection) -> None:
        """Move a connection behind all that have asked nothing since."""
        if self._open.pop(connection.transport, None) is not None:
            self._open[connection.transport] = connection

    def middleware(self) -> Middleware:
        """Return what notes that a request came of what was sent."""

        @web.middleware
        async def heard(request: web.Request, handler: Handler) -> Response:
            connection = self._open.get(request.transport)
            if connection is None:
                return await handler(request)
            connection.since = None  # from here on it has limits of its own
            connection.asking += 1
            try:
                return await handler(request)
            finally:
                connection.asking -= 1
                connection.since = None  # what came meanwhile was its body
                self._used(connection)

        return heard

    async def watch(self) -> None:
        """Cut off who is late, for ever."""
        while True:
            await asyncio.sleep(_TURN_S)
            self.look()

    def look(self) -> None:
        """Cut off who is late now."""
        now = self.monotonic()
        self._cut([c for c in self._open.values() if c.late(now)], "late")

    def _cut(self, connections: Iterable[_Connection], why: str) -> None:
        """Drop connections without a word, and write one line about all of them."""
        count = 0
        for connection in connections:
            if connection.transport is not None:
                self.closed(connection)  # now: it is told of its end only later
                connection.transport.abort()
                count += 1
        if count:
            logger.warning("connections_cut", extra={"why": why, "count": count})
