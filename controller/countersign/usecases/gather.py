"""Gather: the evidence that an object carries, and what lies beside it, proven.

What cannot be read or proven supports nothing and stops nobody else: it becomes a
`Problem`, which explains a denial and never makes one. But evidence that was not seen
at all (too much of it, a prover that did not answer, a deadline) may have spoken
against the change: then the gathering is not `complete`.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from countersign.binding.canonical import read_intent
from countersign.core.errors import Malformed, OverLimit, Rejected, Unavailable
from countersign.core.rules.objects import names
from countersign.core.types.artifacts import Digest, Intent, ObjectRef, Tree
from countersign.core.types.evidence import Evidence, Provenance, Result, SignOff
from countersign.core.types.policy import Policy
from countersign.core.types.verdict import Reason
from countersign.ports import BundleSource, Detached, Prover
from countersign.wire.annotations import (
    BUNDLES,
    INTENT,
    KNOWN,
    PREFIX,
    read_annotations,
)
from countersign.wire.resources.bundleset_about import intent_ref

MAX_CARRIED = 32  # bundles of one object that count
MAX_BESIDE = 256  # bundles beside it that count: of dozens of releases
MAX_TRIED = 1024  # bundles proven for one object, each way; 3 ms, and once only
MAX_STRANGERS = 16  # whom no policy knows: enough to say who signed in vain
MAX_PROBLEMS = 8  # of one reason, told of one object
MAX_PROBLEM = 512  # characters, as `Detail` holds
_AT_ONCE = 32


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
        raw: The bundles that prove it, by digest.
        intents: Whose digests were checked.
        problems: What counts for nothing; the first ones of each reason.
        complete: Nothing that there is went unseen.
        strangers: How much of the evidence is by nobody whom a policy knows.
    """

    evidence: list[Evidence] = field(default_factory=list)
    raw: dict[Digest, bytes] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    strangers: int = 0

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

    def problem(
        self, error: Malformed | Rejected | Unavailable, beside: str = ""
    ) -> None:
        """Note what counts for nothing, and whether anything went unseen with it.

        Args:
            error: Why.
            beside: Name of the set that it is of; ``""``: the object carries it.
        """
        reason = _reason(error)
        junk = reason is Reason.MALFORMED and beside  # anybody may put it there
        self.complete &= bool(junk) or reason is Reason.PROOF_REJECTED
        text = f"BundleSet {beside}: {error}" if beside else str(error)
        if sum(p.reason is reason for p in self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(reason, text[:MAX_PROBLEM]))


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
    """Reads and proves what objects carry, and what lies beside them.

    Args:
        prover: Makes evidence of bundles.
        sets: Evidence beside objects.
    """

    def __init__(self, prover: Prover, sets: BundleSource) -> None:
        self._prover = prover
        self._sets = sets

    async def gather(
        self,
        tree: Tree | None,
        ref: ObjectRef,
        into: Gathered,
        policies: Iterable[Policy],
    ) -> None:
        """Add what speaks of an object to `into`, each piece as soon as it is known.

        Its own annotations come first. What does not verify, or is signed by nobody
        whom a policy knows, takes no place from what counts.

        Args:
            tree: The object; None: nothing can be attached to it.
            ref: What it is, for what lies beside it.
            into: What is known so far.
            policies: Whose people, collectors and builders count.

        Limits:
            `MAX_CARRIED`, `MAX_BESIDE`, `MAX_TRIED`, `MAX_STRANGERS`: the first ones
            count; sizes are those of `wire.annotations` and of BundleSets.
        """
        judges = tuple(policies)
        carried = _carried(tree or {}, into)
        await self._prove(dict.fromkeys(carried, ""), MAX_CARRIED, into, judges)
        sets = self._about(ref, into)
        beside = {raw: one.name for one in sets for raw in one.bundles}
        fresh = {raw: name for raw, name in beside.items() if raw not in carried}
        try:
            await self._prove(fresh, MAX_BESIDE, into, judges)
        finally:  # also where time is up: what was proven may bind
            _read_intents(sets, ref, into)

    def _about(self, ref: ObjectRef, into: Gathered) -> tuple[Detached, ...]:
        try:
            found = self._sets.about(ref)
        except Unavailable as error:
            into.problem(error)
            return ()
        for one in found:
            if not one.whole:
                said = f"expected BundleSets that fit into memory, saw {one.name} too"
                into.problem(OverLimit(said))
        return found

    async def _prove(
        self,
        bundles: Mapping[bytes, str],
        room: int,
        into: Gathered,
        policies: tuple[Policy, ...],
    ) -> None:
        """Prove `bundles`, by the set that each is of, until `room` of them count."""
        waiting = deque(bundles.items())
        tried = 0
        while waiting and room > 0 and tried < MAX_TRIED:
            # never more at once than there is room: which ones count is then no race
            size = min(_AT_ONCE, room, MAX_TRIED - tried, len(waiting))
            batch = [waiting.popleft() for _ in range(size)]
            before = len(into.evidence) - into.strangers
            async with asyncio.TaskGroup() as group:
                for raw, name in batch:
                    group.create_task(self._prove_one(raw, name, into, policies))
            room -= len(into.evidence) - into.strangers - before
            tried += size
        if waiting:
            said = f"expected fewer bundles, saw {len(bundles)}, {len(waiting)} unread"
            into.problem(OverLimit(said))

    async def _prove_one(
        self, raw: bytes, name: str, into: Gathered, policies: tuple[Policy, ...]
    ) -> None:
        try:
            evidence = await self._prover.prove(raw)
        except (Malformed, Rejected, Unavailable) as error:
            into.problem(error, name)
            return
        if not any(_knows(policy, evidence) for policy in policies):
            if into.strangers >= MAX_STRANGERS:
                return
            into.strangers += 1
        into.evidence.append(evidence)
        into.raw[evidence.bundle] = raw


def _carried(tree: Tree, into: Gathered) -> tuple[bytes, ...]:
    """Read the annotations of ours: the intent at once, bundles to be proven."""
    annotations = _annotations(tree)
    bundles: list[bytes] = []
    for key in (INTENT, BUNDLES):
        try:
            carried = read_annotations(_only(key, annotations))
            if carried.intent is not None:
                into.intents.append(read_intent(carried.intent))
            bundles += carried.bundles
        except Malformed as error:
            into.problem(error)
    return tuple(dict.fromkeys(bundles))


def _knows(policy: Policy, evidence: Evidence) -> bool:
    """Tell whether `policy` gives anything for the word of who signed this."""
    attestors = (*policy.collectors, *policy.builders)
    return policy.roster.signer(evidence.signer) is not None or any(
        attestor.made(evidence) for attestor in attestors
    )


def _read_intents(sets: Iterable[Detached], ref: ObjectRef, into: Gathered) -> None:
    """Add the intents of `ref` that proven evidence names; others cannot bind."""
    named = {digest for e in into.evidence for digest in e.digests}
    known = {intent.digest for intent in into.intents}
    for raw in (raw for one in sets for raw in one.intents):
        digest = Digest.sha256(raw)
        if digest not in named or digest in known:
            continue
        known.add(digest)
        try:
            described = intent_ref(raw)
            if described is not None and names(described, ref):
                into.intents.append(read_intent(raw))
        except Malformed as error:
            into.problem(error)


def _only(key: str, annotations: Tree) -> Tree:
    """Take one annotation, so that garbage in another does not hide it."""
    return {key: annotations[key]} if key in annotations else {}


def _annotations(tree: Tree) -> Tree:
    metadata = tree.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}
