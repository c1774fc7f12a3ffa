"""Which connections are let go, and that nobody is who is being answered."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from countersign.faces.webhook import connections
from countersign.faces.webhook.connections import HEAD_S, Door

_FEW = 4


class Wire(asyncio.Transport):
    """Remembers that it was cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = False

    def abort(self) -> None:
        """Be cut off."""
        self.cut = True


class House:
    """A door, its clock, and who came."""

    def __init__(self) -> None:
        self.now = 0.0
        self.door = Door(asyncio.Protocol, lambda: self.now)
        self._heard = self.door.middleware()
        self._knows: dict[Wire, Any] = {}

    def comes(self) -> Wire:
        """Let somebody connect."""
        wire = Wire()
        self._knows[wire] = self.door()
        self._knows[wire].connection_made(wire)
        return wire

    def says(self, wire: Wire) -> None:
        """Have some bytes of somebody arrive."""
        self._knows[wire].data_received(b"x")

    async def asks(self, wire: Wire, during: Callable[[], None] = lambda: None) -> None:
        """Have somebody ask a whole request, and be answered."""

        async def answer(request: web.Request) -> web.Response:
            del request
            during()
            return web.Response()

        request: Any = SimpleNamespace(transport=wire)
        await self._heard(request, answer)


@pytest.fixture(name="house")
def _house(monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(connections, "MOST", _FEW)
    return House()


async def test_those_who_asked_once_and_stay_keep_nobody_out(house: House) -> None:
    """Anybody may ask for /healthz, and keep the connection for three minutes.

    Fault seen caught: only silent ones let go, so that whoever came anew was: the API
    server, and the kubelet that asks whether we are ready.
    """
    stay = [house.comes() for _ in range(_FEW)]
    for wire in stay:
        await house.asks(wire)
    await house.asks(stay[0])

    new = house.comes()
    await house.asks(new)

    assert not new.cut
    assert [wire.cut for wire in stay] == [False, True, False, False]


async def test_who_is_silent_goes_before_who_asked(house: House) -> None:
    """The oldest of them, and each once."""
    asked = house.comes()
    await house.asks(asked)
    silent = [house.comes() for _ in range(_FEW - 1)]

    house.comes()
    house.comes()

    assert [wire.cut for wire in (asked, *silent)] == [False, True, True, False]


async def test_who_is_being_answered_stays(house: House) -> None:
    """Also when nobody is idle: then whoever comes has to come again."""
    first = house.comes()
    late: list[Wire] = []

    def crowd() -> None:
        late.extend(house.comes() for _ in range(_FEW + 1))

    await house.asks(first, crowd)

    assert not first.cut
    assert [wire.cut for wire in late] == [True, True, False, False, False]


async def test_a_long_judgement_is_waited_for(house: House) -> None:
    """A body that came after its head is no head that is late.

    Fault seen caught: what took over ten seconds to judge was cut off without an answer,
    though the API server waits for up to thirty.
    """
    wire = house.comes()

    def judged() -> None:
        house.says(wire)
        house.now += HEAD_S + 1
        house.door.look()

    await house.asks(wire, judged)
    assert not wire.cut

    house.says(wire)
    house.now += HEAD_S + 1
    house.door.look()
    assert wire.cut
