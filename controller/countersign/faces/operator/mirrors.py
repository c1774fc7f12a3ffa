"""The loop that looks where trust is published, and tells what is new. It writes none."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import orjson

from countersign.adapters.published.fetching import Reach
from countersign.adapters.published.proposing import look
from countersign.core.types.artifacts import Json, ObjectRef, Tree
from countersign.core.types.published import Looked, Mirror, Outcome
from countersign.faces.operator.loops import News
from countersign.faces.operator.telling import Teller
from countersign.ports import Clock
from countersign.telemetry import TRUST_MIRRORED, TRUST_MIRRORED_AT
from countersign.wire.resources import objects
from countersign.wire.resources.kinds import GROUP, TRUST_ROOT, VERSION
from countersign.wire.resources.read import Invalid, name_of

logger = logging.getLogger(__name__)

_HEED_S = 5.0  # between two looks at which TrustRoots there are
_SOONER_S = 300.0  # after a mirror that did not answer


class Shelf(Protocol):
    """Where TrustRoots are read, and what is known of them is said."""

    def trust_roots(self) -> tuple[Tree, ...]:
        """Return the TrustRoots that were read last."""
        ...

    def note(self, name: str, spec: Json, looked: Looked) -> None:
        """Take note of a look at the mirror of a TrustRoot with this spec."""
        ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """An earlier look.

    Attributes:
        spec: Of the TrustRoot at the time.
        mirror: With what is known since.
        again: When to look again.
    """

    spec: bytes
    mirror: Mirror
    again: datetime


class Mirrors:
    """Looks at the mirrors that TrustRoots name, for ever.

    Args:
        shelf: Which TrustRoots there are.
        teller: Tells people.
        clock: The present.
        reach: How mirrors are reached.
        every_s: Between two looks at one, in seconds.
    """

    def __init__(
        self,
        shelf: Shelf,
        teller: Teller,
        clock: Clock,
        *,
        reach: Reach,
        every_s: float,
    ) -> None:
        self._shelf = shelf
        self._teller = teller
        self._clock = clock
        self._reach = reach
        self._every_s = every_s
        self._seen: dict[str, _Seen] = {}

    async def run(self, news: News) -> None:
        """Look, and look again.

        Raises:
            Misconfigured: the authorities of mirrors cannot be read.
        """
        await news.read.wait()
        while True:
            named = {
                name_of(tree): (tree, mirror)
                for tree in self._shelf.trust_roots()
                if (mirror := _mirror(tree))
            }
            self._forget(named)
            for name, (tree, mirror) in named.items():
                if self._due(name, tree):
                    await self._look(name, tree, mirror)
                    news.tell(TRUST_ROOT.name, tree)
            await asyncio.sleep(min(_HEED_S, self._every_s))

    def _forget(self, named: Mapping[str, object]) -> None:
        for name in self._seen.keys() - named.keys():
            del self._seen[name]
            for outcome in Outcome:
                TRUST_MIRRORED.remove(name, outcome.value)
            TRUST_MIRRORED_AT.remove(name)

    def _due(self, name: str, tree: Tree) -> bool:
        seen = self._seen.get(name)
        return (
            seen is None or seen.spec != _spec(tree) or seen.again <= self._clock.now()
        )

    async def _look(self, name: str, tree: Tree, mirror: Mirror) -> None:
        seen = self._seen.get(name)
        if seen is not None and seen.spec == _spec(tree):
            mirror = seen.mirror  # what was once seen does not get older
        # in a thread: python-tuf blocks, and the recorder has the loop
        looked, known = await asyncio.to_thread(look, tree, mirror, self._reach)
        away = looked.outcome is Outcome.UNREACHABLE
        wait_s = min(_SOONER_S, self._every_s) if away else self._every_s
        now = self._clock.now()
        self._seen[name] = _Seen(_spec(tree), known, now + timedelta(seconds=wait_s))
        self._shelf.note(name, tree.get("spec"), looked)
        for outcome in Outcome:
            TRUST_MIRRORED.labels(name, outcome.value).set(looked.outcome is outcome)
        if not away:
            TRUST_MIRRORED_AT.labels(name).set(now.timestamp())
        told = {"trust_root": name, "outcome": looked.outcome.value}
        logger.info("mirror_looked_at", extra={**told, "detail": looked.detail})
        await self._teller.published(
            ObjectRef(GROUP, TRUST_ROOT.name, "", name), VERSION, _uid(tree), looked
        )


def _mirror(tree: Tree) -> Mirror | None:
    try:
        return objects.mirror(tree)
    except Invalid:
        return None  # its condition says so


def _spec(tree: Tree) -> bytes:
    return orjson.dumps(tree.get("spec"), option=orjson.OPT_SORT_KEYS)


def _uid(tree: Tree) -> str:
    metadata = tree.get("metadata")
    return str(metadata.get("uid", "")) if isinstance(metadata, dict) else ""
