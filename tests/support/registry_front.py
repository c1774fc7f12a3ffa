"""What stands in front of a real registry: TLS, a list of what was asked, and weather.

Registries are rarely reached directly either. The front adds no answer of its own but
where it is told to: it waits, closes its port, or sends blobs' readers to another host.
"""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from tests.support.registry_access import Access

HOST, STORAGE = "127.0.0.1", "127.0.0.2"  # the registry, and where blobs may lie
_MAX_BODY = 64 << 20  # bytes
_ABOUT_THE_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what came of it.

    Attributes:
        method: Of HTTP.
        path: With its query.
        host: That it was sent to.
        status: Of the answer.
        authorization: The scheme of the credentials that came with it; empty if none did.
        location: Where the answer sends to, if it does.
    """

    method: str
    path: str
    host: str
    status: int
    authorization: str = ""
    location: str = ""


class Front:
    """A reverse proxy on loopback, in a thread of its own.

    Attributes:
        asked: Everything, in the order of the answers.
        delay_s: How long each answer is held back, in seconds.
        redirects: Whether blobs are read at `STORAGE`, as of registries that keep them
            in somebody's object store.
    """

    def __init__(self, to: str, access: Access, tls: ssl.SSLContext | None) -> None:
        self.asked: list[Asked] = []
        self.delay_s = 0.0
        self.redirects = False
        self._to = to
        self._access = access
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self._upstream: aiohttp.ClientSession | None = None
        self.ports = {HOST: 0, STORAGE: 0}

    def start(self) -> None:
        """Listen; where it did before, if it did."""
        if not self._thread.is_alive():
            self._thread.start()
        self._do(self._open())

    def stop(self) -> None:
        """Close the ports and all connections: nothing answers any more."""
        self._do(self._shut())

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._do(asyncio.sleep(0))  # what was aborted is closed in the next round
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.ports[HOST]}"

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        for host, port in self.ports.items():
            site = web.TCPSite(runner, host, port, ssl_context=self._tls)
            await site.start()
            self.ports[host] = runner.addresses[-1][1]
        self._runner = runner
        self._upstream = aiohttp.ClientSession(auto_decompress=False)

    async def _shut(self) -> None:
        if self._runner is not None and self._upstream is not None:
            server = self._runner.server
            for connection in server.connections if server else ():
                if connection.transport is not None:
                    connection.transport.abort()  # TLS would wait for the other end
            await self._runner.cleanup()
            await self._upstream.close()
        self._runner = self._upstream = None

    async def _answer(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.delay_s)
        answer = await self._answered(request)
        scheme = request.headers.get("Authorization", "").partition(" ")[0]
        self.asked.append(
            Asked(
                method=request.method,
                path=request.path_qs,
                host=request.host,
                status=answer.status,
                authorization=scheme,
                location=answer.headers.get("Location", ""),
            )
        )
        return answer

    async def _answered(self, request: web.Request) -> web.Response:
        if request.path == self._access.token_path:
            return self._access.token(request)
        if request.host.startswith(f"{STORAGE}:"):
            return await self._passed(
                request, self._access.own(_repository(request.path))
            )
        if (refusal := self._access.refusal(request)) is not None:
            return refusal
        reads_blob = request.method in {"GET", "HEAD"} and "/blobs/" in request.path
        if not (self.redirects and reads_blob):
            return await self._passed(request, {})
        scheme = "https" if self._tls else "http"
        elsewhere = f"{scheme}://{STORAGE}:{self.ports[STORAGE]}{request.path_qs}"
        allowed = await self._passed(request, {})
        if allowed.status != web.HTTPOk.status_code:
            return allowed
        return web.Response(status=307, headers={"Location": elsewhere})

    async def _passed(
        self, request: web.Request, credentials: dict[str, str]
    ) -> web.Response:
        """Return what the registry answers; `credentials` instead of the request's."""
        if self._upstream is None:  # stopped while the request waited
            raise web.HTTPServiceUnavailable
        headers = {
            **{k: v for k, v in request.headers.items() if k.lower() != "host"},
            **credentials,
            "Host": f"{HOST}:{self.ports[HOST]}",
            "X-Forwarded-Proto": "https" if self._tls else "http",
        }
        async with self._upstream.request(
            request.method,
            URL(f"http://{self._to}{request.raw_path}", encoded=True),
            headers=headers,
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            kept = [
                (name, value)
                for name, value in answer.headers.items()
                if name.lower() not in _ABOUT_THE_HOP
            ]
            body = await answer.read()
        made = web.Response(status=answer.status, body=body)
        made.headers.clear()
        for name, value in kept:
            made.headers.add(name, value)
        if request.method == "HEAD":
            made.headers["Content-Length"] = answer.headers.get("Content-Length", "0")
        return made


def _repository(path: str) -> str:
    """Return the repository of a path such as ``/v2/shop/api/blobs/sha256:…``."""
    return path.removeprefix("/v2/").rpartition("/blobs/")[0]
