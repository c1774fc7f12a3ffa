"""The listener of a process that stands by: alive, not ready, and why."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from countersign.faces.recorder.tls import Doorway
from countersign.telemetry import metrics_page


@asynccontextmanager
async def standing_by(
    host: str, port: int, files: tuple[Path, Path], why: Callable[[], str]
) -> AsyncIterator[None]:
    """Answer the kubelet's probes, and Prometheus, where the recorder will listen.

    Args:
        host: Address to bind.
        port: TCP port.
        files: Certificate and key.
        why: Why it is not ready.

    Raises:
        Misconfigured: no usable certificate.
        OSError: the address cannot be bound.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(text=f"{why()}\n", status=503)

    async def metrics(_: web.Request) -> web.Response:
        body, content_type = metrics_page()
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application()
    for path, handler in (
        ("/healthz", healthz),
        ("/readyz", readyz),
        ("/metrics", metrics),
    ):
        app.router.add_get(path, handler, allow_head=False)
    doorway = Doorway(*files)
    runner = web.AppRunner(app, handle_signals=False, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=doorway.listening).start()
        yield
    finally:
        await runner.cleanup()
