"""One repository of a registry, as the distribution specification has it.

What lies under a digest is checked against it; what lies under a tag or in a list of
referrers is only what the registry says.

Source:
    github.com/opencontainers/distribution-spec v1.1; the clause is named at each rule.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from yarl import URL

from countersign.adapters.registry.answers import Answer, Request, same_origin
from countersign.adapters.registry.http import Http
from countersign.adapters.registry.tokens import Scope, Tokens
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.wire.oci import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    MAX_MANIFEST,
    Descriptor,
    parse_index,
)

BLOB = "application/octet-stream"
OK, CREATED, TAKEN = 200, 201, 202

_MAX_PAGES = 16  # of one list of referrers
_MAX_LISTED = 1024  # referrers of one image that are read from it
_SHORT = 64 << 10  # bytes; a longer document is read beside the loop, not in it
_ACCEPTED = f"{MANIFEST}, {INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}"
_NOT_FOUND = 404
_REFUSED = frozenset({401, 403})
_UNSUPPORTED = frozenset(
    {400, 404, 405, 406}
)  # what registries say that do not know it
_CODE = re.compile(
    rb'"code"\s*:\s*"([A-Z_]{1,40})"'
)  # distribution-spec, "Error Codes"
_LINK = re.compile(r'<([^<>]{1,4096})>[^,<>]*;\s*rel\s*=\s*"?next\b', re.IGNORECASE)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Tagged:
    """What lies under a tag.

    Attributes:
        raw: A manifest or an index, as it came.
        digest: Of it.
        etag: What a conditional push must name, or ``""``.
    """

    raw: bytes
    digest: Digest
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """What the referrers API says.

    Attributes:
        entries: As told.
        problems: What could not be read.
    """

    entries: tuple[Descriptor, ...]
    problems: tuple[str, ...] = ()


class Repository:
    """Reads one repository, until a deadline.

    Every method raises `Unavailable` where the registry gives no answer, or none that it
    may give, and `OverLimit` where what it gives is larger than what is read.

    Args:
        http: Sends requests.
        tokens: Says who we are.
        scope: The repository, and what is done there.
        base: Where the registry is asked.
        deadline: Of the loop's clock.
    """

    def __init__(
        self, http: Http, tokens: Tokens, scope: Scope, *, base: URL, deadline: float
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._scope = scope
        self._base = base
        self._deadline = deadline

    def __str__(self) -> str:
        return f"{self._scope.host}/{self._scope.name}"

    async def manifest(self, digest: Digest) -> bytes | None:
        """Return the manifest or index under a digest; None: there is none.

        Source:
            "Pulling manifests": 404 where it is not found.
        """
        answer = await self._found(f"manifests/{digest}", MAX_MANIFEST, _ACCEPTED)
        return None if answer is None else self._checked(answer.body, digest)

    async def tagged(self, tag: str) -> Tagged | None:
        """Return what lies under a tag, or None.

        Source:
            "Pulling manifests": where there is a Docker-Content-Digest, it is the
            digest of what came.
        """
        answer = await self._found(f"manifests/{tag}", MAX_MANIFEST, _ACCEPTED)
        if answer is None:
            return None
        digest = Digest.sha256(answer.body)
        told = answer.headers.get("Docker-Content-Digest", "")
        if told.startswith("sha256:") and told != str(digest):
            raise Unavailable(f"{self}:{tag} is not what the registry says that it is")
        etag = answer.headers.get("ETag", "")
        # If-Match compares strongly, and a weak one never holds: RFC 9110, 13.1.1
        return Tagged(answer.body, digest, "" if etag.startswith("W/") else etag)

    async def blob(self, digest: Digest, *, limit: int) -> bytes | None:
        """Return the blob under a digest, or None.

        Args:
            digest: Which one.
            limit: Bytes that are read at most.

        Source:
            "Pulling blobs": a redirect may answer it, and is followed.
        """
        answer = await self._found(f"blobs/{digest}", limit, BLOB, follow=True)
        return None if answer is None else self._checked(answer.body, digest)

    async def referrers(self, digest: Digest) -> Listed | None:
        """Return what the referrers API lists; None: there is no such API.

        It is not asked to filter: what it would filter by is only its word.

        Source:
            "Listing Referrers": 404 where unsupported, else an index, in pages by
            ``Link``. As to go-containerregistry (remote/referrers.go), 400, 406 and what
            is no index (the front page of an old registry) say the same as 404.
        """
        first = self.url(f"referrers/{digest}")
        answer = await self.asked(first, limit=MAX_MANIFEST, headers={"Accept": INDEX})
        if answer.status in _UNSUPPORTED:
            return None
        if _media_type(answer) != INDEX and answer.status == OK:
            return None
        entries: list[Descriptor] = []
        problems: list[str] = []
        for _ in range(_MAX_PAGES):
            self.require(answer, OK)
            try:
                page = await read(parse_index, answer.body)
            except Malformed as error:
                problems.append(f"a list of referrers: {error}")
                break
            entries += page.manifests
            if page.unread:
                problems.append(f"{page.unread} listed referrers cannot be read")
            following = self._following(answer, first)
            if following is None:
                break
            if len(entries) > _MAX_LISTED:
                problems.append(f"expected at most {_MAX_LISTED} referrers, saw more")
                break
            answer = await self.asked(
                following, limit=MAX_MANIFEST, headers={"Accept": INDEX}
            )
        else:
            problems.append(
                f"expected at most {_MAX_PAGES} pages of referrers, saw more"
            )
        return Listed((*entries,), (*problems,))

    def url(self, path: str) -> URL:
        """Return the address of something in the repository ("Endpoints")."""
        return self._base.with_path(f"/v2/{self._scope.name}/{path}")

    async def asked(
        self,
        url: URL,
        *,
        limit: int,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow: bool = False,
    ) -> Answer:
        """Return the answer to a request, after saying who we are if that is asked for.

        Said once: what was shown may have run out. A second 401 is meant.
        """
        request = Request(
            url=url,
            method=method,
            headers=headers or {},
            authorization=self._tokens.known(self._scope),
            body=body,
            limit=limit,
            follow=follow,
        )
        answer = await self._sent(request)
        if self._refused(answer, url) and "WWW-Authenticate" in answer.headers:
            shown = await self._tokens.answer(
                self._scope, answer, request.authorization, deadline=self._deadline
            )
            answer = await self._sent(replace(request, authorization=shown))
        if self._refused(answer, url):
            raise Unavailable(f"registry {self._scope.host} refuses to {self._what()}")
        return answer

    async def _sent(self, request: Request) -> Answer:
        return await self._http.send(request, deadline=self._deadline)

    @staticmethod
    def _refused(answer: Answer, url: URL) -> bool:
        return answer.status in _REFUSED and same_origin(answer.url, url)

    def require(self, answer: Answer, status: int) -> None:
        """Refuse an answer of another status.

        Raises:
            Unavailable: it has one. The message has the registry's code for it.
        """
        if answer.status != status:
            code = _CODE.search(answer.body)
            said = f" {code[1].decode()}" if code else ""
            raise Unavailable(
                f"expected {status} of {self}, saw {answer.status}{said}: "
                f"cannot {self._what()}"
            )

    def _what(self) -> str:
        return f"{self._scope.actions.replace(',', ' and ')} {self._scope.name}"

    async def _found(
        self, path: str, limit: int, accept: str, *, follow: bool = False
    ) -> Answer | None:
        answer = await self.asked(
            self.url(path), limit=limit, headers={"Accept": accept}, follow=follow
        )
        if answer.status == _NOT_FOUND and same_origin(answer.url, self._base):
            return None
        self.require(answer, OK)
        return answer

    def _checked(self, body: bytes, digest: Digest) -> bytes:
        if Digest.sha256(body) != digest:
            raise Malformed(f"{self} holds other bytes under {digest}")
        return body

    def _following(self, answer: Answer, first: URL) -> URL | None:
        """Return the next page of a list, or None.

        Source:
            "Listing Referrers", RFC 5988: a relative address, of the same list.

        Raises:
            Unavailable: it is on another server, or of something else.
        """
        found = _LINK.search(answer.headers.get("Link", ""))
        if found is None:
            return None
        try:
            following = answer.url.join(URL(found[1]))
        except ValueError:
            following = None
        if (
            following is None
            or following.user is not None
            or not same_origin(following, first)
            or following.path != first.path
        ):
            raise Unavailable(f"{self} continues its list of referrers elsewhere")
        return following


async def read(parse: Callable[[bytes], Read], raw: bytes) -> Read:
    """Read a document; a long one beside the loop, which others wait for."""
    if len(raw) <= _SHORT:
        return parse(raw)
    return await asyncio.to_thread(parse, raw)


def _media_type(answer: Answer) -> str:
    told = answer.headers.get("Content-Type", "")
    return told.partition(";")[0].strip().lower()
