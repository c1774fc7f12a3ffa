"""What the machine holds against binding: findings, and how they are found."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from countersign.binding.facts import Fact, facts_needed
from countersign.binding.tree import ABSENT, find
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Difference
from tests.support.apiserver import Tree
from tests.support.judge import Judge, lasting
from tests.support.sweep.places import within

_NOW = re.compile(r', "timeAdded": "[^"]*"')  # of a taint; never its first field


class Fault(StrEnum):
    """What may be wrong."""

    DIFFERS = "differs"  # what the server makes of a manifest is not what was signed
    DROPPED = "dropped"  # the same, since the server took the field away in silence
    UNSIGNABLE = "unsignable"  # the server takes what nobody can sign
    UNNOTICED = "unnoticed"  # the server's answer is another, and matches all the same
    ALARMED = "alarmed"  # the server's answer is the same, and does not match
    CRASHED = "crashed"  # neither a verdict nor Malformed


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, with all that is needed to see it again.

    Attributes:
        fault: Which.
        kind: ``apiVersion/kind``.
        field: ``TYPE.FIELD``.
        path: A JSON pointer to it.
        sent: What the manifest had there.
        seen: What the server had there.
        detail: The differences, or an error.
    """

    fault: Fault
    kind: str
    field: str
    path: str
    sent: Any
    seen: Any
    detail: str

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.fault}: {self.kind} {self.path} ({self.field}): "
            f"sent {self.sent!r}, seen {self.seen!r}: {self.detail}"[:700]
        )


@dataclass(frozen=True, slots=True)
class Base:
    """A manifest that the server accepts.

    Attributes:
        sent: The manifest.
        seen: What the server makes of it.
        same: What of this the server says again when asked again.
        old: The live object before, for an UPDATE.
        known: Where the two differ already: found once, not again in all that grows
            from here.
    """

    sent: Tree
    seen: Tree
    same: Any
    old: Tree | None = None
    known: frozenset[str] = frozenset()


@dataclass
class Bench:
    """Judges what the server accepted.

    Attributes:
        judge: Compares.
        known: Facts that were looked up; the sweep changes none of them.
    """

    judge: Judge
    known: dict[frozenset[Fact], dict[Fact, tuple[Tree, ...]]]

    def base(self, sent: Tree, seen: Tree, old: Tree | None = None) -> Base:
        """Return a manifest and its answer, to start from."""
        fresh = Base(sent, seen, _again(sent, seen), old)
        try:
            known = frozenset(d.path for d in self.differences(sent, fresh))
        except Malformed:
            known = frozenset()
        return replace(fresh, known=known)

    def differences(self, manifest: Tree, base: Base) -> tuple[Difference, ...]:
        """Compare a manifest's intent with what the server said."""
        return self.judge.differences(
            manifest, base.seen, old=base.old, dry_run=True, live=self._live(base.seen)
        )

    def _live(self, seen: Tree) -> dict[Fact, tuple[Tree, ...]]:
        needed = facts_needed(seen, seen["metadata"].get("namespace", ""))
        if needed not in self.known:
            self.known[needed] = self.judge.facts(seen)
        return self.known[needed]

    def faults(self, before: Base, now: Base, path: str) -> list[tuple[Fault, str]]:
        """Hold what was accepted against its own intent and that it was made from.

        Args:
            before: From which one field was changed.
            now: With the changed field.
            path: The field.
        """
        return [
            *self._attempt(lambda: self._own(before, now, path)),
            *self._attempt(lambda: self._other(before, now)),
        ]

    def _attempt(
        self, check: Callable[[], list[tuple[Fault, str]]]
    ) -> list[tuple[Fault, str]]:
        try:
            return check()
        except Malformed as error:
            return [(Fault.UNSIGNABLE, str(error))]
        except Exception as error:  # noqa: BLE001 - is what we look for
            return [(Fault.CRASHED, f"{type(error).__name__}: {error}")]

    def _own(self, before: Base, now: Base, path: str) -> list[tuple[Fault, str]]:
        found = _fresh(self.differences(now.sent, now), before)
        if not found:
            return []
        gone = find(now.seen, path) is ABSENT and all(
            d.seen is None and (within(d.path, path) or within(path, d.path))
            for d in found
        )
        return [(Fault.DROPPED if gone else Fault.DIFFERS, _said(found))]

    def _other(self, before: Base, now: Base) -> list[tuple[Fault, str]]:
        changed = now.same != before.same
        found = self.differences(before.sent, now)
        if changed and not found:
            return [(Fault.UNNOTICED, "")]
        alarming = () if changed else _fresh(found, before)
        return [(Fault.ALARMED, _said(alarming))] if alarming else []


def _again(sent: Tree, seen: Tree) -> Any:
    """Return what the server says again: without the moment at which it was asked."""
    kept = lasting(seen)
    text = json.dumps(kept)
    return (
        kept if '"timeAdded": "' in json.dumps(sent) else json.loads(_NOW.sub("", text))
    )


def _fresh(found: tuple[Difference, ...], before: Base) -> tuple[Difference, ...]:
    return tuple(d for d in found if d.path not in before.known)


def _said(found: tuple[Difference, ...]) -> str:
    return "; ".join(f"{d.path}: {d.expected} → {d.seen}" for d in found)
