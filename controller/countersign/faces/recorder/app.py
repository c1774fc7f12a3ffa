"""Exact paths, and what is answered at each: to be read, and nothing else."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson
from aiohttp import hdrs, web

from countersign.adapters.recorder.reviews import Caller
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Json
from countersign.faces.recorder.access import Access, forbidden_get, forbidden_list
from countersign.faces.recorder.parameters import parse_id, parse_query
from countersign.ports import Records
from countersign.telemetry import READS, metrics_page
from countersign.wire.decision import render_recorded

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_IN_FLIGHT = 32  # requests at once; more are sent away
_RESULTS = {401: "unauthenticated", 403: "forbidden", 404: "notFound"}
_FAULTY = 500
_JSON = "application/json"
_KEPT_HEADERS = (hdrs.ALLOW, hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE)
_CALLER = web.RequestKey("caller", str)


class Service:
    """Shows what is recorded to those who may look.

    Args:
        records: All of it.
        access: Who may.
        status: What is known of the spools.
        trouble: Why it should not be asked; empty: it should.
    """

    def __init__(
        self,
        records: Records,
        access: Access,
        *,
        status: Callable[[], dict[str, Json]],
        trouble: Callable[[], tuple[str, ...]],
    ) -> None:
        self._records = records
        self._access = access
        self._status = status
        self._trouble = trouble

    async def one(self, http: web.Request) -> web.Response:
        """``GET /v1/decisions/{id}``: one decision, whole."""
        caller = await self._caller(http)
        identity = parse_id(http.match_info["id"])
        found = await self._records.get(identity)
        # Looked up before it is known whether the caller may: so what is asked, and what
        # is answered, is the same whether there is one or not.
        namespace = found.decision.object.namespace if found else ""
        if not await self._access.may(caller, "get", namespace, identity):
            raise forbidden_get(caller)
        if found is None:
            raise web.HTTPNotFound(
                text=f"expected a decision, saw none of id {identity}: it may be on its "
                "way, try again in a few seconds"
            )
        return _answer(render_recorded(found, whole=True))

    async def many(self, http: web.Request) -> web.Response:
        """``GET /v1/decisions``: those that are searched for, without what they carry."""
        caller = await self._caller(http)
        query = parse_query(http.query_string)
        await self._require_list(caller, query.namespace or "")
        found = await self._records.find(query)
        listed: list[Json] = [render_recorded(one, whole=False) for one in found]
        return _answer({"decisions": listed})

    async def status(self, http: web.Request) -> web.Response:
        """``GET /v1/status``: how recording goes."""
        await self._require_list(await self._caller(http), "")
        return _answer(self._status())

    async def healthz(self, _: web.Request) -> web.Response:
        """``GET /healthz``: this process answers."""
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """``GET /readyz``: it has what it needs to answer people."""
        lines = self._trouble()
        text = "".join(f"{line}\n" for line in lines or ("ready",))
        return web.Response(text=text, status=503 if lines else 200)

    async def metrics(self, _: web.Request) -> web.Response:
        """``GET /metrics``."""
        body, content_type = metrics_page()
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})

    async def _caller(self, http: web.Request) -> Caller:
        caller = await self._access.caller(http)
        http[_CALLER] = caller.name
        return caller

    async def _require_list(self, caller: Caller, namespace: str) -> None:
        if not await self._access.may(caller, "list", namespace):
            raise forbidden_list(caller, namespace)


def make_app(service: Service) -> web.Application:
    """Return the application: three paths for people, three for machines."""
    app = web.Application(middlewares=[_Guard().handle], client_max_size=1)
    for path, handler in (
        ("/v1/decisions/{id}", service.one),
        ("/v1/decisions", service.many),
        ("/v1/status", service.status),
        ("/healthz", service.healthz),
        ("/readyz", service.readyz),
        ("/metrics", service.metrics),
    ):
        app.router.add_get(path, handler)
    return app


class _Guard:
    """Around every request: how many at once, no body, errors as JSON, one line each."""

    def __init__(self) -> None:
        self._running = 0

    @web.middleware
    async def handle(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Answer `request`, whatever happens."""
        self._running += 1
        try:
            response = await self._answered(request, handler)
        finally:
            self._running -= 1
        response.headers[hdrs.SERVER] = "countersign"
        if request.path.startswith("/v1/"):
            response.headers[hdrs.CACHE_CONTROL] = "no-store"
            _observe(request, response.status)
        return response

    async def _answered(
        self, http: web.Request, handler: Handler
    ) -> web.StreamResponse:
        try:
            if self._running > _IN_FLIGHT:
                return _closing(_error(503, "expected fewer requests at once"))
            if http.body_exists:
                return _closing(_error(400, "expected no body"))
            return await handler(http)
        except web.HTTPException as error:
            response = _error(error.status, error.text or error.reason)
            for name in _KEPT_HEADERS:
                with suppress(KeyError):
                    response.headers[name] = error.headers[name]
            return response
        except Malformed as error:
            return _error(400, str(error))
        except Unavailable as error:
            return _error(503, str(error))
        except Exception:  # the face's one net
            logger.exception("read_failed")
            return _error(500, "a fault of countersign; its log says more")


def _answer(tree: dict[str, Json]) -> web.Response:
    return web.Response(body=orjson.dumps(tree), content_type=_JSON)


def _error(status: int, text: str) -> web.Response:
    body = orjson.dumps({"error": text})
    return web.Response(body=body, status=status, content_type=_JSON)


def _closing(response: web.Response) -> web.Response:
    response.force_close()  # what follows is a body that nobody reads
    return response


def _observe(http: web.Request, status: int) -> None:
    """Count, and write down who looked: the audit log of the audit log."""
    result = _RESULTS.get(status, "done" if status < 400 else "refused")  # noqa: PLR2004
    READS.labels("failed" if status >= _FAULTY else result).inc()
    logger.info(
        "record_read",
        extra={"user": http.get(_CALLER, ""), "path": http.path, "status": status},
    )
