"""Rescan: what runs is verified again, in the background.

By the code that answers ``audit running``. It changes no verdict and ends nothing: it
says what people should know. An object that changes while others are listed may look
wrong: what is new is looked at once more, and told only if it is seen again.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.decision import Recorded
from countersign.core.types.running import Running
from countersign.core.types.scan import Fault, Found, Scanned
from countersign.ports import (
    MAX_FOUND,
    BundleSource,
    Clock,
    ClusterState,
    PolicyBook,
    Prover,
    Query,
    Records,
)
from countersign.usecases.debts import is_late
from countersign.usecases.running import Seen, Standing, protected
from countersign.usecases.today import Today

_WORST_FIRST = (
    Fault.REVOKED,
    Fault.DRIFT,
    Fault.NEVER_SEEN,
    Fault.OVERDUE,
    Fault.UNKNOWN,
    Fault.OWED,
    Fault.EXPIRED,
)

Known = Collection[tuple[str, Fault]]
"""Faults that were told before: the object's uid, and what is wrong."""


class Rescanner:
    """Verifies what runs again.

    Args:
        fresh: Returns the cluster as it is from then on; asked for each look.
        prover: Verifies evidence.
        sets: Evidence beside objects.
        policies: In force.
        records: Decisions that were recorded.
        clock: The present.
        cluster: Its name.
    """

    def __init__(
        self,
        fresh: Callable[[], ClusterState],
        *,
        prover: Prover,
        sets: BundleSource,
        policies: PolicyBook,
        records: Records,
        clock: Clock,
        cluster: str,
    ) -> None:
        self._fresh = fresh
        self._prover = prover
        self._sets = sets
        self._policies = policies
        self._records = records
        self._clock = clock
        self._cluster = cluster

    async def namespaces(self) -> tuple[str, ...]:
        """Return the namespaces that are there and protected, sorted.

        Raises:
            Unavailable: they cannot be listed.
        """
        return await protected(self._fresh(), self._policies.snapshot().policies)

    async def look(
        self, namespace: str, settings: ClusterFacts, known: Known = ()
    ) -> Scanned:
        """Verify what runs in a namespace.

        Args:
            namespace: Which.
            settings: Of the cluster, without live answers.
            known: What was found before.

        Raises:
            Unavailable: evidence, policies or records cannot be read.
        """
        first = await self._look(namespace, settings)
        new = [one for one in first.found if (one.uid, one.fault) not in known]
        if not new:
            return first
        again = await self._look(namespace, settings)
        seen = {(one.uid, one.fault) for one in first.found}
        lasting = [one for one in again.found if (one.uid, one.fault) in seen]
        # what is only in one of both was under way: the next scan will see it
        return Scanned(
            namespace=namespace,
            found=tuple(lasting),
            passed=again.passed,
            unseen=again.unseen,
        )

    async def _look(self, namespace: str, settings: ClusterFacts) -> Scanned:
        book = self._policies.snapshot()
        recorded = await self._records.find(Query(namespace=namespace, limit=MAX_FOUND))
        standing = Standing(
            self._fresh(), self._prover, self._sets, self._cluster, settings
        )
        today = Today(book.revocations, self._clock.now())
        seen = await standing.look(namespace, book.policies, recorded, today=today)
        owed = await self._records.find(
            Query(namespace=namespace, debts=True, limit=MAX_FOUND)
        )
        return weigh(namespace, seen, debts(owed, today.at))


def debts(owed: Iterable[Recorded], at: datetime) -> tuple[Found, ...]:
    """Return what break-glass let in and nobody has reviewed, each admission by itself.

    What was connected to, deleted or replaced since is owed a review all the same.
    """
    return tuple(
        Found(
            object=one.decision.object,
            version=one.decision.resource.version,
            uid=one.decision.uid,
            fault=Fault.OVERDUE if is_late(one.decision, at) else Fault.OWED,
            policies=tuple(sorted(b.policy for b in one.decision.bases if b.emergency)),
            decision=one.decision.id,
            debt=one,
        )
        for one in owed
    )


def weigh(namespace: str, seen: Seen, owed: Collection[Found] = ()) -> Scanned:
    """Return what is wrong with what was seen, the worst first.

    What claims to be made of an object that nobody stands for is counted with it. An
    owner that is only out of time, or whose evidence was withdrawn, covers nobody: else a
    Pod of an attacker's would hide behind it.
    """
    judged = [one for one in seen.running if one.policies]
    found = sorted((*_faults(judged), *owed), key=_order)
    wrong = {one.object for one in found}
    nobodys = {one.object for one in judged if one.nobody}
    folded = {one.object for one in judged if one.owner in nobodys}
    return Scanned(
        namespace=namespace,
        found=tuple(one for one in found if one.object not in folded),
        passed=sum(
            1 + len(one.children) for one in judged if one.object not in wrong | folded
        ),
        unseen=seen.unseen,
    )


def _faults(judged: Iterable[Running]) -> list[Found]:
    found = []
    everything = tuple(judged)
    doubted = Counter(one.owner for one in everything if one.owner and one.doubting)
    for one in everything:
        told = _fault(one)
        if told is None:
            continue
        fault, policies = told
        found.append(
            Found(
                object=one.object,
                version=one.version,
                uid=one.uid,
                fault=fault,
                policies=policies,
                decision=one.since.decision if one.since else "",
                children=len(one.children) + (doubted[one.object] if one.nobody else 0),
                detail=one.problem,
            )
        )
    return found


def _fault(one: Running) -> tuple[Fault, tuple[str, ...]] | None:
    """Return what is worst about an object, and which policies find so."""
    if one.machinery:
        return None
    if one.problem:
        return Fault.UNKNOWN, one.doubting or one.policies
    if one.doubting:
        once = one.known or one.since is not None or one.owner is not None
        return (Fault.DRIFT if once else Fault.NEVER_SEEN), one.doubting
    if one.withdrawn:
        return Fault.REVOKED, one.withdrawn
    if one.lapsed:
        return Fault.EXPIRED, one.lapsed
    return None


def _order(one: Found) -> tuple[int, ObjectRef, str]:
    return _WORST_FIRST.index(one.fault), one.object, one.decision
