"""Who leads, who waits, and who stops before anybody else may begin."""

import asyncio
from dataclasses import dataclass, field

import pytest

from countersign.core.errors import Unavailable
from countersign.faces.operator.election import Election, while_held

LASTS_S = 0.3


@dataclass
class Seat:
    """What one has at a time.

    Attributes:
        holder: Who has it; ours is ``us``.
        down: Nobody answers.
        hangs: An answer never comes.
        asked: Set at each question.
        released: Whether it was let go.
    """

    holder: str = ""
    down: bool = False
    hangs: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    released: bool = False

    async def ask(self) -> bool:
        """Take it if it is free."""
        self.asked.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.down:
            raise Unavailable("nobody answers")
        self.holder = self.holder or "us"
        return self.holder == "us"

    async def release(self) -> None:
        """Let it go."""
        self.released, self.holder = True, ""


async def test_waits_until_it_is_free_and_says_for_whom() -> None:
    """Or until the process is to end."""
    seat, stop = Seat(holder="them"), asyncio.Event()
    election = Election(seat, LASTS_S)
    winning = asyncio.create_task(election.win(stop))
    await seat.asked.wait()
    assert not election.held.is_set()
    assert election.waiting() == "standing by: them leads"
    seat.holder = ""
    assert await winning
    assert election.held.is_set()

    stop.set()
    assert not await Election(Seat(holder="them"), LASTS_S).win(stop)


@pytest.mark.parametrize("trouble", ["down", "hangs"])
async def test_without_an_answer_nothing_is_written_and_nothing_ends(
    trouble: str,
) -> None:
    """It stops before the seat is another's, and goes on when it still is ours.

    Fault seen caught: an answer that never comes waited for without an end.
    """
    seat, stop = Seat(), asyncio.Event()
    election = Election(seat, LASTS_S)
    await election.win(stop)
    loop, working = asyncio.get_running_loop(), asyncio.Event()

    async def work() -> None:
        working.set()
        try:
            await asyncio.Event().wait()
        finally:
            working.clear()

    holding = asyncio.create_task(election.hold(stop))
    writing = asyncio.create_task(
        while_held(election, stop, lambda: asyncio.create_task(work()))
    )
    async with asyncio.timeout(10):
        await working.wait()
        setattr(seat, trouble, True)
        since = loop.time()
        await election.lost.wait()
        assert loop.time() - since < LASTS_S
        setattr(seat, trouble, False)
        await election.held.wait()
        await working.wait()
        assert not holding.done()
        stop.set()
        await asyncio.gather(holding, writing)
    assert not working.is_set()
    await election.leave()
    assert seat.released


async def test_who_finds_another_in_its_place_ends() -> None:
    """And lets go of nothing that is no longer its own."""
    seat, stop = Seat(), asyncio.Event()
    election = Election(seat, LASTS_S)
    await election.win(stop)
    seat.holder = "them"
    with pytest.raises(Unavailable, match="another one leads now: them"):
        await election.hold(stop)
    await election.leave()

    assert seat.holder == "them"
    assert not seat.released


async def test_alone_it_asks_nobody() -> None:
    """Without a Lease there are no others."""
    stop = asyncio.Event()
    election = Election(None, LASTS_S)
    assert await election.win(stop)
    stop.set()
    await election.hold(stop)

    assert election.held.is_set()
