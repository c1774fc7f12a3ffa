"""What a registry may answer instead of the truth."""

import asyncio
import gzip
from collections.abc import Callable

from aiohttp import web

from tests.support.quirky import Quirk

_FOREVER_S = 3600.0


def status(code: int, **headers: str) -> Quirk:
    """Answer with a status; ``retry_after`` is the header ``Retry-After``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def quirk(_: web.Request, __: web.Response) -> web.StreamResponse:
        return web.Response(status=code, headers=named, body=b"<html>no</html>")

    return quirk


def instead(body: bytes, content_type: str | None = None, **headers: str) -> Quirk:
    """Answer with other bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def quirk(_: web.Request, honest: web.Response) -> web.StreamResponse:
        kind = content_type or honest.content_type
        return web.Response(body=body, content_type=kind, headers=named)

    return quirk


def first(times: int, then: Quirk) -> Quirk:
    """Misbehave some times, and be honest afterwards."""
    left = times

    async def quirk(request: web.Request, honest: web.Response) -> web.StreamResponse:
        nonlocal left
        left -= 1
        return await then(request, honest) if left >= 0 else honest

    return quirk


def later(times: int, then: Quirk) -> Quirk:
    """Be honest some times, and misbehave afterwards."""
    left = times

    async def quirk(request: web.Request, honest: web.Response) -> web.StreamResponse:
        nonlocal left
        left -= 1
        return honest if left >= 0 else await then(request, honest)

    return quirk


def redirect(to: Callable[[web.Request], str], code: int = 307) -> Quirk:
    """Send to somewhere else."""

    async def quirk(request: web.Request, _: web.Response) -> web.StreamResponse:
        return web.Response(status=code, headers={"Location": to(request)})

    return quirk


def gzipped(size: int) -> Quirk:
    """Answer with many zeros in few bytes."""
    return instead(gzip.compress(bytes(size)), Content_Encoding="gzip")


async def silent(_: web.Request, __: web.Response) -> web.StreamResponse:
    """Say nothing at all."""
    await asyncio.sleep(_FOREVER_S)
    raise web.HTTPGatewayTimeout


async def slow(request: web.Request, honest: web.Response) -> web.StreamResponse:
    """Begin to answer, a byte at a time, and never end."""
    answer = web.StreamResponse(headers={"Content-Type": honest.content_type})
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.02)


async def endless(request: web.Request, honest: web.Response) -> web.StreamResponse:
    """Answer as fast as it goes, without end and without a length."""
    answer = web.StreamResponse(headers={"Content-Type": honest.content_type})
    await answer.prepare(request)
    while True:
        await answer.write(bytes(1 << 16))
        await asyncio.sleep(0)  # whoever reads is in the same loop


async def truncated(request: web.Request, honest: web.Response) -> web.StreamResponse:
    """Announce all and break off in the middle."""
    body = bytes(honest.body) if isinstance(honest.body, bytes) else b""
    headers = {"Content-Type": honest.content_type, "Content-Length": str(len(body))}
    answer = web.StreamResponse(headers=headers)
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return answer


async def cut(request: web.Request, honest: web.Response) -> web.StreamResponse:
    """Answer with half of it as if that were all."""
    body = bytes(honest.body) if isinstance(honest.body, bytes) else b""
    del request
    return web.Response(body=body[: len(body) // 2], content_type=honest.content_type)
