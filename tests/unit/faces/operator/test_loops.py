"""The operator's loops: a fault of one reaches nobody else, and the end is prompt."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from countersign.adapters.cluster.client import Credentials
from countersign.core.errors import Misconfigured
from countersign.core.types.artifacts import Tree
from countersign.faces.operator.keeper import Keeper
from countersign.faces.operator.loops import News, operate
from countersign.usecases.debts import Debts
from tests.support import resources as stored
from tests.support.written import FakeServer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Noon:
    """A present that stands still."""

    def now(self) -> datetime:
        """Return it."""
        return NOON


@dataclass
class Books:
    """What is owed; falls over at the first look.

    Attributes:
        looked: Set at the second.
    """

    looks: int = 0
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    async def settle(self) -> Debts:
        """Fall over, then owe nothing."""
        self.looks += 1
        if self.looks == 1:
            raise ZeroDivisionError
        self.looked.set()
        return Debts()

    async def remind(self, owed: Debts) -> None:
        """Have nobody to tell."""
        assert owed == Debts()


async def nobody() -> Credentials:
    """Know no way to the API server."""
    raise Misconfigured("no credentials here")


async def test_what_falls_over_starts_again_and_the_rest_goes_on() -> None:
    """One loop has a bug, one has no credentials, one ends at once."""
    server, debts = FakeServer(), Books()
    server.store(stored.roster())
    followed, again = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        (again if followed.is_set() else followed).set()
        raise RuntimeError("nothing to follow")

    before = asyncio.all_tasks()
    running = asyncio.create_task(
        operate(
            Keeper(server, Noon(), "countersign"),
            debts.settle,
            remind=debts.remind,
            login=nobody,
            follow=follow,
            more={},
        )
    )
    async with asyncio.timeout(20):
        await asyncio.gather(debts.looked.wait(), again.wait())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert server.condition(stored.roster())["status"] == "True"
    assert asyncio.all_tasks() == before


async def test_news_that_comes_during_a_look_is_looked_at_after() -> None:
    """The later version of a set counts; the earlier one was not it."""
    news = News()
    old: Tree = {"metadata": {"name": "a"}}
    new: Tree = {"metadata": {"name": "a"}}
    news.tell("BundleSet", old)
    (taken,) = news.sets()
    news.tell("BundleSet", new)
    news.seen(taken)
    (left,) = news.sets()
    assert left is new

    news.seen(left)
    assert news.sets() == ()
    async with asyncio.timeout(5):
        await news.wait(60)
