"""What the rest of this package needs of an API server, and how it can fail.

Apart from :mod:`~countersign.adapters.cluster.client`, so that nobody imports a
Kubernetes client who does not talk to one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from urllib.parse import quote

from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Tree


class Gone(Unavailable):
    """The server no longer has the history asked for: list again."""


class NotThere(Unavailable):
    """The server knows no such path."""


class Away(Unavailable):
    """The server does not answer at all, or says that it cannot now.

    That is of no one path: the next request to any other ends the same.
    """


def segment(text: str) -> str:
    """Return `text` as one segment of a path.

    Raises:
        ValueError: no object can have this name (and a path with it would name
            something else).
    """
    if text in {"", ".", ".."} or "/" in text or "%" in text:
        raise ValueError(f"expected a name, saw {text[:80]!r}")
    return quote(text, safe="")


class Source(Protocol):
    """Reads from one API server."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`.

        Raises:
            NotThere: there is none.
            Unavailable: no answer in time, or one that is no object.
        """
        ...

    def pages(
        self, path: str, size: int, *, names_only: bool = False
    ) -> AsyncIterator[tuple[list[Tree], str]]:
        """Yield the objects at `path` page by page, each with the version of the list.

        Args:
            path: Of the list.
            size: Most objects of one page.
            names_only: Their metadata is enough.

        Raises:
            NotThere, Gone, Unavailable: as `get`.
        """
        ...

    async def list(self, path: str) -> tuple[list[Tree], str]:
        """Return all objects at `path`, and the version of the list.

        Raises:
            NotThere, Gone, Unavailable: as `get`.
        """
        ...

    def watch(
        self, path: str, version: str, seconds: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch; inside, iterate over its lines until the server ends it.

        Args:
            path: Of the list.
            version: From where on.
            seconds: When the server shall end it.

        Raises:
            NotThere, Gone, Unavailable: as `get`, and where it breaks off.
        """
        ...
