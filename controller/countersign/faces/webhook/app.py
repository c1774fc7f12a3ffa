"""Exact paths, and what is answered at each. Anything else is refused."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from countersign.faces.webhook.validate import MAX_BODY, Validate
from countersign.telemetry import metrics_page

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Trouble = Callable[[], tuple[str, ...]]


@dataclass(slots=True)
class Health:
    """Whether this replica should be asked.

    Attributes:
        trouble: Why nothing can be judged now; empty: it can.
        draining: It is about to stop.
    """

    trouble: Trouble
    draining: bool = False

    def lines(self) -> tuple[str, ...]:
        """Return why this replica should not be asked; empty: it should.

        A fault in finding out is a reason too, and must not end the process: it would
        come up again to the same object.
        """
        if self.draining:
            return ("stopping",)
        try:
            return self.trouble()
        except Exception as error:  # noqa: BLE001 - told by whoever asked
            return (f"a fault of countersign: {error!r}",)


def make_app(validate: Validate, health: Health) -> web.Application:
    """Return the application: ``/validate``, ``/healthz``, ``/readyz``, ``/metrics``.

    A replica that is not ready still answers ``/validate``, and denies.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        lines = health.lines()
        text = "".join(f"{line}\n" for line in lines or ("ready",))
        return web.Response(text=text, status=503 if lines else 200)

    async def metrics(_: web.Request) -> web.Response:
        body, content_type = metrics_page()
        return web.Response(body=body, headers={"Content-Type": content_type})

    @web.middleware
    async def plain(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as every path does: no name of the software, no open connection."""
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = web.Response(text=f"{error.text}\n", status=error.status)
            for name in ("Allow", "Retry-After"):
                if name in error.headers:
                    response.headers[name] = error.headers[name]
        if health.draining:
            response.force_close()
        response.headers["Server"] = "countersign"
        return response

    app = web.Application(middlewares=[plain], client_max_size=MAX_BODY + 1)
    app.router.add_post("/validate", validate.handle)
    for path, handler in (
        ("/healthz", healthz),
        ("/readyz", readyz),
        ("/metrics", metrics),
    ):
        app.router.add_get(path, handler, allow_head=False)
    return app
