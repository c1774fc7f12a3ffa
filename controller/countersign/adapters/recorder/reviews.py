"""Who somebody is, and what they may: asked of the API server, which knows.

Answers are kept for seconds: long enough that a command with ten requests costs one
question, short enough that a right taken away is gone.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from cachetools import TTLCache

from countersign.adapters.cluster.source import NotThere
from countersign.adapters.cluster.written import Creator
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.resources.kinds import GROUP

T = TypeVar("T")

MAX_TOKEN = 16 << 10  # characters; those of identity providers with many groups
_KEPT_S = 10.0  # seconds; the API server's own cache of tokens holds as long
_KEPT = 1024  # answers of each sort
_AT_ONCE = 8  # questions to the API server; more wait
_PATIENCE_S = 10.0  # seconds for that and for the answer
_AUTHENTICATION = "/apis/authentication.k8s.io/v1/tokenreviews"
_AUTHORIZATION = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_AUTHORITY = (
    "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
)
_RESOURCE = "decisions"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user as the API server knows it.

    Attributes:
        name: Never empty.
        uid: Or ``""``.
        groups: All of them.
        extra: As the authenticator said, sorted.
    """

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Reviews:
    """Asks the API server by TokenReview and SubjectAccessReview.

    Args:
        server: Asked as ourselves.
        monotonic: The clock of the caches, in seconds.
    """

    def __init__(
        self, server: Creator, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._server = server
        self._known: TTLCache[Hashable, Caller | None] = TTLCache(
            _KEPT, _KEPT_S, timer=monotonic
        )
        self._rights: TTLCache[Hashable, bool] = TTLCache(
            _KEPT, _KEPT_S, timer=monotonic
        )
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def authenticate(self, token: str) -> Caller | None:
        """Return whose token it is; None: nobody's.

        Raises:
            Unavailable: the API server did not answer.
        """
        if not token or len(token) > MAX_TOKEN:
            return None
        # a dump of our memory holds no token that somebody used a while ago
        key = hashlib.sha256(token.encode(errors="replace")).digest()
        return await self._remembered(self._known, key, lambda: self._review(token))

    async def allowed(
        self, caller: Caller, verb: str, namespace: str, name: str = ""
    ) -> bool:
        """Tell whether `caller` may do `verb` to decisions.

        Args:
            caller: As authenticated.
            verb: ``get`` or ``list``.
            namespace: ``""``: in all of the cluster.
            name: Of the decision; ``""`` for a list.

        Raises:
            Unavailable: the API server did not answer.
        """
        key = (caller, verb, namespace, name)
        asked: Tree = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": caller.name,
                "uid": caller.uid,
                "groups": [*caller.groups],
                "extra": {word: [*values] for word, values in caller.extra},
                "resourceAttributes": {
                    "group": GROUP,
                    "resource": _RESOURCE,
                    "verb": verb,
                    "namespace": namespace,
                    "name": name,
                },
            },
        }

        async def ask() -> bool:
            status = await self._ask(_AUTHORIZATION, asked)
            return status.get("allowed") is True and not status.get("denied")

        return await self._remembered(self._rights, key, ask)

    async def authority(self) -> str:
        """Return the authority of users' client certificates, PEM; ``""``: none.

        Raises:
            Unavailable: the API server did not answer.
        """
        try:
            data = _object(await self._server.get(_AUTHORITY), "data")
        except NotThere:
            return ""
        return str(data.get("client-ca-file", ""))

    async def _review(self, token: str) -> Caller | None:
        asked: Tree = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        status = await self._ask(_AUTHENTICATION, asked)
        user = _object(status, "user")
        name = user.get("username")
        if status.get("authenticated") is not True or not isinstance(name, str):
            return None
        if not name:
            return None
        extra = _object(user, "extra")
        return Caller(
            name=name,
            uid=str(user.get("uid", "")),
            groups=_texts(user.get("groups")),
            extra=tuple(sorted((key, _texts(extra[key])) for key in extra)),
        )

    async def _ask(self, path: str, review: Tree) -> Tree:
        """Return the status of a review."""
        try:
            return _object(await self._server.create(path, review), "status")
        except Rejected as error:  # of ours, not of whom we ask about
            raise Unavailable(
                f"the recorder may not ask about rights: {error}"
            ) from error

    async def _remembered(
        self,
        cache: "TTLCache[Hashable, T]",
        key: Hashable,
        ask: Callable[[], Awaitable[T]],
    ) -> T:
        if key in cache:
            return cache[key]
        try:
            async with asyncio.timeout(_PATIENCE_S), self._room:
                answer = await ask()
        except TimeoutError as error:
            raise Unavailable("no answer from the API server about rights") from error
        cache[key] = answer
        return answer


def _object(tree: Tree, key: str) -> Tree:
    value = tree.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
