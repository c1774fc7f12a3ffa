"""Attach: evidence beside images, from there and to there."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from countersign.binding.canonical import canonical_json, read_intent
from countersign.binding.masking import is_secret
from countersign.binding.surface import place_of
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest, GroupKind, Tree
from countersign.core.types.globs import glob
from countersign.core.types.policy import Policy
from countersign.ports import Attached, ImageEvidence, ImageStore, Pinned
from countersign.usecases.prepare import Prepared
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.resources.bundleset_spec import MAX_PLAIN

MAX_SPOKEN = 64  # objects beside one image; more releases of it than anybody compares
_AT_ONCE = 8  # images asked about: each has its time from when it is begun
_OBJECT = "manifest:"  # how statements name them (`wire.changes`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is to lie beside one image.

    Attributes:
        image: Which one.
        bundles: Sigstore bundles, each once.
        intents: Canonical JSON of objects that run it, each once; never a Secret's.
    """

    image: Pinned
    bundles: tuple[bytes, ...]
    intents: tuple[bytes, ...] = ()


def goes_beside(one: Prepared, places: Collection[Pinned]) -> bool:
    """Tell whether a gate that judges an object would look beside one of `places`."""
    return not (is_secret(one.intent.tree) or set(one.pinned).isdisjoint(places))


def looked_for(one: Prepared, policies: Collection[Policy] | None) -> frozenset[Pinned]:
    """Return the images of an object beside which a gate would find its evidence.

    Those beside which every policy that judges it has evidence looked for: for the
    others it would not be there.

    Args:
        one: The object.
        policies: Those in force; None: nobody knows, so all of its images.
    """
    kind, place = GroupKind(one.ref.group, one.ref.kind), place_of(one.ref)
    judging = [p for p in policies or () if p.scope.holds(kind, place)]
    return frozenset(
        image for image in one.pinned if all(_looks(p, image) for p in judging)
    )


def asked_about(
    objects: Iterable[Prepared], policies: Collection[Policy]
) -> tuple[Pinned, ...]:
    """Return the images beside which any of `policies` looks, whatever it judges."""
    return tuple(
        dict.fromkeys(
            image
            for one in objects
            for image in one.pinned
            if any(_looks(policy, image) for policy in policies)
        )
    )


def _looks(policy: Policy, image: Pinned) -> bool:
    patterns = policy.images.registries
    return any(glob(where, "/").fullmatch(image.repository) for where in patterns)


def parcel(
    image: Pinned, bundles: Iterable[bytes], objects: Iterable[Prepared]
) -> Parcel:
    """Pack evidence about an image, and about those of `objects` that run it.

    Args:
        image: Beside which it is to lie.
        bundles: Those that are the same are kept once, in order.
        objects: Of any kind.
    """
    running = (one for one in objects if goes_beside(one, {image}))
    intents = (canonical_json(one.intent.tree) for one in running)
    return Parcel(
        image=image,
        bundles=tuple(dict.fromkeys(bundles)),
        intents=tuple(dict.fromkeys(intents)),
    )


async def fetch(
    images: Iterable[Pinned], source: ImageEvidence
) -> tuple[tuple[Pinned, Attached], ...]:
    """Return what lies beside each image, in their order, each once.

    Raises:
        Unavailable: a registry did not answer, or has no such image.

    Limits:
        `_AT_ONCE` images at a time.
    """
    once = tuple(dict.fromkeys(images))
    turn = asyncio.Semaphore(_AT_ONCE)

    async def about(image: Pinned) -> Attached:
        async with turn:
            return await source.about(image)

    found = await asyncio.gather(*map(about, once))
    return tuple(zip(once, found, strict=True))


async def intents_beside(image: Pinned, source: ImageEvidence) -> tuple[Tree, ...]:
    """Return the objects that statements beside an image speak of, by digest sorted.

    Those whose intents lie there, too, and that run the image. Nothing is proven: they
    are what one may ask a verdict about.

    Raises:
        Unavailable: the registry did not answer.

    Limits:
        `MAX_SPOKEN` digests are looked up, the lowest.
    """
    named: set[Digest] = set()
    for raw in (await source.about(image)).bundles:
        with suppress(Malformed):  # others put there what they like
            said = parse_attestation(parse_bundle(raw).envelope.payload)
            named |= {s.digest for s in said.subjects if s.name.startswith(_OBJECT)}
    found = []
    for digest in sorted(named)[:MAX_SPOKEN]:
        with suppress(Malformed):
            raw_intent = await source.blob(image, digest, limit=MAX_PLAIN)
            if raw_intent is not None:
                found.append(read_intent(raw_intent).tree)
    return tuple(found)


async def put(parcels: Sequence[Parcel], store: ImageStore) -> None:
    """Put each parcel beside its image, one after the other.

    Raises:
        Malformed: something in a parcel is no bundle.
        Unavailable: a registry did not take one; the message says which, and which lie
            there by now. Doing all of it again does no harm.
    """
    for number, one in enumerate(parcels):
        try:
            await store.attach(one.image, bundles=one.bundles, intents=one.intents)
        except (Malformed, Unavailable) as error:
            done = ", ".join(str(each.image) for each in parcels[:number])
            there = f"; beside {done} it lies already" if done else ""
            said = f"could not put evidence beside {one.image}: {error}{there}"
            kind = Malformed if isinstance(error, Malformed) else Unavailable
            raise kind(said) from error
