"""Creates what the installation begins with, once those who judge it are there."""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from countersign.adapters.cluster.source import NotThere, segment
from countersign.core.errors import Misconfigured, Rejected, Unavailable
from countersign.core.types.artifacts import Tree
from countersign.faces.operator.loops import News
from countersign.wire.resources.kinds import GROUP, KINDS, ROSTER, VERSION
from countersign.wire.resources.read import name_of

logger = logging.getLogger(__name__)

_AGAIN_S = 60.0  # between two looks whether the root roster is there


class Server(Protocol):
    """The API server, as far as founding needs it; `ApiServer` is one."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`; raise NotThere or Unavailable."""
        ...

    async def create(self, path: str, tree: Tree) -> Tree:
        """Create an object; raise as `get`, or Rejected."""
        ...


def read(folder: Path, root: str) -> tuple[Tree, ...]:
    """Return the objects of all ``*.json`` in a folder, the root roster last.

    With it the beginning ends: before, what is created is judged by its digest.

    Raises:
        Misconfigured: a file holds no object of ours, or none is the root roster.
    """
    try:
        found = [
            json.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))
        ]
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{folder}: {error}") from error
    for tree in found:
        if not isinstance(tree, dict) or tree.get("kind") not in KINDS:
            raise Misconfigured(f"{folder}: expected objects of {GROUP} alone")
    roots = [tree for tree in found if (tree["kind"], name_of(tree)) == _root(root)]
    if len(roots) != 1:
        raise Misconfigured(f"{folder}: expected the root roster {root} once")
    return (*(tree for tree in found if tree not in roots), *roots)


class Founder:
    """Looks whether there is a root roster, and else creates what is missing.

    Args:
        server: The API server.
        objects: As of `read`.
    """

    def __init__(self, server: Server, objects: tuple[Tree, ...]) -> None:
        self._server = server
        self._objects = objects

    async def run(self, news: News) -> None:
        """Look, and look again.

        Raises:
            Unavailable: the gate does not let something in, or nobody answers.
        """
        del news
        while True:
            if not await self._is_there(self._objects[-1]):
                for tree in self._objects:
                    await self._create(tree)
            await asyncio.sleep(_AGAIN_S)

    async def _create(self, tree: Tree) -> None:
        if await self._is_there(tree):
            return
        about = {"kind": tree["kind"], "resource": name_of(tree)}
        try:
            await self._server.create(_path(tree), tree)
        except Rejected as error:
            raise Unavailable(
                f"{about['kind']}/{about['resource']}: {error}"
            ) from error
        logger.info("founded", extra=about)

    async def _is_there(self, tree: Tree) -> bool:
        try:
            await self._server.get(f"{_path(tree)}/{segment(name_of(tree))}")
        except NotThere:
            return False
        return True


def _root(name: str) -> tuple[str, str]:
    return ROSTER.name, name


def _path(tree: Tree) -> str:
    return f"/apis/{GROUP}/{VERSION}/{KINDS[str(tree['kind'])].plural}"
