"""``attest --carrier oci``: evidence that lies beside the images, in their registries."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import click

from countersign.binding.masking import is_secret
from countersign.core.types.artifacts import Subject, Tree
from countersign.faces.cli import attested
from countersign.faces.cli.attest import ANNOTATIONS, BUNDLE_SET
from countersign.faces.cli.attesting import Given, Scope, attest_range, carried
from countersign.faces.cli.files import write_result
from countersign.faces.cli.images import open_registries, pinned_now, send, sent_json
from countersign.faces.cli.loading import Load
from countersign.faces.cli.manifests import write_manifests
from countersign.faces.cli.options import RegistryOptions
from countersign.faces.cli.progress import working
from countersign.faces.cli.session import Session
from countersign.ports import Attached, Pinned
from countersign.usecases.attach import fetch, goes_beside, parcel
from countersign.usecases.attest import Attested
from countersign.usecases.companions import companions
from countersign.usecases.lint_manifests import manifest_lints


def collect_beside(
    session: Session, given: Given, scope: Scope, load: Load, how: RegistryOptions
) -> None:
    """Attest a range, put the bundle beside images, and write the objects, if any.

    Beside the images that are named, and which it is about; else beside those that the
    objects run. Objects that run none of these carry it themselves.

    Raises:
        click.UsageError: an image by its tag, or no image at all.
        CountersignError: as `attest`, the signer and `send`.
    """
    with working(session, "looking"):
        named, places = asyncio.run(_places(session, scope, load, how))
    done = attest_range(session, given, scope, load, tuple(_subjects(named)))
    bundles = [*companions(load.beside, done), done.bundle]
    parcels = [parcel(image, bundles, load.objects) for image in places]
    send(session, how, parcels)
    if load.objects:
        write_manifests(given.out, list(_to_apply(done, load, places)))
    elif given.out:
        write_result(given.out, done.bundle)
    lints = sorted({*manifest_lints(load.objects)})
    attested.tell(done, given.out, lints)
    if given.output == "json":
        summary = attested.summary(done, lints) | {"beside": sent_json(parcels)}
        click.echo(json.dumps(summary, indent=2))


_Seen = tuple[tuple[Pinned, Attached], ...]


async def _places(
    session: Session, scope: Scope, load: Load, how: RegistryOptions
) -> tuple[_Seen, tuple[Pinned, ...]]:
    """Return the named images with what lies there, and where the evidence is put."""
    async with open_registries(session, how) as store:
        named = await fetch(await pinned_now(scope.images, store), store)
    run = dict.fromkeys(image for one in load.objects for image in one.pinned)
    places = tuple(image for image, _ in named) or tuple(run)
    if not places:
        raise click.UsageError(
            "expected an image to put evidence beside, saw none: no object runs one "
            "that is pinned by digest; give --image"
        )
    return named, places


def _subjects(named: _Seen) -> Iterator[Subject]:
    """Yield the images, of an index also what it names: that was built with it."""
    for image, found in named:
        for digest in sorted({image.digest, *found.platforms}):
            yield Subject(f"image:{image.repository}", digest)


def _to_apply(done: Attested, load: Load, places: tuple[Pinned, ...]) -> Iterator[Tree]:
    """Yield the objects, those that run no such image with their evidence.

    Secrets travel with a BundleSet before them, which keeps their salt.
    """
    rest = [one for one in load.objects if not goes_beside(one, places)]
    secrets = [one for one in rest if is_secret(one.intent.tree)]
    for kept, carrier in (
        (secrets, BUNDLE_SET),
        ([one for one in rest if one not in secrets], ANNOTATIONS),
    ):
        if kept:
            yield from carried(
                done, replace(load, objects=tuple(kept), carrier=carrier)
            )
            how = "a BundleSet" if carrier == BUNDLE_SET else "annotations"
            names = ", ".join(str(one.ref) for one in kept)
            click.echo(
                f"{names}: runs no such image, so its evidence goes into {how}",
                err=True,
            )
    for one in load.objects:
        if one not in rest:
            yield one.as_it_was
