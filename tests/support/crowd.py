"""Many who all ask the API server at once, and go on asking until they are told to stop."""

import asyncio
import http
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.support.apiserver import Tree, context_of
from tests.support.balanced import Loop
from tools.stack.ready import until

_ID = re.compile(r"decision [0-9A-Z]{26}")
_LOST = "failed calling webhook"
_REQUEST_S = 60.0  # more than any server's patience: an end, not a measurement


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, and the answer that it must have.

    Attributes:
        method, path, body: Of the request.
        said: The server's message where it is refused; ``""``: it is admitted.
    """

    method: str
    path: str
    body: bytes
    said: str = ""
    content_type: str = "application/json"


@dataclass(slots=True)
class Seen:
    """What came back.

    Attributes:
        right: Answers as they must be; by whether they admit.
        lost: Requests that the webhook did not answer: what the API server said of each.
        wrong: Answers that are neither; ``(what must be, what was)``.
        most: Requests in flight at once, at the most.
    """

    right: Counter[bool] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    most: int = 0

    @property
    def answers(self) -> int:
        """All that came back."""
        return self.right.total() + len(self.lost) + len(self.wrong)


class Crowd:
    """Asks; `seen` says what came of it."""

    def __init__(self, kubeconfig: Path, asks: Sequence[Ask], size: int) -> None:
        self.seen = Seen()
        self._server, self._context = context_of(kubeconfig)
        self._asks = asks
        self._size = size
        self._stop = False
        self._flying = 0

    async def ask_on(self) -> None:
        """Ask, all at once, each again as soon as it is answered, until `stop`."""
        connector = aiohttp.TCPConnector(limit=0, ssl=self._context)
        timeout = aiohttp.ClientTimeout(total=_REQUEST_S)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout
        ) as session:
            people = (self._person(session, number) for number in range(self._size))
            await asyncio.gather(*people)

    async def stop(self) -> None:
        """Let nobody ask again."""
        self._stop = True

    def answered(self, more: int) -> None:
        """Wait for so many answers more than there are now."""
        wanted = self.seen.answers + more
        until(
            lambda: (
                "" if (n := self.seen.answers) >= wanted else f"{n} of {wanted} answers"
            ),
            what="answers",
        )

    def all_in_flight(self) -> None:
        """Wait until everybody has asked and waits for the answer."""
        until(
            lambda: "" if self.seen.most >= self._size else f"{self.seen.most} asked",
            what=f"{self._size} in flight",
        )

    async def _person(self, session: aiohttp.ClientSession, number: int) -> None:
        while not self._stop:
            ask = self._asks[number % len(self._asks)]
            self._flying += 1
            self.seen.most = max(self.seen.most, self._flying)
            try:
                status, said = await once(session, self._server, ask)
            finally:
                self._flying -= 1
            self._sort(ask, status, said)
            number += 1

    def _sort(self, ask: Ask, status: int, said: str) -> None:
        if said == ask.said:
            self.seen.right[status < http.HTTPStatus.BAD_REQUEST] += 1
        elif _LOST in said:
            self.seen.lost.append(said)
        else:
            self.seen.wrong.append((ask.said, said))


async def once(
    session: aiohttp.ClientSession, server: str, ask: Ask
) -> tuple[int, str]:
    """Ask once; return the status and, where it is refused, the message."""
    sent = session.request(
        ask.method,
        f"{server}{ask.path}",
        data=ask.body,
        headers={"Content-Type": ask.content_type},
    )
    async with sent as answer:
        text = await answer.text()
        if answer.status < http.HTTPStatus.BAD_REQUEST:
            return answer.status, ""
        tree: Tree = json.loads(text)
        return answer.status, _ID.sub("decision", str(tree["message"]))


def asked(kubeconfig: Path, ask: Ask) -> tuple[int, str]:
    """Ask once, alone."""

    async def alone() -> tuple[int, str]:
        server, context = context_of(kubeconfig)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context)
        ) as session:
            return await once(session, server, ask)

    return asyncio.run(alone())


@contextmanager
def crowd(
    loop: Loop, kubeconfig: Path, asks: Sequence[Ask], size: int
) -> Iterator[Crowd]:
    """Have `size` people ask while the block lasts, and their last answers after it."""
    made = Crowd(kubeconfig, asks, size)

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(made.ask_on())

    async def end(task: asyncio.Task[None]) -> None:
        await made.stop()
        await task

    task = loop.run(begin())
    try:
        yield made
    finally:
        loop.run(end(task))
