"""Registries as the rest of countersign sees them.

Source:
    The ports :class:`~countersign.ports.ImageEvidence` and
    :class:`~countersign.ports.ImageStore`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self

from countersign.adapters.registry.attaching import Attaching
from countersign.adapters.registry.credentials import DOCKER_HUB
from countersign.adapters.registry.discovery import Discovery
from countersign.adapters.registry.http import Http
from countersign.adapters.registry.pushing import PushRepository
from countersign.adapters.registry.settings import Settings
from countersign.adapters.registry.tokens import Scope, Tokens
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Pinned
from countersign.wire.oci_names import is_tag, split_repository

_HUB_HOST = "registry-1.docker.io"  # where docker.io answers
_PULL, _PUSH = "pull", "pull,push"


def _present() -> datetime:
    return datetime.now(UTC)


class Registries:
    """Reads and writes evidence that lies beside images.

    Which registries may be asked is the caller's to say; which addresses, ours. An
    asynchronous context: it closes its connections.

    Args:
        settings: How they are reached.
        now: Tells the present, for what is written.

    Raises:
        Misconfigured: the authorities cannot be read.
    """

    def __init__(
        self, settings: Settings, *, now: Callable[[], datetime] = _present
    ) -> None:
        self._settings = settings
        self._now = now
        self._http = Http(settings)
        self._tokens = Tokens(self._http, settings.credentials, settings.token_hosts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def about(self, image: Pinned) -> Attached:
        """Return all that lies beside an image; see the port."""
        async with self._visit(image.repository, _PULL) as repository:
            return await self._discovery(repository).about(image.digest)

    async def blob(self, image: Pinned, digest: Digest, *, limit: int) -> bytes | None:
        """Return what lies beside an image under a digest; see the port."""
        async with self._visit(image.repository, _PULL) as repository:
            return await repository.blob(digest, limit=limit)

    async def resolve(self, repository: str, tag: str) -> Digest:
        """Return what a tag names now; see the port."""
        if not is_tag(tag):
            raise Unavailable(f"expected a tag, saw {tag[:80]!r}")
        async with self._visit(repository, _PULL) as visited:
            try:
                there = await visited.tagged(tag)
            except Malformed as error:
                raise Unavailable(f"{repository}:{tag}: {error}") from error
            if there is None:
                raise Unavailable(f"{repository} does not have the tag {tag}")
            return there.digest

    async def attach(
        self, image: Pinned, *, bundles: Sequence[bytes], intents: Sequence[bytes]
    ) -> None:
        """Put bundles and intents beside an image; see the port."""
        async with self._visit(image.repository, _PUSH) as repository:
            attaching = Attaching(
                repository, self._discovery(repository), image.digest, self._now
            )
            await attaching.attach(bundles, intents)

    def _discovery(self, repository: PushRepository) -> Discovery:
        return Discovery(repository, self._settings.at_once)

    @asynccontextmanager
    async def _visit(
        self, repository: str, actions: str
    ) -> AsyncIterator[PushRepository]:
        """Speak with a registry about a repository, in the time that there is for it.

        Raises:
            Unavailable: it is no repository, or that time is over.
        """
        try:
            host, name = split_repository(repository)
        except Malformed as error:
            raise Unavailable(str(error)) from error
        base = self._http.origin(_HUB_HOST if host == DOCKER_HUB else host)
        deadline = asyncio.get_running_loop().time() + self._settings.visit_s
        scope = Scope(host, name, actions)
        try:
            async with asyncio.timeout_at(deadline):
                yield PushRepository(
                    self._http, self._tokens, scope, base=base, deadline=deadline
                )
        except TimeoutError as error:
            raise Unavailable(
                f"registry {host} did not tell all of {name} in "
                f"{self._settings.visit_s:.0f} s"
            ) from error
