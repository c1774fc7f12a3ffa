"""Custom kinds, as the watch of their definitions has them."""

import pytest

from countersign.adapters.cluster.definitions import (
    PATH,
    WatchedDefinitions,
    read_kinds,
)
from countersign.adapters.cluster.watch import Pace
from countersign.core.errors import Stale, Unavailable
from tests.support.watched import Clock, FakeLists, running, until
from tests.unit.binding.test_custom import definition, version, widget

NAME = "widgets.shop.example"


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="server")
def _server(clock: Clock) -> FakeLists:
    return FakeLists(clock)


@pytest.fixture(name="definitions")
def _definitions(server: FakeLists, clock: Clock) -> WatchedDefinitions:
    pace = Pace(watch_s=20, stale_s=60, monotonic=clock.monotonic, sleep=clock.sleep)
    return WatchedDefinitions(server, pace)


async def test_nothing_is_known_before_the_first_list(
    definitions: WatchedDefinitions,
) -> None:
    """An empty cache is not a cluster without custom kinds."""
    assert definitions.trouble()
    with pytest.raises(Unavailable, match="no first list"):
        definitions.kinds()


async def test_follows_what_changes(
    server: FakeLists, definitions: WatchedDefinitions
) -> None:
    """And is the same value meanwhile: what was made of it can stay."""
    await server.put(PATH, definition())
    async with running(definitions.watch):
        await until(lambda: not definitions.trouble())
        first = definitions.kinds()
        assert first.known(widget())
        assert definitions.kinds() is first

        await server.put(PATH, definition(version(), version("v2")))
        await until(lambda: definitions.kinds().known(widget("v2")))
        assert not first.known(widget("v2"))

        await server.remove(PATH, NAME)
        await until(lambda: not definitions.kinds().known(widget()))


async def test_what_is_old_is_not_believed(
    server: FakeLists, clock: Clock, definitions: WatchedDefinitions
) -> None:
    """A definition may have changed since."""
    async with running(definitions.watch):
        await until(lambda: not definitions.trouble())
        server.silent = True
        clock.now += 61

        with pytest.raises(Stale, match="limit 60 s"):
            definitions.kinds()


async def test_read_once(server: FakeLists) -> None:
    """Who may not look knows the built-in kinds."""
    await server.put(PATH, definition())

    assert (await read_kinds(server)).known(widget())
    server.down = True
    assert not (await read_kinds(server)).known(widget())
