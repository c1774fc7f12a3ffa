"""Putting evidence beside an image, as cosign 3 does.

Registries that know referrers list them. For the others the list is an index under the
tag ``sha256-<hex>`` that all writers share and nobody guards: who reads, adds and writes
may undo what another has just written. So the write is conditional where the registry
can do that, and what was written is looked for again, after longer than another needs
between reading and writing.

Source:
    distribution-spec v1.1, "Pushing Manifests with Subject", "Referrers Tag Schema";
    cosign v3.1.3, pkg/oci/remote/write.go, WriteAttestationNewBundleFormat.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime

from countersign.adapters.registry.discovery import Discovery
from countersign.adapters.registry.leads import INTENT_TYPE
from countersign.adapters.registry.pushing import PushRepository, Put
from countersign.adapters.registry.repository import read
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.wire.bundle import MEDIA_TYPE, parse_bundle
from countersign.wire.oci import CREATED, INDEX, MANIFEST, Descriptor, parse_document
from countersign.wire.referrers import EMPTY, render_referrer, with_entry
from countersign.wire.shapes import render_time
from countersign.wire.statement import parse_statement

_TRIES = 64  # of one entry; each round at least one of all writers gets through
_LOOKS = 2  # in a row that must find the entry
_SETTLE_S = 0.1  # seconds between them at least
_PATIENCE = 3.0  # times what reading and writing took


class Attaching:
    """Puts bundles and intents beside one image.

    Args:
        repository: Where it lies.
        discovery: Of the same repository.
        image: It.
        now: Tells the present.
    """

    def __init__(
        self,
        repository: PushRepository,
        discovery: Discovery,
        image: Digest,
        now: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._discovery = discovery
        self._image = image
        self._now = now

    async def attach(self, bundles: Sequence[bytes], intents: Sequence[bytes]) -> None:
        """Put what is not there yet.

        Raises:
            Malformed: one of the bundles is none.
            Unavailable: the registry did not take them.
        """
        predicates = [
            parse_statement(parse_bundle(bundle).envelope.payload).predicate_type
            for bundle in bundles
        ]
        subject = await self._subject()
        there = await self._discovery.layers(self._image)
        new = [intent for intent in intents if Digest.sha256(intent) not in there]
        # intents first: whoever finds a bundle must find what it signs
        if new:
            await self._refer(subject, INTENT_TYPE, sorted(set(new)), {})
        for bundle, predicate in zip(bundles, predicates, strict=True):
            if Digest.sha256(bundle) not in there:
                told = {
                    "dev.sigstore.bundle.content": "dsse-envelope",
                    "dev.sigstore.bundle.predicateType": predicate,
                }
                await self._refer(subject, MEDIA_TYPE, [bundle], told)

    async def _subject(self) -> Descriptor:
        """Return the image's descriptor.

        Raises:
            Unavailable: there is no such image.
        """
        raw = await self._repository.manifest(self._image)
        if raw is None:
            raise Unavailable(f"{self._repository} does not have {self._image}")
        try:
            document = await read(parse_document, raw)
        except Malformed as error:
            raise Unavailable(f"{self._repository}@{self._image}: {error}") from error
        return Descriptor(
            media_type=document.media_type, digest=self._image, size=len(raw)
        )

    async def _refer(
        self,
        subject: Descriptor,
        artifact_type: str,
        blobs: Sequence[bytes],
        told: dict[str, str],
    ) -> None:
        """Put one manifest that refers to the image, and see to it that it is found."""
        annotations = {
            CREATED: render_time(self._now()),
            **told,
        }
        layers = [
            Descriptor(
                media_type=artifact_type, digest=Digest.sha256(blob), size=len(blob)
            )
            for blob in blobs
        ]
        for blob in (EMPTY, *blobs):
            await self._repository.put_blob(blob)
        raw = render_referrer(artifact_type, layers, subject, annotations)
        if await self._repository.put_manifest(raw, MANIFEST) is Put.LISTED:
            return
        await self._list(
            Descriptor(
                media_type=MANIFEST,
                digest=Digest.sha256(raw),
                size=len(raw),
                artifact_type=artifact_type,
                annotations=annotations,
            )
        )

    async def _list(self, entry: Descriptor) -> None:
        """Add to the list under the fallback tag, until it stays there.

        Raises:
            Unavailable: it does not, or what lies there is no list.
        """
        loop = asyncio.get_running_loop()
        pause, found = _SETTLE_S, 0
        for _ in range(_TRIES):
            began = loop.time()
            try:
                found = 0 if await self._added(entry) else found + 1
            except Malformed as error:
                raise Unavailable(f"{self._repository}: {error}") from error
            if found == _LOOKS:
                return
            pause = max(pause, _PATIENCE * (loop.time() - began))
            await asyncio.sleep(pause * random.uniform(1, 2))  # noqa: S311 - to part writers
        raise Unavailable(f"{self._repository}: others write the same list without end")

    async def _added(self, entry: Descriptor) -> bool:
        """Add an entry once, and tell whether that was needed."""
        there = await self._repository.fallback(self._image)
        written = with_entry(there.raw if there else None, entry)
        if written is None:
            return False
        await self._repository.put_list(
            self._image, written, INDEX, instead_of=there.etag if there else None
        )
        return True
