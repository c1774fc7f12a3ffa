"""What is said of a trust root when something else is published."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from countersign.adapters.published.proposing import reach
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.published import Looked, Outcome
from countersign.faces.operator.keeper import Keeper
from countersign.faces.operator.loops import News
from countersign.faces.operator.mirrors import Mirrors
from countersign.telemetry import REGISTRY
from tests.support.mirror import Served, mirrored
from tests.support.sigstore import shared, stranger
from tests.support.written import FakeServer, path_of
from tests.unit.faces.operator.test_keeper import Clock
from tools.sigstore.trust_root import merged

NAME = "public-good"


@pytest.fixture(name="served")
def _served(tmp_path: Path) -> Iterator[Served]:
    with mirrored(shared().trusted_root(), tmp_path) as served:
        yield served


@dataclass
class Told:
    """A stand-in for events."""

    outcomes: list[Outcome] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def published(
        self, about: ObjectRef, version: str, uid: str, looked: Looked
    ) -> None:
        """Remember."""
        del about, version, uid
        self.outcomes.append(looked.outcome)
        self.news.set()


@dataclass
class Watched:
    """A trust root on a server, its keeper, and who looks where it is published."""

    served: Served
    server: FakeServer = field(default_factory=FakeServer)
    clock: Clock = field(default_factory=Clock)
    told: Any = field(default_factory=Told)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.server, self.clock, "countersign")
        self.mirrors = Mirrors(
            self.keeper,
            self.told,
            self.clock,
            reach=reach(ca_file=self.served.ca_file, loopback=True, look_s=20),
            every_s=0.01,
        )

    def store(self, trusted_root: Any, generation: int = 1) -> Any:
        """Put a trust root into force."""
        tree = self.served.trust_root(trusted_root, NAME)
        tree["metadata"] |= {"uid": "1", "generation": generation}
        self.server.store(tree)
        return tree

    async def look(self) -> dict[str, Any]:
        """Keep, look once, and keep again; return what is said."""
        await self.keeper.keep()
        news = News()
        news.read.set()
        self.told.news.clear()
        task = asyncio.create_task(self.mirrors.run(news))
        await self.told.news.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.clock.at += timedelta(hours=1)
        await self.keeper.keep()
        tree = self.served.trust_root({}, NAME)
        said: dict[str, Any] = self.server.condition(tree, "Current")
        return said


def metric(outcome: Outcome) -> float | None:
    """Return what is measured."""
    labels = {"trust_root": NAME, "outcome": outcome.value}
    return REGISTRY.get_sample_value("countersign_trust_mirror", labels)


async def test_other_trust_is_said_with_the_command(served: Served) -> None:
    """Until it is in force; then at once."""
    watched = Watched(served)
    watched.store(shared().trusted_root())
    assert (await watched.look())["status"] == "True"
    new = merged(shared().trusted_root(), stranger().trusted_root())
    served.repository.publish(json.dumps(new).encode())
    said = await watched.look()

    assert (said["status"], said["reason"]) == ("False", "NewPublished")
    assert "5 added" in said["message"]
    assert f"countersign trust refresh {NAME} --out {NAME}.yaml" in said["message"]
    assert (metric(Outcome.DIFFERS), metric(Outcome.SAME)) == (1, 0)

    watched.store(new, generation=2)
    await watched.keeper.keep()
    assert watched.server.condition(served.trust_root({}, NAME), "Current")[
        "status"
    ] == ("True")
    assert (await watched.look())["status"] == "True"


async def test_a_mirror_that_is_away_is_said_and_holds_nothing_up(
    served: Served,
) -> None:
    """The condition stays; one that expired, or lies, is to be acted on."""
    watched = Watched(served)
    watched.store(shared().trusted_root())
    kept = served.repository.files.pop("/timestamp.json")
    away = await watched.look()
    served.repository.lasts = timedelta(seconds=-1)
    served.repository.publish()
    watched.clock.at += timedelta(hours=1)
    expired = await watched.look()
    served.repository.files["/timestamp.json"] = kept.replace(b"a", b"b")
    rejected = await watched.look()

    assert (away["status"], away["reason"]) == ("True", "Current")
    assert "could not be looked at" in away["message"]
    assert (expired["status"], expired["reason"]) == ("False", "MirrorExpired")
    assert (rejected["status"], rejected["reason"]) == ("False", "MirrorRejected")
    assert watched.told.outcomes == [
        Outcome.UNREACHABLE,
        Outcome.EXPIRED,
        Outcome.REJECTED,
    ]
    assert all("stays in force" in one["message"] for one in (away, expired, rejected))


async def test_the_loop_goes_on_while_a_mirror_is_slow(served: Served) -> None:
    """It is asked in a thread."""
    watched = Watched(served)
    watched.store(shared().trusted_root())
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    await watched.look()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert turns > 100


async def test_nobody_is_asked_where_no_mirror_is_named(served: Served) -> None:
    """And what was measured of one that is gone goes."""
    watched = Watched(served)
    tree = watched.store(shared().trusted_root())
    await watched.look()
    del tree["spec"]["tuf"]
    watched.server.store(tree)
    await watched.keeper.keep()
    asked, news = len(served.repository.asked), News()
    news.read.set()
    task = asyncio.create_task(watched.mirrors.run(news))
    while metric(Outcome.SAME) is not None:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert len(served.repository.asked) == asked
    assert path_of(tree) in watched.server.kept
