"""Events: told once each, and never in the way of anything else."""

import logging
from collections.abc import Iterable

from countersign.adapters.cluster.events import Event, Events
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.published import Looked, Outcome
from countersign.core.types.scan import Fault, Found
from countersign.ports import Clock
from countersign.report.owed import owed_text
from countersign.report.published import looked_text
from countersign.report.scanned import said_of
from countersign.telemetry import EVENTS
from countersign.usecases.coverage import NAME
from countersign.usecases.debts import Debts
from countersign.usecases.reminders import Stage, reminders

logger = logging.getLogger(__name__)

_ADMISSION = "admissionregistration.k8s.io"
_MOST = 16  # events of one namespace and look: a report has the rest
MAX_REMINDED = 100  # of one look, those due first; the others at the next
_KEPT = 16_384  # what was told, remembered: more than the debts that are looked at
_REASONS = {
    Fault.NEVER_SEEN: "NeverSigned",
    Fault.DRIFT: "Drifted",
    Fault.REVOKED: "SignOffWithdrawn",
}
_PUBLISHED = {
    Outcome.DIFFERS: "TrustPublished",
    Outcome.UNREACHABLE: "MirrorUnreachable",
    Outcome.EXPIRED: "MirrorExpired",
    Outcome.REJECTED: "MirrorRejected",
}


class Teller:
    """Tells people of what they should look at.

    Args:
        events: Written to the cluster.
        clock: The present.
    """

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._told: dict[Event, None] = {}

    async def found(self, found: Iterable[Found]) -> None:
        """Tell of what is wrong with what runs, the first of it."""
        worth = [one for one in found if one.fault in _REASONS]
        for one in worth[:_MOST]:
            await self._tell(
                Event(
                    about=one.object,
                    version=one.version,
                    uid=one.uid,
                    reason=_REASONS[one.fault],
                    note=said_of(one),
                )
            )

    async def owed(self, debts: Debts) -> None:
        """Remind of reviews; however many are owed already, of the newest as well."""
        new = 0
        for one in reminders(debts, self._clock.now()):
            if new == MAX_REMINDED:
                break
            decision, late = one.debt.decision, one.stage is Stage.LATE
            about = decision.object
            new += await self._tell(
                Event(
                    about=_shown(about),
                    version="",
                    uid=decision.uid or "",
                    reason=one.stage.value,
                    note=owed_text(one.debt, one.days if late else None),
                    once=f"{decision.id} {one.days}",
                )
            )

    async def published(
        self, about: ObjectRef, version: str, uid: str, looked: Looked
    ) -> None:
        """Tell what came of a look where trust is published; again each day."""
        if looked.outcome not in _PUBLISHED:
            return
        await self._tell(
            Event(
                about=about,
                version=version,
                uid=uid,
                reason=_PUBLISHED[looked.outcome],
                note=looked_text(looked, about.name),
                once=f"{self._clock.now():%Y-%m-%d}",
            )
        )

    async def open(self, check: str, faults: tuple[str, ...]) -> None:
        """Tell that the gate is not as it should be; again each hour."""
        about = ObjectRef(_ADMISSION, "ValidatingWebhookConfiguration", "", NAME)
        await self._tell(
            Event(
                about=about,
                version="v1",
                uid="",
                reason="GateOpen",
                note=f"{check}: {'; '.join(faults)}",
                once=f"{self._clock.now():%Y-%m-%dT%H}",
            )
        )

    async def _tell(self, event: Event) -> bool:
        """Write an event, unless it was told; was it tried?"""
        if event in self._told:
            return False
        try:
            if await self._events.tell(event, self._clock.now()):
                EVENTS.labels("written").inc()
        except (Rejected, Unavailable) as error:
            EVENTS.labels("failed").inc()
            logger.warning("event_not_written", extra={"error": str(error)})
            return True  # the next look tries again
        self._told[event] = None
        while len(self._told) > _KEPT:
            self._told.pop(next(iter(self._told)))
        return True


def _shown(ref: ObjectRef) -> ObjectRef:
    """Return an object as events name it: the whole of a namespace is the namespace."""
    if ref.kind or not ref.namespace:
        return ref
    return ObjectRef("", "Namespace", ref.namespace, ref.namespace)
