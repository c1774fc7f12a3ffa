"""Gather: the evidence that an object carries, proven as far as time allows.

What cannot be read or proven supports nothing and stops nobody else: it becomes a
`Problem`, which explains a denial and never makes one. But evidence that was not seen
at all (too much of it, a prover that did not answer, a deadline) may have spoken
against the change: then the gathering is not `complete`.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from countersign.binding.canonical import read_intent
from countersign.core.errors import Malformed, OverLimit, Rejected, Unavailable
from countersign.core.types.artifacts import Intent, Tree
from countersign.core.types.evidence import Evidence, Provenance, Result, SignOff
from countersign.core.types.verdict import Reason
from countersign.ports import Prover
from countersign.wire.annotations import (
    BUNDLES,
    INTENT,
    KNOWN,
    PREFIX,
    read_annotations,
)

MAX_BUNDLES = 32  # of one object
MAX_PROBLEM = 512  # characters, as `Detail` holds


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something carried that counts for nothing, and why."""

    reason: Reason
    text: str


@dataclass(slots=True)
class Gathered:
    """What is known so far; still right if gathering is cut short.

    Attributes:
        evidence: Proven, in no order.
        intents: Whose digests were checked.
        problems: What counts for nothing.
        complete: Nothing that is carried went unseen.
    """

    evidence: list[Evidence] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True

    @property
    def supporting(self) -> tuple[Evidence, ...]:
        """What may speak for the change."""
        return tuple(e for e in self.evidence if not _rejects(e))

    @property
    def adverse(self) -> tuple[Evidence, ...]:
        """What may speak against it: rejections, and all provenance."""
        return tuple(
            e for e in self.evidence if _rejects(e) or isinstance(e.claim, Provenance)
        )

    def problem(self, error: Malformed | Rejected | Unavailable) -> None:
        """Note what counts for nothing, and whether anything went unseen with it."""
        reason = _reason(error)
        self.complete &= reason is Reason.PROOF_REJECTED
        self.problems.append(Problem(reason, str(error)[:MAX_PROBLEM]))


def _reason(error: Malformed | Rejected | Unavailable) -> Reason:
    if isinstance(error, Rejected):
        return Reason.PROOF_REJECTED
    if isinstance(error, OverLimit):
        return Reason.OVER_LIMIT
    return Reason.MALFORMED if isinstance(error, Malformed) else Reason.UNAVAILABLE


def _rejects(evidence: Evidence) -> bool:
    claim = evidence.claim
    return isinstance(claim, SignOff) and claim.result is Result.REJECTED


def carries_bundles(tree: Tree | None) -> bool:
    """Tell whether an object carries bundles, of whatever worth."""
    return BUNDLES in _annotations(tree or {})


def foreign_annotations(tree: Tree) -> tuple[str, ...]:
    """Return the annotations under our prefix that mean nothing, sorted.

    They are refused: what is signed leaves our prefix out, so that anything could be
    written there.
    """
    own = (key for key in _annotations(tree) if key.startswith(PREFIX))
    return tuple(sorted(key for key in own if key not in KNOWN))


class Gatherer:
    """Reads and proves what objects carry.

    Args:
        prover: Makes evidence of bundles.
    """

    def __init__(self, prover: Prover) -> None:
        self._prover = prover

    async def gather(self, tree: Tree | None, into: Gathered) -> None:
        """Add what `tree` carries to `into`, each piece as soon as it is known.

        Limits:
            `MAX_BUNDLES`, the first ones count; sizes are those of `wire.annotations`.
        """
        annotations = _annotations(tree or {})
        for key in (INTENT, BUNDLES):
            try:
                carried = read_annotations(_only(key, annotations))
                if carried.intent is not None:
                    into.intents.append(read_intent(carried.intent))
                await self._prove(carried.bundles, into)
            except Malformed as error:
                into.problem(error)

    async def _prove(self, bundles: Iterable[bytes], into: Gathered) -> None:
        once = tuple(dict.fromkeys(bundles))
        if len(once) > MAX_BUNDLES:
            said = f"expected at most {MAX_BUNDLES} bundles, saw {len(once)}"
            into.problem(OverLimit(said))
        async with asyncio.TaskGroup() as group:
            for bundle in once[:MAX_BUNDLES]:
                group.create_task(self._prove_one(bundle, into))

    async def _prove_one(self, bundle: bytes, into: Gathered) -> None:
        try:
            into.evidence.append(await self._prover.prove(bundle))
        except (Malformed, Rejected, Unavailable) as error:
            into.problem(error)


def _only(key: str, annotations: Tree) -> Tree:
    """Take one annotation, so that garbage in another does not hide it."""
    return {key: annotations[key]} if key in annotations else {}


def _annotations(tree: Tree) -> Tree:
    metadata = tree.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}
