"""The spools of `serve`, over HTTPS, each side with a certificate."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from countersign.adapters.certificate_files import Stamp, in_use, stamp
from countersign.core.errors import Misconfigured, OverLimit, Unavailable
from countersign.core.types.decision import Batch
from countersign.wire.decision import MAX_BATCH, parse_batch

MAX_POSITIONS = 64  # named in one question: replicas that live, and some that did
_LIMIT = 256  # entries of one batch
_CHUNK = 1 << 16  # bytes
_OK = 200
_MAX_REFUSAL = 512  # bytes of an error that are told on


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How replicas are reached.

    Attributes:
        server_name: In their certificates, whatever their address.
        ca_file: Their authority, PEM.
        certificate_file, key_file: Ours.
        request_s: Time for one question, in seconds.
    """

    server_name: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    request_s: float


class Replicas:
    """Finds the replicas behind some names. Made by :func:`replicas`."""

    def __init__(
        self,
        sources: tuple[str, ...],
        access: Access,
        session: aiohttp.ClientSession,
    ) -> None:
        self._sources = sources
        self._access = access
        self._session = session
        self._context = _Context(access)

    async def look(self) -> tuple[Mapping[str, "HttpSpool"], tuple[str, ...]]:
        """Return a spool for each address of each source, and what went wrong.

        A renewed certificate is loaded by the way.
        """
        found: dict[str, HttpSpool] = {}
        trouble = list(self._context.refresh())
        for source in self._sources:
            try:
                addresses = await _addresses(source)
            except OSError as error:
                trouble.append(f"no replica at {source}: {error.strerror or error}")
                continue
            for at in addresses:
                found[at] = HttpSpool(at, self._access, self._session, self._context)
        return found, tuple(trouble)


@asynccontextmanager
async def replicas(sources: tuple[str, ...], access: Access) -> AsyncIterator[Replicas]:
    """Prepare to find and ask replicas.

    Args:
        sources: ``https://host:port`` each.
        access: How they are reached.

    Raises:
        Misconfigured: no usable certificate.
    """
    async with aiohttp.ClientSession(trust_env=False, auto_decompress=False) as session:
        yield Replicas(sources, access, session)


class HttpSpool:
    """The spool of one replica: :class:`~countersign.ports.Spool`."""

    def __init__(
        self,
        url: str,
        access: Access,
        session: aiohttp.ClientSession,
        context: "_Context",
    ) -> None:
        self._url = url
        self._access = access
        self._session = session
        self._context = context
        self._limit = _LIMIT

    async def read(self, positions: Mapping[str, int]) -> Batch:
        """Return the first entries that are not recorded yet; see the port.

        Args:
            positions: The most important first: a request has room for some only. For
                those left out the spool may tell again what is recorded, which does
                no harm.
        """
        named = dict(islice(positions.items(), MAX_POSITIONS))
        query = {
            "positions": json.dumps(named, separators=(",", ":")),
            "limit": str(self._limit),
        }
        try:
            batch = parse_batch(await self._ask("GET", "/spool", query=query))
        except OverLimit:
            self._limit = max(1, self._limit // 2)
            raise
        self._limit = _LIMIT
        return batch

    async def acknowledge(self, spool: str, sequence: int) -> None:
        """Say that everything up to `sequence` is recorded; see the port."""
        said = {"spool": spool, "sequence": sequence}
        await self._ask("POST", "/spool/ack", body=said)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> bytes:
        """Ask, and return the answer.

        Raises:
            OverLimit: it is longer than a batch may be.
            Unavailable: no answer in time, or another status than success.
        """
        try:
            async with self._session.request(
                method,
                f"{self._url}{path}",
                params=query,
                json=body,
                ssl=self._context.current,
                server_hostname=self._access.server_name,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._access.request_s),
            ) as response:
                if response.status // 100 != _OK // 100:
                    said = await response.content.read(_MAX_REFUSAL)
                    why = said.decode(errors="replace").strip()
                    raise Unavailable(
                        f"{self._url} answered {response.status} at {path}: {why}"
                    )
                return await _bounded(response.content)
        except TimeoutError as error:
            raise Unavailable(f"no answer from {self._url} in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"no way to {self._url}: {error}") from error


class _Context:
    """Our side of TLS, made again when a file changed.

    Raises:
        Misconfigured: a file cannot be used.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._files = (access.ca_file, access.certificate_file, access.key_file)
        try:
            self._stamp = self._seen()
            self.current = self._load()
        except (OSError, ValueError) as error:
            names = ", ".join(str(file) for file in self._files)
            raise Misconfigured(
                f"no usable client certificate for the spools in {names}: {error}"
            ) from error

    def refresh(self) -> tuple[str, ...]:
        """Load the files again if they changed; return what went wrong."""
        try:
            seen = self._seen()
            if seen != self._stamp:
                self.current = self._load()
                self._stamp = seen
        except (OSError, ValueError) as error:
            return (f"could not load the client certificate again: {error}",)
        return ()

    def _seen(self) -> Stamp:
        authority, *ours = self._files
        return stamp(authority, *in_use(*ours))

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies, names too
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(self._access.ca_file)
        context.load_cert_chain(
            *in_use(self._access.certificate_file, self._access.key_file)
        )
        return context


async def _addresses(source: str) -> list[str]:
    """Return ``https://address:port`` for every address of a source's host, sorted.

    Raises:
        OSError: it has none.
    """
    told = urlsplit(source)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(told.hostname, told.port, type=socket.SOCK_STREAM)
    hosts = {str(where[0]) for *_, where in found}
    bracketed = (f"[{host}]" if ":" in host else host for host in hosts)
    return sorted(f"https://{host}:{told.port}" for host in bracketed)


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    kept = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        kept += chunk
        if len(kept) > MAX_BATCH:
            raise OverLimit(f"expected a batch of at most {MAX_BATCH} bytes")
    return bytes(kept)
