"""Images on the command line, and the registries that they lie in."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import click

from countersign.adapters.attached.memory import FRESH_S
from countersign.assemble.registries import Registries, registries, remembering
from countersign.binding.references import parse_reference
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest, Json
from countersign.faces.cli import words
from countersign.faces.cli.options import RegistryOptions
from countersign.faces.cli.progress import working
from countersign.faces.cli.session import Session, corrected
from countersign.ports import Pinned, RememberedEvidence
from countersign.usecases.attach import Parcel, put


@dataclass(frozen=True, slots=True)
class Tagged:
    """An image by a tag, which may name another one tomorrow."""

    repository: str
    tag: str


def read_image(text: str) -> Pinned | Tagged:
    """Read a reference as the kubelet does; without a tag it is ``latest``.

    Raises:
        click.UsageError: it is none, or its digest is not of SHA-256.
    """
    read = parse_reference(text)
    if read is None:
        raise click.UsageError(f"expected an image as REPOSITORY@sha256:…, saw {text}")
    if not read.digest:
        return Tagged(read.repository, read.tag or "latest")
    try:
        return Pinned(read.repository, Digest.parse(read.digest))
    except Malformed as error:
        raise click.UsageError(f"{text}: {error}") from error


def pinned(texts: Iterable[str]) -> tuple[Pinned, ...]:
    """Read references that pin images. No registry is asked.

    Raises:
        click.UsageError: one does not.
    """
    found = []
    for text in texts:
        image = read_image(text)
        if isinstance(image, Tagged):
            raise click.UsageError(
                f"expected an image as REF@sha256:…, saw {text}: a tag pins nothing "
                f"(countersign inspect {text} says where it is now)"
            )
        found.append(image)
    return tuple(found)


async def pinned_now(texts: Sequence[str], store: Registries) -> tuple[Pinned, ...]:
    """Read references that pin images; say of tags where they are now.

    Raises:
        click.UsageError: one is a tag. The message is the command as it should be: what
            a tag names has to be looked at before anybody signs it.
        Unavailable: a registry could not say where a tag is.
    """
    images = {text: read_image(text) for text in texts}
    tags = {text: tag for text, tag in images.items() if isinstance(tag, Tagged)}
    now = {
        text: Pinned(tag.repository, await store.resolve(tag.repository, tag.tag))
        for text, tag in tags.items()
    }
    if now:
        text, image = next(iter(now.items()))
        command = corrected({text: str(image) for text, image in now.items()})
        raise click.UsageError(
            f"expected an image by its digest, saw {text}: a tag can be moved after the "
            f"signature. It is at {image.digest} now; look at it, then run: {command}"
        )
    return tuple(image for image in images.values() if isinstance(image, Pinned))


@asynccontextmanager
async def open_registries(
    session: Session, how: RegistryOptions
) -> AsyncIterator[Registries]:
    """Open whatever registries images name, with this user's own credentials.

    Args:
        session: ``DOCKER_CONFIG`` and ``HOME`` say where those are.
        how: Of the command line.

    Raises:
        Misconfigured: the authority cannot be read.
    """
    async with registries(
        environ=session.environ, authority=how.registry_ca, plain=how.plain_http
    ) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class AtHand:
    """Registries, and what they said so far.

    Attributes:
        store: Asked each time.
        remembered: Asked once about the same.
    """

    store: Registries
    remembered: RememberedEvidence


@asynccontextmanager
async def at_hand(
    session: Session, how: RegistryOptions | None
) -> AsyncIterator[AtHand | None]:
    """Open registries as `open_registries`; None gives None: none is asked.

    Raises:
        Misconfigured: the authority cannot be read.
    """
    if how is None:
        yield None
        return
    async with open_registries(session, how) as store, remembering(store) as kept:
        yield AtHand(store, kept)


def send(session: Session, how: RegistryOptions, parcels: Sequence[Parcel]) -> None:
    """Put evidence beside images, and say what lies where now.

    Must not be called while an event loop runs.

    Raises:
        Malformed, Unavailable: as `put`.
        Misconfigured: as `open_registries`.
    """

    async def sent() -> None:
        async with open_registries(session, how) as store:
            await put(parcels, store)

    with working(session, "putting evidence beside images"):
        asyncio.run(sent())
    for one in parcels:
        bundles = words.counted(len(one.bundles), "bundle")
        intents = words.counted(len(one.intents), "intent")
        held = bundles + (f" and {intents}" if one.intents else "")
        click.echo(f"beside {one.image}: {held}", err=True)
    if parcels:
        click.echo(
            f"admission that looked there before sees it within {FRESH_S:.0f} s",
            err=True,
        )


def sent_json(parcels: Iterable[Parcel]) -> list[Json]:
    """Return what was put where, for machines."""
    return [
        {
            "image": str(one.image),
            "bundles": [str(Digest.sha256(raw)) for raw in one.bundles],
            "intents": [str(Digest.sha256(raw)) for raw in one.intents],
        }
        for one in parcels
    ]
