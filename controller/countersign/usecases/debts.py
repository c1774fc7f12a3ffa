"""Review debts: what was admitted in an emergency still has to be reviewed.

A debt is closed when a later, ordinary sign-off for what was admitted satisfies every
policy that the glass was broken for, over evidence in BundleSets (`debt_review`). It is
never closed by age, and never by the word of whoever broke the glass.
"""

from dataclasses import dataclass
from datetime import datetime

from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.core.types.decision import Decision, Recorded, Review
from countersign.core.types.evidence import Evidence
from countersign.ports import (
    MAX_FOUND,
    BundleSource,
    Clock,
    DebtBook,
    PolicyBook,
    Prover,
    Query,
)
from countersign.usecases.debt_review import reviewed

MAX_DEBTS = 10_000  # looked at together; beyond that the newest
MAX_BUNDLES = 1024  # about one object, the newest sets first; 3 ms each, once


@dataclass(frozen=True, slots=True, kw_only=True)
class Debts:
    """What is owed after a look.

    Attributes:
        open: Not reviewed, and there is time.
        overdue: Not reviewed, and it is late.
        settled: Reviewed just now.
    """

    open: tuple[Recorded, ...] = ()
    overdue: tuple[Recorded, ...] = ()
    settled: tuple[tuple[Recorded, Review], ...] = ()


class Debtors:
    """Looks at every debt, and closes those that were reviewed.

    Args:
        archive: Where debts are kept.
        sets: Where reviews are found.
        prover: Makes evidence of them.
        policies: In force now: a review must satisfy these.
        clock: The present.
    """

    def __init__(
        self,
        archive: DebtBook,
        sets: BundleSource,
        prover: Prover,
        policies: PolicyBook,
        clock: Clock,
    ) -> None:
        self._archive = archive
        self._sets = sets
        self._prover = prover
        self._policies = policies
        self._clock = clock

    async def settle(self) -> Debts:
        """Close what was reviewed, and return what is owed.

        Raises:
            Unavailable: the store, the sets or the policies cannot be read.
        """
        at = self._clock.now()
        owed = await self._owed()
        settled, rest = [], []
        for debt in owed:
            if review := await self._review(debt, at):
                await self._archive.review(debt.decision.id, review)
                settled.append((debt, review))
            else:
                rest.append(debt)
        late = [d for d in rest if is_late(d.decision, at)]
        return Debts(
            open=tuple(d for d in rest if d not in late),
            overdue=tuple(late),
            settled=tuple(settled),
        )

    async def _owed(self) -> tuple[Recorded, ...]:
        """Return what is owed, the newest first: many new debts hide no older one."""
        found: dict[str, Recorded] = {}
        until = None
        while True:
            query = Query(debts=True, until=until, limit=MAX_FOUND)
            page, known = await self._archive.find(query), len(found)
            found.update((one.decision.id, one) for one in page)
            # more than a page within one instant: what is beyond it comes when it closes
            over = len(page) < MAX_FOUND or len(found) == known
            if over or len(found) >= MAX_DEBTS:
                return tuple(found.values())
            until = page[-1].last

    async def _review(self, debt: Recorded, at: datetime) -> Review | None:
        # a review is newer than what it reviews, and years of releases may lie there
        found = self._sets.about(debt.decision.object)
        sets = sorted(found, key=lambda one: (one.made, one.name), reverse=True)
        if not sets:
            return None
        whole = await self._archive.get(debt.decision.id)
        if whole is None:
            return None
        beside = (raw for one in sets for raw in one.bundles)
        bundles = tuple(dict.fromkeys((*whole.decision.bundles, *beside)))
        evidence = [
            proven
            for raw in bundles[:MAX_BUNDLES]
            if (proven := await self._prove(raw)) is not None
        ]
        book = self._policies.snapshot()
        known = {policy.name: policy for policy in book.policies}
        try:
            return reviewed(
                whole.decision, known, evidence, revoked=book.revocations, at=at
            )
        except Malformed:
            return None  # what is recorded of it cannot be judged, and so not closed

    async def _prove(self, raw: bytes) -> Evidence | None:
        try:
            return await self._prover.prove(raw)
        except (Malformed, Rejected, Unavailable):
            return None  # what is not proven reviews nothing: the debt stays


def is_late(decision: Decision, at: datetime) -> bool:
    """Tell whether the review of `decision` should have been there by now."""
    return decision.review_due is not None and decision.review_due < at
