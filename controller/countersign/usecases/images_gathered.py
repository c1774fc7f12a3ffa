"""Gather what lies beside the images of an object: bundles, proven, and their intents.

An approval of the object lies there beside the images that it runs, and the text that was
signed under its digest. It counts as what the object carries: by who signed it, and by
what it speaks of. Where it lay says nothing.
"""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from countersign.binding.canonical import read_intent
from countersign.core.errors import Malformed, OverLimit, Unavailable
from countersign.core.rules.objects import names, states_of
from countersign.core.types.artifacts import (
    Algorithm,
    Digest,
    ObjectRef,
    Subject,
    Tree,
)
from countersign.core.types.evidence import (
    Evidence,
    Provenance,
    SignOff,
)
from countersign.core.types.policy import Policy, Treatment
from countersign.core.types.verdict import Reason
from countersign.ports import Attached, Pinned
from countersign.usecases.chosen import made_at
from countersign.usecases.gathered import Gathered, Problem
from countersign.usecases.images import MAX_IMAGES, Looks, lying
from countersign.usecases.images_parted import concerning, part
from countersign.usecases.weight import attests, known_by_any, weighs
from countersign.wire.changes import state_name
from countersign.wire.resources.bundleset_about import intent_ref

MAX_ATTACHED = 256  # bundles beside one image that count: it may run for years
_SHORT = 256 << 10  # bytes of bundles; 0.4 s for each mebibyte, at worst
MAX_TEXTS = 64  # signed texts beside one image that are fetched and compared


class Prove(Protocol):
    """Proves bundles until `room` of them count; see `Gatherer`."""

    def __call__(
        self,
        bundles: Mapping[bytes, tuple[str, ...]],
        room: int,
        into: Gathered,
        policies: tuple[Policy, ...],
    ) -> Awaitable[None]:
        """Add what is proven to `into`."""
        ...


@dataclass(slots=True, kw_only=True)
class _Search:
    """One look at all images of one object.

    Attributes:
        prove: Proves bundles.
        looks: What this request sees of registries.
        ref: The object.
        into: What is known so far.
        policies: Whose people count.
        done: Those that are, or were, to be proven.
        places: Bundles by where they lie.
        digests: Of the images, and of their platforms.
    """

    prove: Prove
    looks: Looks
    ref: ObjectRef
    into: Gathered
    policies: tuple[Policy, ...]
    done: set[bytes]
    places: dict[bytes, list[Pinned]] = field(default_factory=dict)
    digests: set[Digest] = field(default_factory=set)

    def where(self, evidence: Evidence) -> tuple[Pinned, ...]:
        """Return the images beside which evidence lies."""
        return tuple(self.places.get(self.into.raw.get(evidence.bundle, b""), ()))

    async def image(self, image: Pinned) -> None:
        """Add what lies beside an image; what its registry does not say stays open."""
        try:
            found = await self.looks.about(image)
        except Unavailable as error:
            _unseen(self.into, image, str(error))
            found = self.looks.remembered(image)
        except asyncio.CancelledError:
            _unseen(self.into, image, f"{image.registry} has not answered yet")
            raise
        else:
            if found is None:
                _unseen(self.into, image, f"{image.registry} has not been asked yet")
        if found is None:
            return
        _note(self.into, image, found)
        self.digests |= found.platforms
        for raw in found.bundles:
            self.places.setdefault(raw, []).append(image)
        about = await _concerning(found.bundles, self.ref, frozenset(self.digests))
        fresh = [raw for raw in about if raw not in self.done]
        self.done.update(fresh)
        some = dict.fromkeys(fresh, ())
        await self.prove(some, MAX_ATTACHED, self.into, self.policies)
        await self.intents(image, {*found.bundles})

    async def intents(self, image: Pinned, bundles: Collection[bytes]) -> None:
        """Fetch the texts of approvals of the object that lie beside an image.

        At once, since other registries may have nothing to say for long.
        """
        beside = [e for e in self.into.evidence if self.into.raw[e.bundle] in bundles]
        known = {intent.digest for intent in self.into.intents} | self.digests
        wanted = [d for d in _wanted(self, beside) if d not in known]
        if len(wanted) > MAX_TEXTS:
            said = f"of {len(wanted)} signed texts beside it only {MAX_TEXTS}"
            text = f"{said} were compared"
            self.into.note(Problem(Reason.OVER_LIMIT, text, about=_subject(image)))
            self.into.complete = False
        async with asyncio.TaskGroup() as group:
            for digest in wanted[:MAX_TEXTS]:
                group.create_task(self.intent(image, digest))

    async def intent(self, image: Pinned, digest: Digest) -> None:
        """Fetch one text, if it is there and is about the object."""
        try:
            raw = await self.looks.blob(image, digest)
            described = None if raw is None else intent_ref(raw)
            if raw and described is not None and names(described, self.ref):
                read = read_intent(raw)
                if read not in self.into.intents:
                    self.into.intents.append(read)
        except Unavailable as error:
            _unseen(self.into, image, str(error))
        except Malformed as error:
            self.into.problem(error, image=image)
        except asyncio.CancelledError:
            _unseen(self.into, image, f"{image.registry} has not answered yet")
            raise


