"""One request at a time to one registry: bounded, guarded, and never led astray.

* Addresses are judged when connecting (:mod:`.addresses`), redirects' as well.
* Nothing is unpacked: an encoded body is refused before it is read.
* No proxy, cookie or credential comes from the environment.
"""

import asyncio
import os
import ssl
from functools import partial

import aiohttp
from yarl import URL

from countersign.adapters.registry.addresses import guard
from countersign.adapters.registry.answers import (
    Answer,
    Request,
    read_answer,
    same_origin,
    target_of,
    wanted_quiet,
)
from countersign.adapters.registry.settings import LOOPBACK, Settings
from countersign.core.errors import Misconfigured, Unavailable
from countersign.ports import Throttled

_CONNECT_S = 5.0  # seconds
_PER_HOST = 32  # connections to one host
_MAX_HOPS = 4  # redirects; registry to storage to its region
_TRIES = 3  # of one request, when it wants quiet each time
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FAILED = 500  # and above
_HTTPS, _HTTP = "https", "http"


class Http:
    """Sends requests to registries and those they point to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trust = _trust(settings)
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._quiet: dict[str, float] = {}  # host -> loop time

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def origin(self, host: str) -> URL:
        """Return where a host is asked.

        Raises:
            Unavailable: the host is none.
        """
        scheme = _HTTP if host in self._settings.plain else _HTTPS
        try:
            return URL(f"{scheme}://{host}/").origin()
        except ValueError as error:
            raise Unavailable(f"expected a registry, saw {host[:80]!r}") from error

    async def send(self, request: Request, *, deadline: float) -> Answer:
        """Return the answer to a request.

        What the registry wants to be left alone for is waited for, where the deadline
        allows.

        Args:
            request: What is asked.
            deadline: Of the loop's clock; until then it may be asked again.

        Raises:
            Throttled: it wants to be left alone for longer.
            Unavailable: no way there, no answer in time, a failure, a redirect that is
                not followed, an encoded or truncated body.
            OverLimit: the answer is larger than the limit.
        """
        host = request.url.authority
        wait = 0.0
        for _ in range(_TRIES):
            await self._calm(host, deadline)
            answer = await self._whole(request)
            wanted = wanted_quiet(answer)
            if wanted is None:
                if answer.status >= _FAILED:
                    raise Unavailable(f"registry {host} answered {answer.status}")
                return answer
            wait = wanted
            self._quiet[host] = asyncio.get_running_loop().time() + wait
        raise Throttled(
            f"registry {host} wants quiet again and again", retry_after=wait
        )

    async def _calm(self, host: str, deadline: float) -> None:
        """Wait until a host may be asked.

        Raises:
            Throttled: that is after the deadline.
        """
        now = asyncio.get_running_loop().time()
        until = self._quiet.get(host)
        if until is None:
            return
        if until > deadline:
            raise Throttled(
                f"registry {host} may be asked again in {until - now:.0f} s",
                retry_after=until - now,
            )
        await asyncio.sleep(until - now)
        if self._quiet.get(host) == until:
            del self._quiet[host]

    async def _whole(self, request: Request) -> Answer:
        """Follow redirects and read the body, in the time for one request."""
        host = request.url.authority
        try:
            async with asyncio.timeout(self._settings.request_s):
                return await self._followed(request)
        except TimeoutError as error:
            raise Unavailable(f"no whole answer of registry {host} in time") from error
        except (ssl.SSLError, aiohttp.ClientConnectorCertificateError) as error:
            raise Unavailable(
                f"the certificate of registry {host} is by no authority that is "
                "trusted here, or for another name"
            ) from error
        except aiohttp.ClientConnectorError as error:
            why = _why(error.os_error)
            raise Unavailable(f"no way to registry {host}: {why}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why_not = type(error).__name__
            raise Unavailable(f"registry {host} broke off: {why_not}") from error

    async def _followed(self, request: Request) -> Answer:
        url, authorization = request.url, request.authorization
        for _ in range(_MAX_HOPS + 1):
            headers = {"Accept-Encoding": "identity", **request.headers}
            if authorization:
                headers["Authorization"] = authorization
            async with self._session(url).request(
                request.method,
                url,
                headers=headers,
                data=request.body,
                allow_redirects=False,
            ) as response:
                if response.status not in _REDIRECTS:
                    return await read_answer(response, url, request.limit)
                if not request.follow:
                    raise Unavailable(
                        f"registry {url.authority} redirects what it must answer itself"
                    )
                target = target_of(response.headers, url)
            if not same_origin(target, url):
                authorization = None
            url = target
        raise Unavailable(f"registry {request.url.authority} redirects without end")

    def _session(self, url: URL) -> aiohttp.ClientSession:
        """Return the session of a scheme; without TLS there is only loopback."""
        plain = url.scheme == _HTTP
        if plain and url.authority not in self._settings.plain:
            raise Unavailable(f"{url.authority} is not asked without TLS")
        if url.scheme not in self._sessions:
            connector = aiohttp.TCPConnector(
                ssl=self._trust,
                limit_per_host=_PER_HOST,
                socket_factory=partial(
                    guard,
                    allowed=LOOPBACK if plain else self._settings.networks,
                    only_allowed=plain,
                ),
            )
            self._sessions[url.scheme] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
                auto_decompress=False,
                requote_redirect_url=False,
                trust_env=False,
                skip_auto_headers=("User-Agent",),
                headers={"User-Agent": "countersign"},
            )
        return self._sessions[url.scheme]


def _why(error: OSError) -> str:
    """Say why there is no connection, as the system does, or who refused it here."""
    number = error.errno or 0  # those of looking up names are below
    return os.strerror(number).lower() if number > 0 else error.strerror or str(error)


def _trust(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(cafile=settings.ca_file)
        except OSError as error:
            raise Misconfigured(
                f"expected authorities of registries, PEM, in {settings.ca_file}"
            ) from error
    return context
