"""What a registry wants to see: tokens for one repository, or a password.

A registry says where tokens are made. It is believed only where that is itself, or a
host that is known to make its tokens: whoever it names is shown its credentials.

Source:
    github.com/distribution/distribution docs/content/spec/auth/{token,oauth}.md;
    RFC 7617 (Basic).
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from cachetools import LRUCache
from pydantic import Field
from yarl import URL

from countersign.adapters.registry.answers import Answer, Request, same_origin
from countersign.adapters.registry.challenges import Challenge, parse_challenges
from countersign.adapters.registry.credentials import Credential, Credentials
from countersign.adapters.registry.http import Http
from countersign.adapters.registry.settings import TOKEN_HOSTS
from countersign.core.errors import Malformed, Unavailable
from countersign.wire.shapes import Shape, shaped
from countersign.wire.strict_json import parse_json

_MAX_ANSWER = 64 << 10  # bytes; a token is a few kB
_DEFAULT_S = 60  # seconds; token.md: "If omitted, this defaults to 60 seconds"
_LONGEST_S = 3600  # seconds; longer ones are asked for anew
_MARGIN_S = 5.0  # seconds before its end a token is not used any more
_KEPT = 1024  # tokens; one for each repository
_OK = 200
_BEARER = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}")  # RFC 6750, 2.1


@dataclass(frozen=True, slots=True)
class Scope:
    """What we want to do where.

    Attributes:
        host: As images name it: ``docker.io``.
        name: The repository's, without host.
        actions: ``pull``, or ``pull,push``: never more, whatever is offered.
    """

    host: str
    name: str
    actions: str

    def __str__(self) -> str:
        return f"repository:{self.name}:{self.actions}"


class _Answer(Shape):
    token: str = Field(default="", repr=False)
    access_token: str = Field(default="", alias="access_token", repr=False)
    expires_in: int = Field(default=_DEFAULT_S, alias="expires_in")


@dataclass(frozen=True, slots=True)
class _Kept:
    authorization: str = field(repr=False)
    until: float  # loop time


class Tokens:
    """Gets what registries want to see, and keeps it while it is good."""

    def __init__(
        self,
        http: Http,
        credentials: Credentials,
        token_hosts: Mapping[str, frozenset[str]],
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._hosts = {
            host: TOKEN_HOSTS.get(host, frozenset())
            | token_hosts.get(host, frozenset())
            for host in {*TOKEN_HOSTS, *token_hosts}
        }
        self._kept: LRUCache[Scope, _Kept] = LRUCache(maxsize=_KEPT)
        self._asking: LRUCache[Scope, asyncio.Lock] = LRUCache(maxsize=_KEPT)

    def known(self, scope: Scope) -> str | None:
        """Return the header's value that was good the last time, or None."""
        kept = self._kept.get(scope)
        if kept and kept.until > asyncio.get_running_loop().time():
            return kept.authorization
        return None

    async def answer(
        self, scope: Scope, refused: Answer, shown: str | None, *, deadline: float
    ) -> str:
        """Return the header's value that a registry asks for.

        Args:
            scope: What it is needed for.
            refused: Its answer, 401.
            shown: What it did not like; None: nothing was shown.
            deadline: Of the loop's clock.

        Raises:
            Unavailable: it asks for what we do not have, or will not show.
        """
        lock = self._asking.setdefault(scope, asyncio.Lock())
        async with lock:
            known = self.known(scope)
            if known and known != shown:
                return known  # somebody else has just asked
            challenges = parse_challenges(
                refused.headers.getall("WWW-Authenticate", [])
            )
            kept = await self._obtained(scope, challenges, refused.url, deadline)
            self._kept[scope] = kept
            return kept.authorization

    async def _obtained(
        self, scope: Scope, challenges: Sequence[Challenge], asked: URL, deadline: float
    ) -> _Kept:
        now = asyncio.get_running_loop().time()
        credential = await self._credentials.of(scope.host)
        for challenge in challenges:
            if challenge.scheme == "bearer":
                request = self._request(scope, challenge, credential, asked)
                answer = await self._http.send(request, deadline=deadline)
                return _read(answer, scope, now)
            if challenge.scheme == "basic" and credential and credential.user:
                return _Kept(credential.basic(), now + _LONGEST_S)
        raise Unavailable(
            f"registry {scope.host} asks for credentials to {scope.actions} {scope.name}"
        )

    def _request(
        self,
        scope: Scope,
        challenge: Challenge,
        credential: Credential | None,
        asked: URL,
    ) -> Request:
        realm = self._realm(scope.host, challenge.parameters.get("realm", ""), asked)
        query = {"scope": str(scope)}
        if service := challenge.parameters.get("service"):
            query["service"] = service
        if credential and credential.identity_token:
            form = {
                **query,
                "grant_type": "refresh_token",
                "client_id": "countersign",
                "refresh_token": credential.identity_token,
            }
            return Request(
                url=realm,
                method="POST",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode(form).encode(),
                limit=_MAX_ANSWER,
            )
        return Request(
            url=realm.update_query(query),
            headers={},
            authorization=credential.basic() if credential else None,
            limit=_MAX_ANSWER,
        )

    def _realm(self, host: str, realm: str, asked: URL) -> URL:
        """Return who makes the tokens.

        Raises:
            Unavailable: it is nobody who may see the registry's credentials.
        """
        try:
            url = URL(realm)
            own = same_origin(url, asked)
            known = url.scheme == "https" and url.authority in self._hosts.get(
                host, frozenset()
            )
            if (own or known) and url.user is None and url.password is None:
                return url.with_fragment(None)
        except ValueError:
            pass
        raise Unavailable(
            f"registry {host} wants its tokens made by {realm[:80]!r}, which is not "
            "known to do so: it would see the credentials"
        )


def _read(answer: Answer, scope: Scope, now: float) -> _Kept:
    """Return the token.

    Raises:
        Unavailable: there is none in the answer.
    """
    if answer.status != _OK:
        raise Unavailable(
            f"no token to {scope.actions} {scope.name} of registry {scope.host}: "
            f"{answer.url.authority} answered {answer.status}"
        )
    try:
        told = shaped(_Answer, parse_json(answer.body, limit=_MAX_ANSWER), "token")
    except Malformed:
        raise Unavailable(f"{answer.url.authority} answered no token") from None
    token = told.token or told.access_token
    if not _BEARER.fullmatch(token):
        raise Unavailable(f"{answer.url.authority} answered no token")
    lasts = min(max(told.expires_in, _DEFAULT_S), _LONGEST_S)
    return _Kept(f"Bearer {token}", now + lasts - _MARGIN_S)
