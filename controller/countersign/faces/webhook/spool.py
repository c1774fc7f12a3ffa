"""The second listener: the recorder takes decisions from the spool, and says so.

Who connects has shown a certificate of the configured authority; its common name says
whether it is the recorder.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from countersign.core.errors import Malformed, Unavailable
from countersign.wire.strict_json import parse_json

RECORDER = "countersign-recorder"
MAX_LIMIT = 1000  # entries of one batch
_MAX_QUERY = 8 << 10  # bytes: longer lines of a request are refused anyway
_MAX_BODY = 1 << 10
_WAIT_S = 10.0  # for a disk; the recorder comes again


class Served(Protocol):
    """A spool, as it is served."""

    async def batch(self, positions: Mapping[str, int], limit: int) -> bytes:
        """Return entries after some positions, as `wire.decision` writes them.

        Raises:
            Unavailable: it cannot be read now.
        """
        ...

    async def acknowledge(self, spool: str, sequence: int) -> bool:
        """Let go of what is recorded; tell whether `spool` is this one.

        Raises:
            Unavailable: it cannot be written now.
        """
        ...


def make_spool_app(spool: Served) -> web.Application:
    """Return the application: ``GET /spool`` and ``POST /spool/ack``, for the recorder."""

    async def read(request: web.Request) -> web.Response:
        _admit(request)
        try:
            positions = _positions(request.query.get("positions", "{}"))
            limit = _limit(request.query.get("limit", str(MAX_LIMIT)))
        except Malformed as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        try:
            async with asyncio.timeout(_WAIT_S):
                body = await spool.batch(positions, limit)
        except (Unavailable, TimeoutError) as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from error
        return web.Response(body=body, content_type="application/json")

    async def acknowledge(request: web.Request) -> web.Response:
        _admit(request)
        try:
            name, sequence = _acknowledged(await request.read())
        except Malformed as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        try:
            async with asyncio.timeout(_WAIT_S):
                ours = await spool.acknowledge(name, sequence)
        except (Unavailable, TimeoutError) as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from error
        if not ours:
            raise web.HTTPNotFound(text="this replica has another spool now\n")
        return web.Response(status=204)

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_get("/spool", read, allow_head=False)
    app.router.add_post("/spool/ack", acknowledge)
    return app


def _admit(request: web.Request) -> None:
    """Let nobody in but the recorder.

    Raises:
        HTTPForbidden: the certificate has another common name, or more than one.
    """
    shown = request.get_extra_info("peercert") or {}
    names = [
        value
        for part in shown.get("subject", ())
        for kind, value in part
        if kind == "commonName"
    ]
    if names != [RECORDER]:
        raise web.HTTPForbidden(text=f"expected a certificate of {RECORDER}\n")


def _positions(text: str) -> dict[str, int]:
    read = parse_json(text.encode(), limit=_MAX_QUERY)
    if not isinstance(read, dict):
        raise Malformed("expected positions as an object")
    return {name: _sequence(value) for name, value in read.items()}


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_LIMIT:
        raise Malformed(f"expected a limit from 1 to {MAX_LIMIT}")
    return int(text)


def _acknowledged(body: bytes) -> tuple[str, int]:
    read = parse_json(body, limit=_MAX_BODY)
    if not isinstance(read, dict) or not isinstance(read.get("spool"), str):
        raise Malformed("expected a spool and a sequence")
    return str(read["spool"]), _sequence(read.get("sequence"))


def _sequence(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Malformed("expected a sequence")
    return value
