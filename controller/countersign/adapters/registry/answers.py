"""What is asked of registries, and how what they answer is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from countersign.core.errors import OverLimit, Unavailable

_MAX_ERROR = 16 << 10  # bytes that are read of an answer that is none
_CHUNK = 64 << 10  # bytes
_MAX_WAIT_S = 3600.0  # seconds; a registry that wants more is asked after an hour
_QUIET_S = 5.0  # seconds, where it does not say for how long
_LEAST_S = 0.2  # seconds, whatever it says
_TOO_MANY, _BUSY = 429, 503
_ERRORS = 400  # and above
_HTTPS = "https"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked.

    Attributes:
        url: Where.
        method: HTTP's.
        headers: Besides those that every request has; never ``Authorization``.
        authorization: Its value, or None. It goes nowhere but to the origin of `url`.
        body: What is sent, or None.
        limit: Bytes of the answer that are read; more is refused.
        follow: Redirects may be followed: a GET of something content-addressed.
    """

    url: URL
    method: str = "GET"
    headers: Mapping[str, str]
    authorization: str | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    limit: int
    follow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered; the status is below 500 and no redirect.

    Attributes:
        url: Who answered, after redirects.
        body: Whole; of an error maybe only its beginning.
    """

    status: int
    headers: CIMultiDictProxy[str]
    url: URL
    body: bytes


def same_origin(one: URL, other: URL) -> bool:
    """Tell whether two addresses are of one server (RFC 6454)."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


async def read_answer(response: aiohttp.ClientResponse, url: URL, limit: int) -> Answer:
    """Read an answer.

    Raises:
        Unavailable: its body is encoded.
        OverLimit: it is larger than the limit; little of it was read.
    """
    if response.status >= _ERRORS:
        body = await _bounded(response, _MAX_ERROR)
        body = body[:_MAX_ERROR]
    else:
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() not in {"", "identity"}:
            raise Unavailable(
                f"registry {url.authority} encodes what was asked for as it is"
            )
        told = response.content_length
        if told is not None and told > limit:
            raise OverLimit(f"expected at most {limit} bytes, saw {told} announced")
        body = await _bounded(response, limit)
        if len(body) > limit:
            raise OverLimit(f"expected at most {limit} bytes, saw more")
    return Answer(status=response.status, headers=response.headers, url=url, body=body)


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a body, or at most a chunk more than the limit."""
    kept = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        kept += chunk
        if len(kept) > limit:
            response.close()  # the rest is not waited for
            break
    return bytes(kept)


def target_of(headers: Mapping[str, str], url: URL) -> URL:
    """Return where a redirect leads.

    Raises:
        Unavailable: nowhere, or where nobody may be asked.
    """
    try:
        target = url.join(URL(headers.get("Location", ""), encoded=True))
        nobody = target.user is None and target.password is None
        sound = target.host and target.scheme == _HTTPS
        if nobody and (sound or same_origin(target, url)):
            return target
    except ValueError:
        pass
    raise Unavailable(f"registry {url.authority} redirects to where nobody is asked")


def wanted_quiet(answer: Answer) -> float | None:
    """Return for how many seconds the registry wants to be left alone, or None.

    Source:
        RFC 6585, section 4; RFC 9110, 10.2.3: seconds, or a date, which is not read.
    """
    told = answer.headers.get("Retry-After", "")
    if answer.status == _TOO_MANY or (answer.status == _BUSY and told):
        seconds = float(told) if told.isascii() and told.isdigit() else _QUIET_S
        return min(max(seconds, _LEAST_S), _MAX_WAIT_S)
    return None
