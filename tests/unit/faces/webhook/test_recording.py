"""Decisions beside answers: named in time, or not named, and never in the way.

Seen to fail: with the wait unbounded, with a fault let through, and with the id in an
answer whose decision was not kept.
"""

import asyncio
import logging
from dataclasses import dataclass, field, replace

import pytest

from countersign.core.types.decision import Decision, Outcome
from countersign.core.types.verdict import Basis, Door, Filled, Reason, Verdict
from countersign.faces.webhook.recording import MAX_PENDING, PATIENCE_S, Recording
from countersign.usecases.judged import Judged
from countersign.wire.admission import Answer
from tests.support import a
from tests.support.findings import finding
from tests.support.world import SALT, World, create

_TREE = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": a.NAMESPACE},
}
DENIED = Judged(
    verdict=Verdict.of((), (finding(Reason.NO_EVIDENCE),)), policies=(a.policy(),)
)


@dataclass
class Journal:
    """Keeps decisions in memory; may hang, refuse, or be broken."""

    hangs: bool = False
    refuses: bool = False
    broken: bool = False
    kept: list[Decision] = field(default_factory=list)
    back: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, decision: Decision) -> bool:
        """Keep it."""
        if self.hangs:
            await self.back.wait()
        if self.broken:
            raise ZeroDivisionError
        if self.refuses:
            return False
        self.kept.append(decision)
        return True


@pytest.fixture(name="journal")
def _journal() -> Journal:
    return Journal()


@pytest.fixture(name="recording")
def _recording(journal: Journal) -> Recording:
    return Recording(journal, World(), cluster=a.CLUSTER, salt=SALT)


def say(decision: Decision | None) -> Answer:
    """Return an answer that names a decision."""
    message = f"denied as {decision.id}" if decision else "denied"
    return Answer(uid="1", allowed=False, message=message)


async def told(recording: Recording, judged: Judged = DENIED) -> str:
    """Return what the requester reads."""
    return (await recording.told(create(dict(_TREE)), judged, say, 8.0)).message


async def test_names_the_decision_that_was_kept(
    recording: Recording, journal: Journal
) -> None:
    """And keeps the message as it was read."""
    message = await told(recording)

    (kept,) = journal.kept
    assert message == kept.message == f"denied as {kept.id}"
    await recording.close()


async def test_names_none_that_was_not_kept(
    recording: Recording, journal: Journal
) -> None:
    """Nobody could look it up."""
    journal.refuses = True

    assert await told(recording) == "denied"


async def test_keeps_nothing_that_is_not_worth_it(
    recording: Recording, journal: Journal
) -> None:
    """A dry run, and what no policy is about."""
    dry = replace(create(dict(_TREE)), dry_run=True)
    await recording.told(dry, DENIED, say, 8.0)
    await told(recording, Judged(verdict=Verdict.out_of_scope()))

    assert journal.kept == []


async def test_a_fault_is_logged_and_the_answer_stands(
    recording: Recording, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """A side channel never changes a verdict."""
    caplog.set_level(logging.ERROR)
    journal.broken = True

    assert await told(recording) == "denied"
    assert "recording_failed" in caplog.text


async def test_waits_for_no_journal_that_hangs(
    recording: Recording, journal: Journal
) -> None:
    """The answer goes out; the decision is kept when that is possible again."""
    journal.hangs = True
    loop = asyncio.get_running_loop()
    begun = loop.time()
    message = await told(recording)
    waited_s = loop.time() - begun
    begun = loop.time()
    late = await recording.told(create(dict(_TREE)), DENIED, say, -1.0)
    late_s = loop.time() - begun
    journal.back.set()
    await recording.close()

    assert message == late.message == "denied"
    assert waited_s < PATIENCE_S + 1
    assert late_s < waited_s
    assert len(journal.kept) == 2


async def test_no_more_than_so_many_wait_at_once(
    recording: Recording, journal: Journal
) -> None:
    """Memory is bounded, whatever hangs."""
    journal.hangs = True
    many = [told(recording) for _ in range(MAX_PENDING + 20)]

    assert set(await asyncio.gather(*many)) == {"denied"}
    journal.back.set()
    await recording.close()
    assert len(journal.kept) == MAX_PENDING


async def test_denials_crowd_out_no_admission(
    recording: Recording, journal: Journal
) -> None:
    """Whoever breaks the glass could else make sure that nobody reviews it.

    Fault seen caught: one limit for all, which a burst of denials fills.
    """
    journal.hangs = True
    crowd = [asyncio.create_task(told(recording)) for _ in range(MAX_PENDING + 20)]
    await asyncio.wait(crowd)
    opened = Basis(
        policy="payments",
        door=Door.SIGNED,
        filled=(Filled("on-call", "olga", a.digest("grant")),),
        emergency="INC-7",
    )
    let_in = Judged(verdict=Verdict.of((opened,), ()), policies=(a.policy(),))

    many = [told(recording, let_in) for _ in range(2 * MAX_PENDING)]
    await asyncio.gather(*many)
    journal.back.set()
    await recording.close()

    kept = [decision.outcome for decision in journal.kept]
    assert kept.count(Outcome.DENIED) == kept.count(Outcome.ALLOWED) == MAX_PENDING
