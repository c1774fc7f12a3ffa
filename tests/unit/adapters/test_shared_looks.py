"""A look is shared by all who asked before it began, and by nobody who asked after."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.cluster.shared_looks import SharedLooks
from countersign.core.errors import Unavailable

_SOON = 5.0


class Place:
    """Counts its looks; each sees what was written before it began."""

    def __init__(self) -> None:
        self.written = self.looks = self.seen = 0
        self.faulty = False

    async def look(self, place: str) -> None:
        """Look, for a while."""
        del place
        self.looks += 1
        found = self.written
        await asyncio.sleep(0)
        if self.faulty:
            raise Unavailable("away")
        self.seen = found


@pytest.fixture(name="place")
def _place() -> Place:
    return Place()


async def test_hundreds_at_once_are_two_looks_at_the_most(place: Place) -> None:
    """Fault seen caught: one request of the API server for each denial."""
    shared = SharedLooks(place.look)

    await asyncio.gather(*(shared.at("payments") for _ in range(500)))

    assert place.looks <= 2


@given(st.lists(st.integers(0, 3), min_size=1, max_size=25))
def test_whoever_asks_sees_what_was_written_before(pauses: list[int]) -> None:
    """However those who ask are spread. Fault seen caught: joining a look under way."""

    async def all_of_them() -> None:
        place = Place()
        shared = SharedLooks(place.look)

        async def ask() -> None:
            place.written += 1
            mine = place.written
            await shared.at("payments")
            assert place.seen >= mine

        async with asyncio.timeout(_SOON), asyncio.TaskGroup() as tasks:
            for pause in pauses:
                for _ in range(pause):
                    await asyncio.sleep(0)
                tasks.create_task(ask())

    asyncio.run(all_of_them())


async def test_a_fault_is_told_to_all_and_kept_for_nobody(place: Place) -> None:
    """The next look is a new one."""
    shared, place.faulty = SharedLooks(place.look), True
    told = await asyncio.gather(
        *(shared.at("payments") for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in told] == [Unavailable] * 3

    place.faulty = False
    await shared.at("payments")


async def test_who_gives_up_leaves_the_look_to_the_others(place: Place) -> None:
    """One short deadline denies nobody else."""
    shared = SharedLooks(place.look)
    impatient, patient = (asyncio.create_task(shared.at("payments")) for _ in range(2))
    await asyncio.sleep(0)

    impatient.cancel()

    async with asyncio.timeout(_SOON):
        await patient
