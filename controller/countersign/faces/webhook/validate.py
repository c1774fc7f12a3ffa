"""``POST /validate``: an AdmissionReview in, the verdict out.

Whatever is judged is answered with HTTP 200, denials and doubt too: then the requester
reads why. Other status codes are for what is no AdmissionReview; the API server turns
those into a refusal as well, since the registration says ``failurePolicy: Fail``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from countersign.core.errors import Malformed
from countersign.core.types.decision import Decision
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Detail, Door, Finding, Reason, Verdict
from countersign.faces.webhook.load import Load
from countersign.faces.webhook.recording import Recording
from countersign.faces.webhook.words import answer, refusal
from countersign.report.phrases import clean
from countersign.report.records import outcome
from countersign.telemetry import (
    BREAK_GLASS,
    FINDINGS,
    RECOVERIES,
    REVIEW_DURATION,
    REVIEWS,
)
from countersign.usecases.judged import Judged
from countersign.usecases.own_kinds import unreadable
from countersign.wire.admission import Answer, parse_review, render_review
from countersign.wire.times import parse_duration

logger = logging.getLogger(__name__)

MAX_BODY = (
    8 << 20
)  # bytes: an object and its old state, of 3 MiB each, and managedFields
MAX_DEADLINE_S = 30.0  # no webhook may have more
_SHARE = 0.8  # of the server's patience: an explained denial beats its timeout
_WAIT_SHARE = 0.75  # of what is left of it, for a turn
_GRACE_S = 0.25  # beyond the deadline, which the engine keeps by itself
_BODY_S = 10.0  # for a body, once there is room: the API server sends it in one go
_MAX_DETAIL = 512  # characters of free text in a finding
_JSON = "application/json"

_REVIEWS = {
    outcome: REVIEWS.labels(outcome)
    for outcome in ("allowed", "denied", "warned", "outOfScope", "shed", "failed")
}

Judge = Callable[[AdmissionRequest, float], Awaitable[Judged]]


@dataclass(frozen=True, slots=True)
class _Done:
    """A verdict, what the server is told of it, and what is counted."""

    verdict: Verdict
    answer: Answer
    outcome: str


class Validate:
    """The handler of ``/validate``.

    Args:
        judge: Judges a request within so many seconds.
        cluster: Our name, for the commands in denials.
        load: What is in flight.
        deadline_s: For requests that name none.
        monotonic: The clock that durations are measured with.
        certified: Only those who show a client certificate are answered.
        recording: Keeps decisions; None: nobody does.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        cluster: str,
        load: Load,
        deadline_s: float,
        monotonic: Callable[[], float],
        certified: bool = False,
        recording: Recording | None = None,
    ) -> None:
        self._judge = judge
        self._cluster = cluster
        self._load = load
        self._deadline_s = deadline_s
        self._monotonic = monotonic
        self._certified = certified
        self._recording = recording

    async def handle(self, http: web.Request) -> web.Response:
        """Answer one AdmissionReview."""
        begun = self._monotonic()
        if self._certified and not http.get_extra_info("peercert"):
            raise web.HTTPForbidden(text="expected a client certificate")
        length = _length(http)
        deadline = begun + self._patience_s(http.query_string)
        with self._load.enter() as room:
            if not room:
                raise _overloaded("requests")
            request, done = await self._reviewed(http, length, deadline)
        _observe(request, done, self._monotonic() - begun)
        return web.Response(body=render_review(done.answer), content_type=_JSON)

    async def _reviewed(
        self, http: web.Request, length: int, deadline: float
    ) -> tuple[AdmissionRequest, _Done]:
        """Read and judge, each when it is its turn.

        Raises:
            HTTPException: it could not be read: no room, too late, or no review.
        """
        async with AsyncExitStack() as held:
            try:
                left_s = self._share_of(deadline)
                await held.enter_async_context(self._load.body(length, left_s))
            except TimeoutError as error:
                raise _overloaded("bytes") from error
            body = await _read(http, min(_BODY_S, deadline - self._monotonic()))
            try:
                await held.enter_async_context(
                    self._load.turn(self._share_of(deadline))
                )
            except TimeoutError:
                request = _parsed(body)
                return request, self._unavailable(
                    request, "too many requests at once", "shed"
                )
            request = _parsed(body)
            return request, await self._answer(request, deadline)

    def _share_of(self, deadline: float) -> float:
        """Return how long a request may wait for its turn: then it must be judged."""
        return max(0.0, deadline - self._monotonic()) * _WAIT_SHARE

    def _patience_s(self, query: str) -> float:
        """Return how long a verdict may take, given the server's ``?timeout=``."""
        asked_s = _asked_s(query)
        return self._deadline_s if asked_s is None else asked_s * _SHARE

    async def _answer(self, request: AdmissionRequest, deadline: float) -> _Done:
        """Judge `request`; whatever goes wrong on the way is a denial."""
        left_s = max(0.0, deadline - self._monotonic())
        try:
            if problems := unreadable(request):
                return _refused(request, problems)
            async with asyncio.timeout(left_s + _GRACE_S):
                judged = await self._judge(request, left_s)
            said = await self._told(request, judged, deadline)
        except TimeoutError:
            return self._unavailable(request, "no verdict in time", "failed")
        except Exception:  # the face's one net: a fault of ours must not admit
            logger.exception("review_failed", extra={"uid": request.uid})
            return self._unavailable(request, "a fault of countersign", "failed")
        return _Done(judged.verdict, said, outcome(judged.verdict))

    async def _told(
        self, request: AdmissionRequest, judged: Judged, deadline: float
    ) -> Answer:
        """Return the answer, with the id of its decision where that is kept."""

        def say(decision: Decision | None) -> Answer:
            return answer(
                request,
                judged.verdict,
                cluster=self._cluster,
                subject=judged.subject,
                decision=decision,
                on_call=judged.on_call,
            )

        if self._recording is None:
            return say(None)
        left_s = deadline - self._monotonic()
        return await self._recording.told(request, judged, say, left_s)

    def _unavailable(self, request: AdmissionRequest, why: str, counted: str) -> _Done:
        verdict = _denied(request, Reason.UNAVAILABLE, why)
        said = answer(request, verdict, cluster=self._cluster)
        return _Done(verdict, said, counted)


