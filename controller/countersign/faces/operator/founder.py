"""Creates what the installation begins with, once those who judge it are there.

Who is there first would else be who governs: whatever lies beside the first root roster is
believed from then on, and nobody signed for it.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from countersign.adapters.cluster.source import NotThere, segment
from countersign.binding.registration import denied_by_us
from countersign.core.errors import Misconfigured, Rejected, Unavailable
from countersign.core.types.artifacts import Digest, Json, Tree
from countersign.faces.operator.loops import News
from countersign.faces.operator.watchdog import PROBE
from countersign.wire.resources.founding import digest
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP, KINDS, ROSTER, VERSION
from countersign.wire.resources.read import name_of

logger = logging.getLogger(__name__)

_AGAIN_S = 60.0  # between two looks whether the root roster is there


class Server(Protocol):
    """The API server, as far as founding needs it; `ApiServer` is one."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Tree:
        """Return the JSON object at `path`; raise NotThere or Unavailable."""
        ...

    async def create(self, path: str, tree: Tree, *, dry_run: bool = False) -> Tree:
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

        1. where somebody governs, nothing begins
        2. the gate must be asked, and let nobody else begin
        3. then nobody else can come in, and nothing may be there that was not given
        4. the root roster ends it

        Raises:
            Unavailable: the gate is not there, or does not let something in, something
                is there already, or nobody answers.
        """
        del news
        await self._say_who_governs()
        while True:
            if not await self._is_there(self._objects[-1]):  # 1.
                await self._must_be_denied()  # 2.
                await self._must_be_alone()  # 3.
                for tree in self._objects:  # 4.
                    await self._create(tree)
            await asyncio.sleep(_AGAIN_S)

    async def _say_who_governs(self) -> None:
        """Say, once, that it is another root roster: signed since, or there before us."""
        root = self._objects[-1]
        try:
            live = await self._server.get(_at(root))
        except NotThere:
            return
        if _as_made(live) != _as_made(root):
            about: Json = live.get("metadata")
            made = about.get("creationTimestamp") if isinstance(about, dict) else None
            told = {"resource": name_of(root), "made_at": str(made)}
            logger.warning("root_roster_is_another", extra=told)

    async def _must_be_denied(self) -> None:
        root = self._objects[-1]
        other: Tree = {**root, "metadata": {"name": PROBE}}
        try:
            await self._server.create(_path(other), other, dry_run=True)
        except Rejected as error:
            if denied_by_us(str(error)):
                return
            raise Unavailable(f"the gate was not asked: {error}") from error
        raise Unavailable(
            f"anybody may still create a root roster: Roster/{PROBE} was let in"
        )

    async def _must_be_alone(self) -> None:
        given = {_as_made(tree) for tree in self._objects}
        strange = []
        for kind in KINDS.values():
            if kind == BUNDLE_SET:
                continue  # evidence, which counts by its signatures
            listed = await self._server.get(_base(kind.plural))
            items = listed.get("items")
            for tree in items if isinstance(items, list) else ():
                named = {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind.name}
                if isinstance(tree, dict) and _as_made({**tree, **named}) not in given:
                    strange.append(f"{kind.name}/{name_of(tree)}")
        if strange:
            raise Unavailable(
                f"there before the root roster, and not given: {', '.join(strange)}; "
                "put them into governance.objects as they are, or delete them while "
                "governance.rootRoster is empty"
            )

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
            await self._server.get(_at(tree))
        except NotThere:
            return False
        return True


def _root(name: str) -> tuple[str, str]:
    return ROSTER.name, name


def _as_made(tree: Tree) -> Digest | None:
    """Return the digest of a live object, whatever the server and others note on it."""
    said = {key: value for key, value in tree.items() if key != "status"}
    return digest({**said, "metadata": {"name": name_of(tree)}})


def _path(tree: Tree) -> str:
    return _base(KINDS[str(tree["kind"])].plural)


def _at(tree: Tree) -> str:
    return f"{_path(tree)}/{segment(name_of(tree))}"


def _base(plural: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/{plural}"
