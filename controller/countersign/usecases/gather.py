"""Gather: the evidence that an object carries, and what lies beside it, proven.

What cannot be read or proven supports nothing and stops nobody else: it becomes a
`Problem`, which explains a denial and never makes one. But evidence that was not seen
at all (too much of it, a prover that did not answer, a deadline) may have spoken
against the change: then the gathering is not `complete`.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial

from countersign.binding.canonical import read_intent
from countersign.core.errors import (
    Foreign,
    Malformed,
    OverLimit,
    Rejected,
    Unavailable,
)
from countersign.core.types.artifacts import Digest, ObjectRef, Tree
from countersign.core.types.change import Change
from countersign.core.types.policy import Policy
from countersign.ports import BundleSource, Detached, Prover
from countersign.usecases.chosen import choose
from countersign.usecases.gathered import Gathered
from countersign.usecases.images import Looks
from countersign.usecases.images_gathered import ImageGatherer
from countersign.usecases.ordered import MAX_INTENTS, Beside, lay_out
from countersign.usecases.weight import known_by_any, weighs
from countersign.wire.annotations import (
    BUNDLES,
    INTENT,
    KNOWN,
    PREFIX,
    read_annotations,
)

MAX_CARRIED = 32  # bundles of one object that count
MAX_TRIED = 1024  # bundles proven for one object, each way; 3 ms, and once only
MAX_REST = 32  # of them about other states, where nothing is about this one
MAX_STRANGERS = 16  # whom no policy knows: enough to say who signed in vain
_AT_ONCE = 32


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
        looks: What is seen of registries; None: nothing.

    Attributes:
        images: Reads what lies beside images, where all that is not enough.
    """

    def __init__(
        self, prover: Prover, sets: BundleSource, looks: Looks | None = None
    ) -> None:
        self._prover = prover
        self._sets = sets
        self.images = ImageGatherer(partial(self._prove, attached=True), looks)

    async def gather(
        self,
        tree: Tree | None,
        ref: ObjectRef,
        into: Gathered,
        policies: Iterable[Policy],
        *,
        old: Tree | None = None,
        deeds: tuple[Change, ...] = (),
    ) -> None:
        """Add what speaks of an object to `into`, each piece as soon as it is known.

        Its own annotations come first. What does not verify, or is signed by nobody
        whom a policy knows, takes no place from what counts. Beside it, what concerns
        the nearest states is proven; where nothing does, the newest of the rest says
        why.

        Args:
            tree: The object; None: nothing can be attached to it.
            ref: What it is, for what lies beside it.
            into: What is known so far.
            policies: Whose people, collectors and builders count.
            old: What is there before: the images that it runs were judged before.
            deeds: Changes that leave no state, which may be what is asked for.

        Limits:
            `MAX_CARRIED`, `MAX_TRIED`, `MAX_REST`, `MAX_STRANGERS`: the first ones
            count; those of `choose`; sizes are those of `wire.annotations` and of
            BundleSets.
        """
        judges = tuple(policies)
        carried = _carried(tree or {}, into)
        await self._prove(dict.fromkeys(carried, ()), MAX_CARRIED, into, judges)
        sets = self._about(ref, into)
        if not sets:
            return
        paths = tuple(p for policy in judges for p in policy.images.paths)
        beside = lay_out(
            sets, tree, ref, old=old, carried=into, deeds=deeds, paths=paths
        )
        try:
            await self._prove_beside(beside, {*carried}, into, judges, ref)
        finally:  # also where time is up: what was proven may bind
            weighty = _weighty(into, judges, ref)
            choose(sets, tree, ref, into, weighty=weighty, paths=paths)

    async def _prove_beside(
        self,
        beside: Beside,
        done: set[bytes],
        into: Gathered,
        policies: tuple[Policy, ...],
        ref: ObjectRef,
    ) -> None:
        """Prove what concerns the nearest intents, until enough of them have weight.

        Whoever else puts intents there takes no place (`weighs`).
        """
        tried, count = 0, MAX_INTENTS
        while True:
            found = [p for p in beside.concerning(count) if p.raw not in done]
            done |= {piece.raw for piece in found}
            some = {piece.raw: piece.sets for piece in found[: MAX_TRIED - tried]}
            await self._prove(some, len(some), into, policies)
            tried += len(some)
            if len(found) > len(some):
                said = f"expected at most {MAX_TRIED} bundles about it beside it"
                into.problem(OverLimit(f"{said}, saw {tried + len(found) - len(some)}"))
                return
            heavy = _weighty(into, policies, ref).intersection(beside.intents)
            if len(heavy) >= MAX_INTENTS or count >= len(beside.intents):
                break
            count *= 2
        if any(into.of(e) for e in into.evidence):
            return
        rest = [piece for piece in beside.pieces if piece.raw not in done][:MAX_REST]
        await self._prove({p.raw: p.sets for p in rest}, len(rest), into, policies)

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
        bundles: Mapping[bytes, tuple[str, ...]],
        room: int,
        into: Gathered,
        policies: tuple[Policy, ...],
        *,
        attached: bool = False,
    ) -> None:
        """Prove `bundles`, by the sets that each is of, until `room` of them count.

        Those `attached` to an image are of many kinds: lists of parts, scans, plain
        signatures. What is none of ours is passed over.
        """
        waiting = deque(bundles.items())
        tried = 0
        while waiting and room > 0 and tried < MAX_TRIED:
            # never more at once than there is room: which ones count is then no race
            size = min(_AT_ONCE, room, MAX_TRIED - tried, len(waiting))
            batch = [waiting.popleft() for _ in range(size)]
            before = len(into.evidence) - into.strangers
            async with asyncio.TaskGroup() as group:
                for raw, names in batch:
                    proving = self._prove_one(raw, names, into, policies, attached)
                    group.create_task(proving)
            room -= len(into.evidence) - into.strangers - before
            tried += size
        if waiting:
            said = f"expected fewer bundles, saw {len(bundles)}, {len(waiting)} unread"
            into.problem(OverLimit(said))

    async def _prove_one(
        self,
        raw: bytes,
        sets: tuple[str, ...],
        into: Gathered,
        policies: tuple[Policy, ...],
        attached: bool,  # noqa: FBT001 - of `_prove`
    ) -> None:
        try:
            evidence = await self._prover.prove(raw)
        except (Malformed, Rejected, Unavailable) as error:
            if not (attached and isinstance(error, Foreign)):
                into.problem(error, sets[0] if sets else "", attached=attached)
            return
        if not known_by_any(policies, evidence):
            if into.strangers >= MAX_STRANGERS:
                return
            into.strangers += 1
        into.evidence.append(evidence)
        into.raw[evidence.bundle] = raw
        into.sets[evidence.bundle] = frozenset(sets)


def _weighty(
    into: Gathered, policies: tuple[Policy, ...], ref: ObjectRef
) -> frozenset[Digest]:
    """Return what is named by those whose word lets things in."""
    return frozenset(
        digest
        for evidence in into.evidence
        if any(weighs(policy, evidence, ref.namespace) for policy in policies)
        for digest in evidence.digests
    )


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


def _only(key: str, annotations: Tree) -> Tree:
    """Take one annotation, so that garbage in another does not hide it."""
    return {key: annotations[key]} if key in annotations else {}


def _annotations(tree: Tree) -> Tree:
    metadata = tree.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}
