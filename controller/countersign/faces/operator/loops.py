"""The loops of the operator, beside the recorder in one process.

A fault here is logged, and what failed starts again: nothing of it reaches the recorder,
and no verdict rests on any of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from countersign.adapters.cluster.stores import key_of
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree
from countersign.faces.operator.keeper import Keeper
from countersign.faces.operator.watching import Login, watch
from countersign.telemetry import OPERATOR_FAILURES, REVIEW_DEBTS, STATUS_WRITES
from countersign.usecases.debts import Debts
from countersign.wire.resources.kinds import BUNDLE_SET

logger = logging.getLogger(__name__)

_GATHER_S = 0.5  # after the first news: a burst is one look
_AGAIN_S = 60.0  # between looks that nothing asked for: time passes, too
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0  # after a fault


class News:
    """What kopf told and nobody has looked at yet.

    Attributes:
        evidence: Set when there is news of a BundleSet.
        read: Set once the policies were read.
        count: Of news of BundleSets so far.
    """

    def __init__(self) -> None:
        self._sets: dict[tuple[str, str], Tree] = {}
        self._there = asyncio.Event()
        self.evidence = asyncio.Event()
        self.read = asyncio.Event()
        self.count = 0

    def tell(self, kind: str, tree: Tree) -> None:
        """Take note; a later version of a BundleSet replaces an earlier one."""
        if kind == BUNDLE_SET.name:
            self._sets[key_of(tree)] = tree
            self.count += 1
            self.evidence.set()
        self._there.set()

    async def wait(self, longest_s: float) -> None:
        """Return at the first news, or after `longest_s` seconds; then all is taken."""
        await _set(self._there, longest_s)
        self._there.clear()

    def sets(self) -> tuple[Tree, ...]:
        """Return the BundleSets that were told of."""
        return tuple(self._sets.values())

    def seen(self, tree: Tree) -> None:
        """Forget a BundleSet, unless more was told of it meanwhile."""
        if self._sets.get(key_of(tree)) is tree:
            del self._sets[key_of(tree)]


Work = Callable[[News], Awaitable[None]]
"""A loop that heeds the news."""


async def operate(
    keeper: Keeper,
    settle: Callable[[], Awaitable[Debts]],
    *,
    remind: Callable[[Debts], Awaitable[None]],
    login: Login,
    follow: Callable[[], Awaitable[None]],
    more: Mapping[str, Work],
) -> None:
    """Keep conditions and debts true, for ever; raises nothing.

    Args:
        keeper: Of conditions.
        settle: Closes what was reviewed, and returns what is owed.
        remind: Tells people of what is owed.
        login: Credentials for kopf; called in another thread.
        follow: Keeps evidence beside objects known, for ever.
        more: Further loops, by the name of the part, given the news.
    """
    news = News()
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "kopf": lambda: watch(login, news.tell),
        "evidence": follow,
        "conditions": lambda: _keep(keeper, news),
        "debts": lambda: _settle(settle, remind, news),
        **{name: partial(work, news) for name, work in more.items()},
    }
    tasks = [asyncio.create_task(_ever(part, work)) for part, work in parts.items()]
    try:
        await asyncio.wait(tasks)  # which, unlike gather, cancels nobody by itself
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ever(part: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work`, and after a fault again, later each time."""
    wait, loop = _FIRST_WAIT_S, asyncio.get_running_loop()
    while True:
        begun = loop.time()
        try:
            await work()
            continue
        except Unavailable as error:
            logger.warning("operator_waits", extra={"part": part, "error": str(error)})
        except Exception:  # the face's one net: a fault here must not end the recorder
            logger.exception("operator_failed", extra={"part": part})
        OPERATOR_FAILURES.labels(part).inc()
        if loop.time() - begun > _LONGEST_WAIT_S:
            wait = _FIRST_WAIT_S
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_S)


async def _keep(keeper: Keeper, news: News) -> None:
    """Look at everything first, then at each news."""
    while True:
        STATUS_WRITES.inc(await keeper.keep())
        news.read.set()
        for tree in news.sets():
            STATUS_WRITES.inc(await keeper.keep_set(tree))
            news.seen(tree)
        await news.wait(_AGAIN_S)
        await asyncio.sleep(_GATHER_S)


async def _settle(
    settle: Callable[[], Awaitable[Debts]],
    remind: Callable[[Debts], Awaitable[None]],
    news: News,
) -> None:
    known: set[str] = set()
    await news.read.wait()
    while True:
        news.evidence.clear()
        owed = await settle()
        for debt, review in owed.settled:
            told = {"decision": debt.decision.id, "persons": list(review.persons)}
            logger.info("debt_reviewed", extra=told)
        for debt in owed.overdue:
            if debt.decision.id not in known:
                due = {"decision": debt.decision.id, "due": debt.decision.review_due}
                logger.warning("debt_overdue", extra=due)
        known = {debt.decision.id for debt in owed.overdue}
        REVIEW_DEBTS.labels("open").set(len(owed.open))
        REVIEW_DEBTS.labels("overdue").set(len(owed.overdue))
        await remind(owed)
        await _set(news.evidence, _AGAIN_S)
        await asyncio.sleep(_GATHER_S)


async def _set(event: asyncio.Event, longest_s: float) -> None:
    """Return when `event` is set, or after `longest_s` seconds."""
    try:
        async with asyncio.timeout(longest_s):
            await event.wait()
    except TimeoutError:
        pass
