"""A tunnel to the recorder's Service, made by kubectl with the user's own rights.

Not the API server's proxy: that takes the caller's credentials off.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from countersign.core.errors import Misconfigured, Unavailable

SERVICE = "countersign-recorder"
NAMESPACE = "countersign"
_REMOTE_PORT = 443
_ROLE = "countersign-recorder-forward"  # in that namespace, by the chart
_REFUSED = "(Forbidden)"  # as kubectl says that a right is missing
_READY = re.compile(rb"^Forwarding from 127\.0\.0\.1:([0-9]{1,5}) -> ")
_PATIENCE_S = 20.0  # seconds until it stands
_GRACE_S = 5.0  # seconds for kubectl to end by itself
_MAX_LINE = 4096  # bytes
_MAX_SAID = 400  # characters of its complaint that are told on


@asynccontextmanager
async def forwarded(
    *, kubeconfig: Path | None, context: str | None, kubectl: str = "kubectl"
) -> AsyncIterator[int]:
    """Forward a port of loopback to the recorder for as long as the block lasts.

    Args:
        kubeconfig: None: as kubectl finds it.
        context: Of the kubeconfig; None: its current one.
        kubectl: The program.

    Yields:
        The port; kubectl lets the system choose it.

    Raises:
        Misconfigured: there is no kubectl.
        Unavailable: it does not stand in time; in kubectl's own words.
    """
    if (program := shutil.which(kubectl)) is None:
        raise Misconfigured(
            "expected kubectl in PATH, to reach the recorder through the cluster; saw "
            "none: give the recorder with --recorder URL"
        )
    process = await asyncio.create_subprocess_exec(
        program,
        *command(kubeconfig, context),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_MAX_LINE,
    )
    drains: list[asyncio.Task[None]] = []
    try:
        port = await _port(process)
        # it writes a line for every connection: a full pipe would stop it
        for stream in (process.stdout, process.stderr):
            assert stream is not None  # noqa: S101 - both are pipes
            drains.append(asyncio.create_task(_drain(stream)))
        yield port
    finally:
        await _end(process)
        for task in drains:
            task.cancel()


def command(kubeconfig: Path | None, context: str | None) -> list[str]:
    """Return the arguments of kubectl."""
    which = [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    which += [f"--context={context}"] if context else []
    what = ["port-forward", f"service/{SERVICE}", f":{_REMOTE_PORT}"]
    return [*which, *what, f"--namespace={NAMESPACE}", "--address=127.0.0.1"]


async def _port(process: asyncio.subprocess.Process) -> int:
    """Return the port once kubectl says that it listens."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while line := await process.stdout.readline():
                if found := _READY.match(line):
                    return int(found[1])
            why = await _complaint(process)
    except TimeoutError as error:
        raise Unavailable(
            f"no port-forward to service/{SERVICE} in namespace {NAMESPACE} in time"
        ) from error
    except ValueError as error:  # a line beyond the limit
        raise Unavailable("expected kubectl to say where it forwards") from error
    todo = f"ask for a RoleBinding there to the Role {_ROLE}, or " * (_REFUSED in why)
    raise Unavailable(
        f"no port-forward to service/{SERVICE} in namespace {NAMESPACE}: {why}; {todo}"
        "give the recorder with --recorder URL"
    )


async def _complaint(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    said = (await process.stderr.read(_MAX_LINE)).decode(errors="replace")
    return " ".join(said.split())[:_MAX_SAID] or "kubectl ended without a word"


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(_MAX_LINE):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave no process behind."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_GRACE_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
