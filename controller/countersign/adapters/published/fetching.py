"""Files of one mirror: over TLS, bounded, and never led elsewhere.

* Addresses are judged when connecting, as those of registries are.
* No redirect is followed: whoever moves a mirror has it signed for.
* Nothing is unpacked, and no proxy, cookie or credential comes from the environment.

It blocks: it is called in a thread, or by a command.
"""

import asyncio
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
)
from tuf.ngclient.fetcher import FetcherInterface

from countersign.adapters.registry.addresses import guard
from countersign.core.errors import Misconfigured

MAX_FILE = (
    2 * 2**20
)  # bytes of one file; the largest of the public mirror has 7 thousand
MAX_FILES = 96  # of one look: 64 roots, the rest of the metadata, and the target
_CHUNK = 65536  # bytes
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How mirrors are reached.

    Attributes:
        ca_file: Authorities besides the system's, PEM; None: only the system's.
        networks: Addresses that may be reached although they are refused otherwise.
        look_s: Seconds for all files of one look.
    """

    ca_file: Path | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    look_s: float = 20.0


class Fetcher(FetcherInterface):
    """Fetches the files of one look.

    Args:
        url: Of the mirror; no other origin is asked.
        reach: How.

    Raises:
        Misconfigured: the authorities cannot be read.
    """

    def __init__(self, url: str, reach: Reach) -> None:
        self._origin = _origin(url)
        self._reach = reach
        self._trust = _trust(reach)
        self._until = time.monotonic() + reach.look_s
        self._left = MAX_FILES

    def _fetch(self, url: str) -> Iterator[bytes]:
        if _origin(url) != self._origin:
            raise DownloadError(f"expected {self._origin}, saw {url[:200]!r}")
        self._left -= 1
        left_s = self._until - time.monotonic()
        if self._left < 0:
            raise DownloadLengthMismatchError(
                f"more than {MAX_FILES} files of metadata"
            )
        if left_s <= 0:
            raise DownloadError("not done in time")
        return iter((asyncio.run(self._in_time(url, left_s)),))

    async def _in_time(self, url: str, left_s: float) -> bytes:
        connector = aiohttp.TCPConnector(
            ssl=self._trust,
            socket_factory=partial(
                guard, allowed=self._reach.networks, only_allowed=False
            ),
        )
        task = asyncio.create_task(self._get(connector, url))
        done, _ = await asyncio.wait([task], timeout=left_s)
        if not done:
            # first, since who only cancels waits for the other side's end of TLS
            await connector.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise DownloadError("no whole answer in time")
        try:
            return task.result()
        except (ssl.SSLError, aiohttp.ClientConnectorCertificateError) as error:
            raise DownloadError(
                "its certificate is by no authority that is trusted here, or for "
                "another name"
            ) from error
        except aiohttp.ClientConnectorError as error:
            why = str(error.os_error.strerror or error.os_error)
            said = why.replace("a registry's", "a mirror's")  # of the shared guard
            raise DownloadError(f"no way there: {said}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DownloadError(f"broke off: {type(error).__name__}") from error

    async def _get(self, connector: aiohttp.TCPConnector, url: str) -> bytes:
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                headers={"User-Agent": "countersign", "Accept-Encoding": "identity"},
            ) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status != HTTPStatus.OK:
                raise DownloadHTTPError(
                    f"it answered {response.status} for {url}", response.status
                )
            return await _body(response)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        read += chunk
        if len(read) > MAX_FILE:
            raise DownloadLengthMismatchError(f"a file of more than {MAX_FILE} bytes")
    return bytes(read)


def _origin(url: str) -> str:
    told = urlsplit(url)
    return f"{told.scheme}://{told.hostname}:{told.port or _HTTPS_PORT}"


def _trust(reach: Reach) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if reach.ca_file is not None:
        try:
            context.load_verify_locations(cafile=reach.ca_file)
        except OSError as error:
            raise Misconfigured(
                f"expected authorities of mirrors, PEM, in {reach.ca_file}"
            ) from error
    return context
