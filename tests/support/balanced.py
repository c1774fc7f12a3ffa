"""What a Service is to the API server: an address behind which replicas come and go.

As kube-proxy does it, by connection: a new one goes to one of the present endpoints; a
standing one stays where it is, also when that endpoint is taken out. Nobody tries a
second endpoint where the first one does not answer.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, Self, TypeVar

T = TypeVar("T")
LOOPBACK = "127.0.0.1"
_BACKLOG = 1024
_CHUNK = 1 << 16


class Loop:
    """An asyncio loop in a thread of its own, while a block lasts."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` there; return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._cancelled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancelled(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Balancer:
    """The address, and what is behind it.

    Attributes:
        port: Where it listens.
        endpoints: Ports that new connections go to, in turn. Set it.
    """

    def __init__(self) -> None:
        self.port = 0
        self.endpoints: tuple[int, ...] = ()
        self._turn = count()
        self._standing: set[asyncio.StreamWriter] = set()

    async def listen(self) -> asyncio.Server:
        """Begin."""
        server = await asyncio.start_server(
            self._carry, LOOPBACK, 0, backlog=_BACKLOG, limit=_CHUNK
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def move(self, *endpoints: int) -> None:
        """Set the endpoints, and cut what stands, as idle connections end in time."""
        self.endpoints = endpoints
        for one in self._standing:
            one.transport.abort()

    async def _carry(
        self, near: asyncio.StreamReader, back: asyncio.StreamWriter
    ) -> None:
        ends = self.endpoints
        try:
            far, there = await asyncio.open_connection(
                LOOPBACK, ends[next(self._turn) % len(ends)], limit=_CHUNK
            )
        except (OSError, ZeroDivisionError):  # nobody listens, or there is none
            back.transport.abort()
            return
        self._standing.add(back)
        ways = [
            asyncio.create_task(_pump(near, there)),
            asyncio.create_task(_pump(far, back)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._standing.discard(back)
            for way in ways:
                way.cancel()
            for end in (there, back):
                end.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()


@contextmanager
def balancer(loop: Loop) -> Iterator[Balancer]:
    """Balance while the block lasts."""
    made = Balancer()
    server = loop.run(made.listen())

    async def close() -> None:
        server.close()

    try:
        yield made
    finally:
        loop.run(close())
