"""All evidence that lies beside an image: always the union of every place.

======================  ============================================================
referrers API           distribution-spec v1.1, "Listing Referrers"
``sha256-<hex>``        the same, "Referrers Tag Schema", of registries without it
``sha256-<hex>.att``    attestations of cosign before 3, ``.sig`` its signatures
======================  ============================================================

What a thing is, its own manifest says: lists are asked only where things are. Of an index
the platforms are looked at, too. What cannot be read is told and not silently left out;
where the registry itself fails, there is no answer at all.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from countersign.adapters.registry.leads import ENVELOPE_TYPE, Found, Lead, chosen
from countersign.adapters.registry.platforms import platforms_of
from countersign.adapters.registry.repository import Listed, Repository, read
from countersign.core.errors import Malformed, OverLimit, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Other
from countersign.wire.cosign import legacy_attestation
from countersign.wire.oci import Index, Manifest, made_at, parse_document
from countersign.wire.oci_names import tag_of

_SUFFIXES = (".att", ".sig")
_MAX_REFERRERS = 512  # manifests that are read beside one digest: a sign-off is two
_MAX_READ = 16 << 20  # bytes of what is read to find them

Result = TypeVar("Result")


class Discovery:
    """Looks once for all that lies beside one image.

    Args:
        repository: Where it lies.
        at_once: Requests at a time.
    """

    def __init__(self, repository: Repository, at_once: int) -> None:
        self._repository = repository
        self._room = asyncio.Semaphore(at_once)
        self._left = _MAX_READ

    async def about(self, image: Digest) -> Attached:
        """Return what lies beside an image.

        Raises:
            Unavailable: the registry fails, does not have the image, or the image is
                none that a machine could be told to run.
        """
        platforms = await platforms_of(self._repository, image)
        found = await _together(
            self._beside(digest) for digest in (image, *sorted(platforms))
        )
        bundles = await self._bundles(found)
        return Attached(
            bundles=bundles,
            platforms=platforms,
            problems=tuple(
                problem for one in found for problem in sorted(one.problems)
            ),
            complete=all(one.complete for one in found),
            others=tuple(sorted({other for one in found for other in one.others})),
        )

    async def layers(self, image: Digest) -> frozenset[Digest]:
        """Return the layers of what refers to an image.

        Raises:
            Unavailable: the registry fails.
        """
        found = Found(image)
        documents = await _together(
            self._document(found, digest) for digest in await self._listed(found)
        )
        return frozenset(
            layer.digest
            for document in documents
            if isinstance(document, Manifest) and document.subject == image
            for layer in document.layers
        )

    async def _beside(self, digest: Digest) -> Found:
        found = Found(digest)
        await _together(
            (
                self._referrers(found),
                *(self._under_tag(found, suffix) for suffix in _SUFFIXES),
            )
        )
        return found

    async def _referrers(self, found: Found) -> None:
        listed = await self._listed(found)
        await _together(self._referrer(found, digest) for digest in listed)

    async def _listed(self, found: Found) -> list[Digest]:
        """Return where referrers are, by the API and by the fallback tag."""
        by_api, by_tag = await _together(
            (self._by_api(found), self._by_fallback(found))
        )
        entries: dict[Digest, float] = {}
        for entry in (*by_api.entries, *by_tag.entries):
            made = made_at(entry.annotations)
            entries[entry.digest] = max(made, entries.get(entry.digest, made))
        for why in (*by_api.problems, *by_tag.problems):
            found.unseen(why)
        if len(entries) > _MAX_REFERRERS:
            found.unseen(
                f"expected at most {_MAX_REFERRERS} referrers, saw {len(entries)}"
            )
        newest = sorted(entries, key=lambda digest: (-entries[digest], digest))
        return newest[:_MAX_REFERRERS]

    async def _by_api(self, found: Found) -> Listed:
        async with self._room:
            try:
                listed = await self._repository.referrers(found.about)
            except OverLimit as error:
                return Listed((), (f"the list of referrers: {error}",))
        return listed or Listed(())

    async def _by_fallback(self, found: Found) -> Listed:
        document = await self._tagged(found, tag_of(found.about))
        if document is None:
            return Listed(())
        if isinstance(document, Manifest):
            return Listed((), (f"expected an index under {tag_of(found.about)}",))
        unread = f"{document.unread} entries of the fallback tag cannot be read"
        return Listed(document.manifests, (unread,) if document.unread else ())

    async def _under_tag(self, found: Found, suffix: str) -> None:
        document = await self._tagged(found, tag_of(found.about, suffix))
        if isinstance(document, Index):
            found.unseen(f"expected a manifest under {tag_of(found.about, suffix)}")
        elif document is not None:
            found.take(document, None)

    async def _tagged(self, found: Found, tag: str) -> Manifest | Index | None:
        async with self._room:
            try:
                there = await self._repository.tagged(tag)
            except OverLimit as error:
                found.unseen(f"{tag}: {error}")
                return None
        return await self._read(found, tag, there.raw) if there else None

    async def _referrer(self, found: Found, digest: Digest) -> None:
        """Read what a list names: only if it says itself that it is about this."""
        document = await self._document(found, digest)
        if document is None:
            return
        if isinstance(document, Index):
            found.others.add(Other("index", digest, found.about))
        elif document.subject != found.about:
            found.problems.append(
                f"{found.about}: {digest} is listed, and is about {document.subject}"
            )
        else:
            found.take(document, digest)

    async def _document(self, found: Found, digest: Digest) -> Manifest | Index | None:
        async with self._room:
            raw = await _reached(self._repository.manifest(digest), found, digest)
        return await self._read(found, str(digest), raw) if raw else None

    async def _read(
        self, found: Found, name: str, raw: bytes
    ) -> Manifest | Index | None:
        """Return a document, while there is room for what it may say."""
        self._left -= len(raw)
        try:
            if self._left < 0:
                raise OverLimit(f"expected at most {_MAX_READ} bytes beside one image")
            return await read(parse_document, raw)
        except Malformed as error:
            found.unseen(f"{name}: {error}")
            return None

    async def _bundles(self, found: Sequence[Found]) -> tuple[bytes, ...]:
        reading = [self._bundle(lead, one) for lead, one in chosen(found)]
        bundles = [bundle for bundle in await _together(reading) if bundle is not None]
        return tuple(dict.fromkeys(bundles))

    async def _bundle(self, lead: Lead, found: Found) -> bytes | None:
        """Return one bundle, rewritten if it lay there in the old form."""
        layer = lead.layer
        async with self._room:
            raw = await _reached(
                self._repository.blob(layer.digest, limit=layer.size),
                found,
                layer.digest,
            )
        if raw is None:
            return None
        if layer.media_type != ENVELOPE_TYPE:
            return raw
        try:
            return legacy_attestation(raw, layer.annotations)
        except Malformed as error:
            found.unseen(f"{layer.digest}: {error}")
            return None


async def _reached(
    asking: Coroutine[Any, Any, bytes | None], found: Found, digest: Digest
) -> bytes | None:
    """Return what lies under a digest that something names, or note that it does not.

    Raises:
        Unavailable: other bytes are there: a registry that says such says nothing.
    """
    try:
        raw = await asking
    except OverLimit as error:
        found.unseen(f"{digest}: {error}")
        return None
    except Malformed as error:
        raise Unavailable(str(error)) from error
    if raw is None:
        found.unseen(f"{digest} is named, and is not there")
    return raw


async def _together(asking: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Do all at once; the first failure ends them all.

    Raises:
        Unavailable: one of them did.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in asking]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