async def _read(http: web.Request, patience_s: float) -> bytes:
    if http.content.is_eof():  # it came with its head: there is nothing to wait for
        return await http.read()
    try:
        async with asyncio.timeout(patience_s):
            return await http.read()
    except TimeoutError as error:
        logger.warning("body_late", extra={"peer": _peer(http), "after_s": patience_s})
        raise web.HTTPRequestTimeout(text="expected the body sooner") from error


def _parsed(body: bytes) -> AdmissionRequest:
    try:
        return parse_review(body)
    except Malformed as error:
        raise web.HTTPBadRequest(text=str(error)) from error


def _overloaded(of: str) -> web.HTTPException:
    """Return the refusal of what is not even read, and write its line."""
    _REVIEWS["shed"].inc()
    logger.warning("overloaded", extra={"too_many": of})
    return web.HTTPServiceUnavailable(
        text="too many requests at once; try again", headers={hdrs.RETRY_AFTER: "1"}
    )


def _peer(http: web.Request) -> str:
    peer = http.get_extra_info("peername")
    return str(peer[0]) if peer else ""


@lru_cache(maxsize=64)  # the same in every request of a registration
def _asked_s(query: str) -> float | None:
    """Return the server's patience in seconds; None where it names none."""
    timeout = dict(parse_qsl(query)).get("timeout", "")
    try:
        return min(parse_duration(timeout).total_seconds(), MAX_DEADLINE_S)
    except Malformed:
        return None


def _length(http: web.Request) -> int:
    """Return how many bytes the body may have.

    Raises:
        HTTPException: it is no JSON, or longer than allowed.
    """
    if http.content_type != _JSON or http.headers.get(hdrs.CONTENT_ENCODING):
        raise web.HTTPUnsupportedMediaType(text=f"expected {_JSON}")
    length = MAX_BODY if http.content_length is None else http.content_length
    if length > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(
            MAX_BODY, length, text=f"expected at most {MAX_BODY} bytes"
        )
    return length


def _refused(request: AdmissionRequest, problems: tuple[str, ...]) -> _Done:
    """Return the judgement of an object of ours that cannot be read."""
    verdict = _denied(request, Reason.POLICY_INVALID, "; ".join(problems))
    return _Done(verdict, refusal(request, problems), outcome(verdict))


def _denied(request: AdmissionRequest, reason: Reason, why: str) -> Verdict:
    facts = Detail(why[:_MAX_DETAIL])
    finding = Finding(policy="", reason=reason, about=request.ref, facts=facts)
    return Verdict.of((), (finding,))


def _is_routine(verdict: Verdict) -> bool:
    return not verdict.findings and all(
        basis.door is Door.UNCHANGED for basis in verdict.bases
    )


def _observe(request: AdmissionRequest, done: _Done, took_s: float) -> None:
    """Count, and write the one line of an admission. Nothing of the object is in it.

    What nobody had to judge, because no policy holds or nothing changes, is most of what
    a cluster does: it is counted, and written at DEBUG only.
    """
    verdict = done.verdict
    _REVIEWS[done.outcome].inc()
    REVIEW_DURATION.observe(took_s)
    for finding in verdict.findings:
        FINDINGS.labels(finding.reason.value, finding.enforcement.value).inc()
    if verdict.recovered and not request.dry_run:
        RECOVERIES.inc()
        logger.warning(
            "recovery_used",
            extra={"uid": request.uid, "user": request.requester.name}
            | {"kind": request.ref.kind, "object": request.ref.name},
        )
    if (incident := verdict.emergency) and not request.dry_run:
        BREAK_GLASS.inc()
        logger.warning(
            "glass_broken",
            extra={"uid": request.uid, "user": request.requester.name}
            | {"incident": clean(incident), "resource": str(request.resource)}
            | {"namespace": request.ref.namespace, "object": request.ref.name},
        )
    level = logging.DEBUG if _is_routine(verdict) else logging.INFO
    if not logger.isEnabledFor(level):
        return
    logger.log(
        level,
        "admission_reviewed",
        extra={
            "uid": request.uid,
            "operation": request.verb.value,
            "resource": str(request.resource),
            "namespace": request.ref.namespace,
            "kind": request.ref.kind,
            # `name` is the logger's own
            "object": request.ref.name or request.ref.generate_name,
            "dry_run": request.dry_run,
            "allowed": verdict.allowed,
            "findings": [finding.reason.value for finding in verdict.findings],
            "doors": sorted({basis.door.value for basis in verdict.bases}),
            "duration_s": round(took_s, 6),
        },
    )
