"""What is in flight is bounded in number and in bytes, and nobody is forgotten."""

import asyncio
from contextlib import AsyncExitStack, ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.faces.webhook.load import _SMALL, _WAITING, Load, Room

_SOON = 5.0
_NEVER = 0.0
_LARGE = _SMALL + 1


def test_counts_those_who_wait_and_sends_the_rest_away() -> None:
    """What leaves makes room."""
    load = Load(in_flight=2, body_bytes=1000)
    places = 2 * (1 + _WAITING)
    with ExitStack() as held:
        seen = [held.enter_context(load.enter()) for _ in range(places + 3)]
        assert load.here == places

    assert seen == [True] * places + [False] * 3
    assert (load.here, load.came) == (0, places)


async def test_only_so_many_are_judged_at_once() -> None:
    """The others wait, and give up."""
    load = Load(in_flight=2, body_bytes=1)
    async with load.turn(_SOON), load.turn(_SOON):
        with pytest.raises(TimeoutError):
            async with load.turn(_NEVER):
                pass
    async with load.turn(_NEVER):
        pass


async def test_small_bodies_do_not_wait_behind_large_ones() -> None:
    """Fault seen caught: whoever announces large bodies and sends none stops all."""
    load = Load(in_flight=1, body_bytes=2 * _LARGE)
    async with load.body(2 * _LARGE, _SOON):
        with pytest.raises(TimeoutError):
            async with load.body(_LARGE, _NEVER):
                pass
        async with load.body(_SMALL, _NEVER):
            pass


async def test_a_fault_gives_the_place_back() -> None:
    """Seen to catch: places that leak until nothing is judged."""
    load = Load(in_flight=1, body_bytes=_LARGE)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with load.body(_LARGE, _NEVER), load.turn(_NEVER):
                raise RuntimeError


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=30),
)
def test_everybody_gets_a_turn_in_order_and_never_too_many(
    places: int, asked: list[tuple[int, bool]]
) -> None:
    """Whoever is impatient leaves, and stops nobody.

    Args:
        places: Of the room.
        asked: What each wants, and whether it is cancelled at once.

    Faults seen caught: a place kept for one who had left; those behind one who left not
    looked at again; the room given twice.
    """

    async def all_of_them() -> None:
        room, held, most, order = Room(places), 0, 0, list[int]()

        async def one(number: int, count: int) -> None:
            nonlocal held, most
            async with room.take(count, _SOON):
                held += min(count, places)
                most = max(most, held)
                order.append(number)
                try:
                    await asyncio.sleep(0)
                finally:
                    held -= min(count, places)

        tasks = [
            asyncio.create_task(one(number, count))
            for number, (count, _) in enumerate(asked)
        ]
        await asyncio.sleep(0)
        for task, (_, leaves) in zip(tasks, asked, strict=True):
            if leaves:
                task.cancel()
        async with asyncio.timeout(_SOON):
            await asyncio.gather(*tasks, return_exceptions=True)
            async with AsyncExitStack() as whole:  # all of it is free again
                await whole.enter_async_context(room.take(places, _NEVER))

        stayed = {n for n, (_, leaves) in enumerate(asked) if not leaves}
        assert stayed <= set(order)
        assert order == sorted(order)
        assert most <= places

    asyncio.run(all_of_them())