class ImageGatherer:
    """Reads and proves what lies beside images.

    Args:
        prove: Proves bundles.
        looks: What this request sees of registries; None: there are none.
    """

    def __init__(self, prove: Prove, looks: Looks | None) -> None:
        self._prove = prove
        self._looks = looks

    async def gather(
        self,
        tree: Tree | None,
        ref: ObjectRef,
        into: Gathered,
        policies: Iterable[Policy],
    ) -> bool:
        """Add what lies beside the images of an object to `into`.

        Args:
            tree: The object.
            ref: What it is, for approvals of it.
            into: What is known so far.
            policies: That look beside images, and whose people count.

        Returns:
            Whether anything was looked for: else all is as it was.

        Limits:
            `MAX_IMAGES`; of each `MAX_ATTACHED`, and `MAX_TEXTS`, first those of people
            whose word lets things in, then the newest; what the registries' client bounds.
        """
        judges = tuple(policies)
        if self._looks is None or not (wanted := lying(tree, judges)):
            return False
        if len(wanted) > MAX_IMAGES:
            said = f"expected at most {MAX_IMAGES} images in registries"
            into.problem(OverLimit(f"{said}, saw {len(wanted)}"))
        carried = frozenset(into.raw.values())
        search = _Search(
            prove=self._prove,
            looks=self._looks,
            ref=ref,
            into=into,
            policies=judges,
            done={*carried},
            digests={image.digest for image in wanted},
        )
        try:
            async with asyncio.TaskGroup() as group:
                for image in wanted[:MAX_IMAGES]:
                    group.create_task(search.image(image))
        finally:  # also where time is up: what was proven may bind
            here = [
                e
                for e in into.evidence
                if search.where(e) and into.raw[e.bundle] not in carried
            ]
            part(here, into, search.digests)
        return True


async def _concerning(
    bundles: Collection[bytes], ref: ObjectRef, images: frozenset[Digest]
) -> list[bytes]:
    """Part what is about the object; much of it beside the loop, which others wait for."""
    if sum(map(len, bundles)) <= _SHORT:
        return concerning(bundles, ref, images)
    return await asyncio.to_thread(concerning, bundles, ref, images)


def _wanted(search: _Search, beside: Iterable[Evidence]) -> list[Digest]:
    """Return the digests of texts that evidence beside an image needs.

    Those whose words weigh come first, then the newest.
    """
    ref, policies = search.ref, search.policies
    found: dict[Digest, tuple[bool, float]] = {}
    for evidence in beside:
        heavy = any(weighs(policy, evidence, ref.namespace) for policy in policies)
        rank = (not heavy, -made_at(evidence))
        for digest in _texts(ref, evidence, policies):
            found[digest] = min(rank, found.get(digest, rank))
    return sorted(found, key=lambda digest: (found[digest], digest))


def _texts(
    ref: ObjectRef, evidence: Evidence, policies: tuple[Policy, ...]
) -> Collection[Digest]:
    """Return what may be the digest of an intent of `ref`, by the word of known people.

    A human change is admitted on provenance alone. Which of its subjects are texts of
    this object their names tell, if whoever wrote it named them so; else each may be.
    """
    if isinstance(evidence.claim, SignOff):
        if not known_by_any(policies, evidence):
            return ()
        return {change.digest for change in states_of(evidence.claim, ref)}
    human = any(p.human is Treatment.ADMIT and attests(p, evidence) for p in policies)
    if not (human and isinstance(evidence.claim, Provenance)):
        return ()
    hashes = [s for s in evidence.subjects if s.digest.algorithm is Algorithm.SHA256]
    prefix = replace(ref, name="") if ref.generate_name else ref
    called = {state_name(ref), state_name(prefix)}
    own = {subject.digest for subject in hashes if subject.name in called}
    return own or {subject.digest for subject in hashes}


def _note(into: Gathered, image: Pinned, found: Attached) -> None:
    """Note what is known of an image besides what is to be proven."""
    into.platforms[image.digest] = found.platforms
    into.complete &= found.complete
    reason = Reason.MALFORMED if found.complete else Reason.OVER_LIMIT
    for text in found.problems:
        into.note(Problem(reason, text, about=_subject(image)))
    if found.complete and not (found.bundles or found.problems):
        said = f"{image.registry} was asked"
        into.note(Problem(Reason.NO_EVIDENCE, said, about=_subject(image)))


def _unseen(into: Gathered, image: Pinned, why: str) -> None:
    into.problem(Unavailable(why), image=image)


def _subject(image: Pinned) -> Subject:
    return Subject(image.repository, image.digest)
