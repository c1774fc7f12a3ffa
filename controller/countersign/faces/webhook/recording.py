"""From a judgement to a kept decision, beside the answer and never in its way."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from countersign.core.types.decision import Decision
from countersign.core.types.request import AdmissionRequest
from countersign.ports import Clock, Journal
from countersign.telemetry import DECISIONS
from countersign.usecases.judged import Judged
from countersign.usecases.record import decision_of, worth_keeping
from countersign.wire.admission import Answer

logger = logging.getLogger(__name__)

PATIENCE_S = 0.25  # what an answer waits for its decision, at most
_LEAST_S = 0.02  # the same where the time for a verdict is over
_CLOSE_S = 2.0  # for decisions that are still being kept, at the end
MAX_PENDING = 64  # decisions that are being made; with more, no denial is kept
_ADMITTED_TOO = 2  # times as many with admissions, which nobody makes at will


class Recording:
    """Keeps decisions, and puts their ids into the answers.

    Args:
        journal: Where they are kept.
        clock: The present.
        cluster: Our name.
        salt: 32 random bytes of this process, for Secrets.
    """

    def __init__(
        self, journal: Journal, clock: Clock, *, cluster: str, salt: bytes
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._cluster = cluster
        self._salt = salt
        self._pending: set[asyncio.Task[Answer | None]] = set()
        # what could be signed is found by comparing: not on the loop
        self._maker = ThreadPoolExecutor(1, "recording")

    async def told(
        self,
        request: AdmissionRequest,
        judged: Judged,
        say: Callable[[Decision | None], Answer],
        left_s: float,
    ) -> Answer:
        """Return the answer, naming its decision if that was kept in time.

        Args:
            request: What was asked.
            judged: The judgement.
            say: Makes the answer that names a decision, or the one that names none.
            left_s: Seconds until the answer must be out.
        """
        if not worth_keeping(judged.verdict, request):
            return say(None)
        # what was let in may have to be reviewed: no crowd of denials may hide it
        most = MAX_PENDING * (_ADMITTED_TOO if judged.verdict.allowed else 1)
        if len(self._pending) >= most:
            DECISIONS.labels("failed").inc()
            return say(None)
        task = asyncio.create_task(self._keep(request, judged, say))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        wait_s = min(PATIENCE_S, max(_LEAST_S, left_s))
        done, _ = await asyncio.wait({task}, timeout=wait_s)
        said = task.result() if done else None
        what = "kept" if said else "failed" if done else "late"
        DECISIONS.labels(what).inc()
        return said or say(None)

    async def close(self) -> None:
        """Wait for decisions that are still being kept."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=_CLOSE_S)
        self._maker.shutdown(wait=False, cancel_futures=True)

    async def _keep(
        self,
        request: AdmissionRequest,
        judged: Judged,
        say: Callable[[Decision | None], Answer],
    ) -> Answer | None:
        make = partial(
            decision_of,
            judged,
            request,
            cluster=self._cluster,
            at=self._clock.now(),
            salt=self._salt,
        )
        try:
            if (
                judged.verdict.allowed
            ):  # what was signed is known: there is nothing to find
                decision = make()
            else:
                loop = asyncio.get_running_loop()
                decision = await loop.run_in_executor(self._maker, make)
            if decision is None:
                return None
            said = say(decision)
            kept = await self._journal.keep(replace(decision, message=said.message))
        except Exception:  # a side channel: the verdict stands
            logger.exception("recording_failed", extra={"uid": request.uid})
            return None
        return said if kept else None
