"""The door *signed* for what nothing can be attached to: deletions, and side doors.

People sign for such a thing by uid, and what they signed lies beside the object.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from countersign.binding.deletions import orphans
from countersign.binding.derivations.kin import text
from countersign.binding.surface import Rule
from countersign.core.decide import decide
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.bound import BoundChange
from countersign.core.types.change import Access, Change, Deletion, Operation
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.ports import Clock, ClusterState
from countersign.usecases.bind import unproven_state
from countersign.usecases.gather import Gatherer
from countersign.usecases.opened import Opened
from countersign.usecases.seen import Seen

OPERATIONS = {
    Verb.CREATE: Operation.CREATE,
    Verb.UPDATE: Operation.UPDATE,
    Verb.DELETE: Operation.DELETE,
    Verb.CONNECT: Operation.CONNECT,
}


class BesideDoor:
    """Gathers what lies beside an object, and asks the law.

    Args:
        state: The cluster.
        gatherer: Proves what lies there.
        clock: The present.
        cluster: Our cluster's name.
    """

    def __init__(
        self, state: ClusterState, gatherer: Gatherer, clock: Clock, cluster: str
    ) -> None:
        self._state = state
        self._gatherer = gatherer
        self._clock = clock
        self._cluster = cluster

    async def open(
        self,
        request: AdmissionRequest,
        rule: Rule,
        subject: ObjectRef,
        policies: tuple[Policy, ...],
        *,
        revoked: Collection[Revoked],
        deadline: float | None,
    ) -> tuple[Opened, Seen]:
        """Return for each of `policies` a basis, or what is missing, and what was seen.

        Args:
            request: The request.
            rule: What judges it: any but those in `STATES`.
            subject: What it is about.
            policies: Those that no other door satisfied; not empty.
            revoked: Every withdrawal.
            deadline: In the loop's time. What is proven by then counts.
        """
        seen = Seen()
        live = await self._look(request, subject, policies, seen, deadline)
        deletes = rule in (Rule.DELETION, Rule.EVICTION)
        resource = request.resource
        change = BoundChange(
            cluster=self._cluster,
            object=subject,
            operation=Operation.DELETE if deletes else OPERATIONS[request.verb],
            subresource="" if deletes else resource.subresource or resource.name,
            old=unproven_state(live) if live else None,
            requester=request.requester,
            propagation="Orphan" if orphans(request) else "",
        )
        verdict = decide(
            change,
            policies,
            seen.now.supporting,
            seen.now.adverse,
            revoked=revoked,
            at=self._clock.now(),
        )
        let_in = {basis.policy for basis in verdict.bases}
        shut = [p for p in policies if p.name not in let_in]
        problems = [found for p in shut for found in seen.problems(subject, p)]
        return Opened(verdict.bases, (*verdict.findings, *problems)), seen

    async def _look(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        policies: tuple[Policy, ...],
        seen: Seen,
        deadline: float | None,
    ) -> Tree | None:
        """Gather what lies beside the object; return the object, as far as it is seen.

        An eviction and an exec do not show it, and what was signed names its uid.
        """
        live = request.old
        try:
            async with asyncio.timeout_at(deadline):
                if live is None and request.resource.subresource and subject.name:
                    version = request.resource.version
                    live = await self._state.get(version, subject, live=True)
                seen.uid = text(live or {}, "/metadata/uid")
                seen.deeds = deeds_of(request, subject, seen.uid)
                gather = self._gatherer.gather
                await gather(None, subject, seen.now, policies, deeds=seen.deeds)
        except TimeoutError:
            late = Unavailable("not everything was proven and looked up in time")
            seen.now.problem(late)
        except Unavailable as error:
            seen.now.problem(error)
        return live


def deeds_of(
    request: AdmissionRequest, subject: ObjectRef, uid: str
) -> tuple[Change, ...]:
    """Return what people may have signed for: the removal, or this access."""
    ref, resource = replace(subject, generate_name=""), request.resource
    return (
        Deletion(object=ref, uid=uid),
        Access(
            object=ref,
            uid=uid,
            subresource=resource.subresource or resource.name,
            operation=OPERATIONS[request.verb],
        ),
    )
