"""Docker's credential helpers: programs that keep secrets for it.

Source:
    github.com/docker/docker-credential-helpers, client.Get: the server's URL on standard
    input, JSON on standard output.
"""

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pydantic import Field

from countersign.core.errors import Malformed, Unavailable
from countersign.wire.shapes import Shape, shaped
from countersign.wire.strict_json import parse_json

HELPER_S = 20.0  # seconds; a cloud's helper asks its cloud first

_MAX_ANSWER = 64 << 10  # bytes
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NONE_THERE = b"credentials not found in native keychain"


class Helped(Shape):
    """What a helper answers."""

    username: str = Field(default="", alias="Username", repr=False)
    secret: str = Field(default="", alias="Secret", repr=False)


async def ask_helper(name: str, server: str) -> Helped | None:
    """Return what a helper keeps for a server, or None: nothing.

    Args:
        name: ``docker-credential-NAME`` is run, found on the path.
        server: Key of the server, as docker names it.

    Raises:
        Unavailable: there is no such program, or it failed, said too much or took too
            long. The message holds nothing of what it said.
    """
    program = f"docker-credential-{name}"
    if not _NAME.fullmatch(name):
        raise Unavailable(
            f"expected the name of a credential helper, saw {name[:80]!r}"
        )
    async with _pipe() as (said_here, says_there):
        try:
            process = await asyncio.create_subprocess_exec(
                program, "get", stdin=PIPE, stdout=says_there, stderr=DEVNULL
            )
        except (OSError, ValueError) as error:
            raise Unavailable(f"{program} could not be run") from error
        finally:
            os.close(says_there)
        try:
            async with asyncio.timeout(HELPER_S):
                said = await _asked(process, said_here, server)
                code = await process.wait()
        except TimeoutError as error:
            raise Unavailable(
                f"{program} did not answer in {HELPER_S:.0f} s"
            ) from error
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if code:
        if _NONE_THERE in said:
            return None
        raise Unavailable(f"{program} failed with {code} for {server}")
    try:
        return shaped(Helped, parse_json(said, limit=_MAX_ANSWER), program)
    except Malformed:
        raise Unavailable(f"expected JSON of {program}") from None


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """Open a pipe; it is closed although a child of the program may keep its end."""
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader),
        os.fdopen(reading, "rb", buffering=0),
    )
    try:
        yield reader, writing
    finally:
        transport.close()


async def _asked(process: Process, reader: asyncio.StreamReader, server: str) -> bytes:
    """Return what it says, and a byte more than the limit where it says more."""
    if process.stdin is not None:  # it is a pipe
        with suppress(ConnectionError):  # it may answer without reading
            process.stdin.write(server.encode())
            await process.stdin.drain()
        process.stdin.close()
    said = bytearray()
    while len(said) <= _MAX_ANSWER and (part := await reader.read(_MAX_ANSWER)):
        said += part
    if len(said) > _MAX_ANSWER:
        process.kill()
    return bytes(said)
