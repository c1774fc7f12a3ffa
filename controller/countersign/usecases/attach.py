"""Attach: evidence beside images, from there and to there."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from countersign.binding.canonical import canonical_json
from countersign.binding.masking import is_secret
from countersign.core.errors import Malformed, Unavailable
from countersign.ports import Attached, ImageEvidence, ImageStore, Pinned
from countersign.usecases.prepare import Prepared


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
    """
    once = tuple(dict.fromkeys(images))
    found = await asyncio.gather(*(source.about(image) for image in once))
    return tuple(zip(once, found, strict=True))


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
