"""kopf: told by the API server, it tells us; it stores nothing on any object.

It runs on an event loop of its own, in a thread of its own. Where it ends, for whatever
reason, kopf cancels every task that its loop has begun since, and in the main thread it
takes the signals of the process: a neighbour on the same loop would not survive it.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import kopf

from countersign.adapters.cluster.client import Credentials
from countersign.core.types.artifacts import Tree
from countersign.usecases.coverage import NAME
from countersign.wire.resources.kinds import GROUP, KINDS, VERSION

Told = Callable[[str, Tree], None]
"""What kopf tells: the kind, and the object as it was last."""

Login = Callable[[], Awaitable[Credentials]]

CONFIGURATION = "ValidatingWebhookConfiguration"
_REGISTERED = ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations")
_LOGIN = timedelta(minutes=10)  # then again: tokens of service accounts are renewed
_WATCH_S = 240  # of one watch request, in whole seconds: the server parses an integer
_FRESH_S = (
    1800.0  # then from the start: kopf never takes up a watch that it was refused
)

logging.getLogger("kopf").setLevel(logging.WARNING)  # a line for each event else


async def watch(login: Login, told: Told) -> None:
    """Watch our kinds, and the webhook's registration, for half an hour.

    CRDs may come later, and the API server may go and come back.

    Args:
        login: Returns credentials; called in another thread, on its event loop.
        told: Called for each object there is, and at each change; in our loop.

    Raises:
        RuntimeError: kopf ended by itself; whatever it raised is its cause.
    """
    loop = asyncio.get_running_loop()

    def tell(kind: str, tree: Tree) -> None:
        loop.call_soon_threadsafe(told, kind, tree)

    stop = threading.Event()
    work = asyncio.create_task(asyncio.to_thread(_operate, login, tell, stop))
    try:
        done, _ = await asyncio.wait([work], timeout=_FRESH_S)
        if done:
            raise RuntimeError("kopf ended by itself") from work.exception()
    finally:
        stop.set()
        await asyncio.wait([work])


def _operate(login: Login, tell: Told, stop: threading.Event) -> None:
    running = kopf.operator(
        registry=_registry(login, tell),
        settings=_settings(),
        # else kopf asks the system for our user's name, and in a Pod there is none
        identity=cast("Any", "countersign-operate"),
        standalone=True,
        clusterwide=True,
        stop_flag=stop,
    )
    asyncio.run(running)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # what it logs are no Events of our objects
    settings.process.ultimate_exiting_timeout = None  # it would kill the recorder, too
    settings.watching.server_timeout = _WATCH_S
    settings.watching.client_timeout = _WATCH_S + 30
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 30
    return settings


def _registry(login: Login, tell: Told) -> kopf.OperatorRegistry:
    """Return the handlers: of raw events only, for which kopf notes nothing down."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def connection(**_: object) -> kopf.ConnectionInfo:
        found = await login()
        return kopf.ConnectionInfo(
            server=found.server,
            ca_path=found.ca_file,
            certificate_path=found.certificate_file,
            private_key_path=found.key_file,
            token=found.token,
            insecure=not found.verify,
            expiration=datetime.now(UTC) + _LOGIN,
        )

    def listen(kind: str, *resource: str) -> None:
        @kopf.on.event(*resource, id=f"told-{kind}", registry=registry)
        async def told(event: kopf.RawEvent, **_: object) -> None:
            tell(kind, cast("Tree", event["object"]))

    for kind in KINDS.values():
        listen(kind.name, GROUP, VERSION, kind.plural)

    @kopf.on.event(*_REGISTERED, id="told-registration", registry=registry)
    async def registered(event: kopf.RawEvent, name: str, **_: object) -> None:
        if name == NAME:
            tell(CONFIGURATION, cast("Tree", event["object"]))

    return registry
