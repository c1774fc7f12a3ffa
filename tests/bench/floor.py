"""The floor: what it costs to answer an AdmissionReview at all.

The same server library, JSON library, TLS and keep-alive as ``countersign serve``; it
allows everything. With ``--record`` it also keeps what it was asked, a line each: so the
reviews that are measured are those of a real API server.

    python -m tests.bench.floor --certificate FILE --key FILE [--record FILE]
"""

import argparse
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
from aiohttp import web

_MAX_BODY = 8 << 20  # bytes, as ours
_KEEP_ALIVE_S = 180.0


def application(keep: Callable[[bytes], object]) -> web.Application:
    """Return the webhook; `keep` is told each body."""

    async def allow(http: web.Request) -> web.Response:
        body = await http.read()
        keep(body)
        review = orjson.loads(body)
        answer = {
            "apiVersion": review["apiVersion"],
            "kind": review["kind"],
            "response": {"uid": review["request"]["uid"], "allowed": True},
        }
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_post("/validate", allow)
    return app


async def _listen(arguments: argparse.Namespace) -> web.Application:
    if arguments.record is None:
        return application(lambda _: None)
    log = arguments.record.open("ab", buffering=0)
    return application(lambda body: log.write(body.strip() + b"\n"))


def main() -> None:
    """Serve until stopped; the first line of output is the port."""
    parser = argparse.ArgumentParser()
    for name in ("certificate", "key", "record"):
        parser.add_argument(f"--{name}", type=Path)
    arguments = parser.parse_args()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(arguments.certificate, arguments.key)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        web.run_app(
            _listen(arguments),
            sock=listener,
            ssl_context=context,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE_S,
            print=None,
        )


if __name__ == "__main__":
    main()
