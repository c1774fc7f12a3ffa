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
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from countersign.adapters.registry.repository import Listed, Repository, read
from countersign.core.errors import Malformed, OverLimit, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.ports import Attached, Other
from countersign.wire.bundle import MAX_BUNDLE
from countersign.wire.cosign import legacy_attestation
from countersign.wire.oci import (
    INDEXES,
    Descriptor,
    Index,
    Manifest,
    made_at,
    parse_document,
    tag_of,
)

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle"  # and a version, in two ways
ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
INTENT_TYPE = "application/vnd.countersign.intent.v1+json"

_SUFFIXES = (".att", ".sig")
_MAX_PLATFORMS = 64  # of one image; the largest public ones have about twenty
_MAX_INDEXES = 8  # in one another
_MAX_REFERRERS = 512  # manifests that are read beside one digest: a sign-off is two
_MAX_BUNDLES = 256  # that are read beside one digest: it may run for years
_MAX_ALL = 16 << 20  # bytes of bundles of one image and its platforms
_MAX_READ = 16 << 20  # bytes of what is read to find them
_MAX_TYPE = 128  # characters of a type that are told

Result = TypeVar("Result")
_Key: TypeAlias = tuple[Digest, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class _Lead:
    """A layer that should be a bundle, or an envelope of cosign's old form."""

    layer: Descriptor
    made: float = 0.0  # when its manifest says that it was; only ever an order

    @property
    def key(self) -> _Key:
        """What it will be read as; of two equal ones one is read."""
        bundled = self.layer.media_type.startswith(BUNDLE_TYPE)
        proof = {} if bundled else self.layer.annotations
        return self.layer.digest, tuple(sorted(proof.items()))


@dataclass(slots=True)
class _Found:
    """What was found beside one digest."""

    about: Digest
    leads: dict[_Key, _Lead] = field(default_factory=dict)
    others: set[Other] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    complete: bool = True

    def unseen(self, why: str) -> None:
        """Note what is there and was not seen."""
        self.problems.append(f"{self.about}: {why}")
        self.complete = False

    def lead(self, one: _Lead) -> None:
        """Note where a bundle is; of equal ones the newest."""
        known = self.leads.get(one.key)
        if known is None or known.made < one.made:
            self.leads[one.key] = one


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
        platforms = await self._platforms(image)
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
        found = _Found(image)
        documents = await _together(
            self._document(found, digest) for digest in await self._listed(found)
        )
        return frozenset(
            layer.digest
            for document in documents
            if isinstance(document, Manifest) and document.subject == image
            for layer in document.layers
        )

    # the image

    async def _platforms(self, image: Digest) -> frozenset[Digest]:
        """Return the manifests of an index that some machine could run.

        Indexes in it are opened: who runs the image looks there, too (containerd,
        core/images, Manifest).
        """
        found: set[Digest] = set()
        waiting, opened = [image], set[Digest]()
        while waiting:
            digest = waiting.pop()
            if digest in opened:
                continue
            if len(opened) >= _MAX_INDEXES:
                raise Unavailable(f"{image} holds more than {_MAX_INDEXES} indexes")
            opened.add(digest)
            for entry in await self._entries(digest, is_image=digest == image):
                if entry.media_type in INDEXES:
                    waiting.append(entry.digest)
                elif entry.runnable:
                    found.add(entry.digest)
        if len(found) > _MAX_PLATFORMS:
            raise Unavailable(f"{image} is of more than {_MAX_PLATFORMS} platforms")
        return frozenset(found)

    async def _entries(
        self, digest: Digest, *, is_image: bool
    ) -> tuple[Descriptor, ...]:
        """Return what an index holds; nothing, where an image is none."""
        try:
            raw = await self._repository.manifest(digest)
            if raw is None:
                raise Unavailable(f"{self._repository} does not have {digest}")
            document = await read(parse_document, raw)
        except Malformed as error:
            raise Unavailable(f"{self._repository}@{digest}: {error}") from error
        if isinstance(document, Manifest) and is_image:
            return ()
        if isinstance(document, Manifest) or document.unread:
            raise Unavailable(f"not all platforms in {digest} can be read")
        return document.manifests

    # what lies beside it

    async def _beside(self, digest: Digest) -> _Found:
        found = _Found(digest)
        await _together(
            (
                self._referrers(found),
                *(self._under_tag(found, suffix) for suffix in _SUFFIXES),
            )
        )
        return found

    async def _referrers(self, found: _Found) -> None:
        listed = await self._listed(found)
        await _together(self._referrer(found, digest) for digest in listed)

    async def _listed(self, found: _Found) -> list[Digest]:
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

    async def _by_api(self, found: _Found) -> Listed:
        async with self._room:
            try:
                listed = await self._repository.referrers(found.about)
            except OverLimit as error:
                return Listed((), (f"the list of referrers: {error}",))
        return listed or Listed(())

    async def _by_fallback(self, found: _Found) -> Listed:
        document = await self._tagged(found, tag_of(found.about))
        if document is None:
            return Listed(())
        if isinstance(document, Manifest):
            return Listed((), (f"expected an index under {tag_of(found.about)}",))
        unread = f"{document.unread} entries of the fallback tag cannot be read"
        return Listed(document.manifests, (unread,) if document.unread else ())

    async def _under_tag(self, found: _Found, suffix: str) -> None:
        document = await self._tagged(found, tag_of(found.about, suffix))
        if isinstance(document, Index):
            found.unseen(f"expected a manifest under {tag_of(found.about, suffix)}")
        elif document is not None:
            self._take(found, document, None)

    async def _tagged(self, found: _Found, tag: str) -> Manifest | Index | None:
        async with self._room:
            try:
                there = await self._repository.tagged(tag)
            except OverLimit as error:
                found.unseen(f"{tag}: {error}")
                return None
        return await self._read(found, tag, there.raw) if there else None

    async def _referrer(self, found: _Found, digest: Digest) -> None:
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
            self._take(found, document, digest)

    async def _document(self, found: _Found, digest: Digest) -> Manifest | Index | None:
        async with self._room:
            raw = await _reached(self._repository.manifest(digest), found, digest)
        return await self._read(found, str(digest), raw) if raw else None

    async def _read(
        self, found: _Found, name: str, raw: bytes
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

    @staticmethod
    def _take(found: _Found, manifest: Manifest, digest: Digest | None) -> None:
        """Note what a manifest holds. Its layers say what they are."""
        if manifest.unread:
            found.unseen(f"{manifest.unread} layers of {manifest.type[:80]!r}")
        evidence = [
            layer
            for layer in manifest.layers
            if layer.media_type.startswith(BUNDLE_TYPE)
            or layer.media_type == ENVELOPE_TYPE
        ]
        for layer in evidence:
            found.lead(_Lead(layer, made_at(manifest.annotations)))
        if not evidence and manifest.type != INTENT_TYPE and manifest.layers:
            named = digest or manifest.layers[0].digest
            found.others.add(Other(manifest.type[:_MAX_TYPE], named, found.about))

    # reading it

    async def _bundles(self, found: Iterable[_Found]) -> tuple[bytes, ...]:
        """Return the bundles, as many as are read, the newest first.

        An image stays while what runs it is changed and signed off again: what is new
        must not be left out for what is old. How old each is, its manifest says, and
        nobody signed that: it orders and decides nothing else.
        """
        wanted: dict[_Key, tuple[_Lead, _Found]] = {}
        for one in found:
            if len(one.leads) > _MAX_BUNDLES:
                one.unseen(
                    f"expected at most {_MAX_BUNDLES} bundles, saw {len(one.leads)}"
                )
            for lead in sorted(one.leads.values(), key=_newest)[:_MAX_BUNDLES]:
                wanted[lead.key] = (lead, one)
        room = _MAX_ALL
        kept = []
        for lead, one in sorted(wanted.values(), key=lambda pair: _newest(pair[0])):
            size = lead.layer.size
            if size > MAX_BUNDLE or size > room:
                one.unseen(
                    f"expected bundles of at most {MAX_BUNDLE} bytes, and {_MAX_ALL} of "
                    f"one image; saw one of {size}"
                )
                continue
            room -= size
            kept.append(self._bundle(lead, one))
        read_ = [bundle for bundle in await _together(kept) if bundle is not None]
        return tuple(dict.fromkeys(read_))

    async def _bundle(self, lead: _Lead, found: _Found) -> bytes | None:
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


def _newest(lead: _Lead) -> tuple[float, _Key]:
    return -lead.made, lead.key


async def _reached(
    asking: Coroutine[Any, Any, bytes | None], found: _Found, digest: Digest
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
