"""One repository of a registry that is written to.

Source:
    github.com/opencontainers/distribution-spec v1.1; the clause is named at each rule.
"""

from enum import Enum

from yarl import URL

from countersign.adapters.registry.answers import Answer, same_origin
from countersign.adapters.registry.repository import (
    BLOB,
    CREATED,
    TAKEN,
    Repository,
    Tagged,
)
from countersign.core.errors import Unavailable
from countersign.core.types.artifacts import Digest
from countersign.wire.oci import MAX_MANIFEST
from countersign.wire.oci_names import tag_of

_UNMET = frozenset({409, 412})  # the condition does not hold: RFC 9110, 15.5.10 and .13


class Put(Enum):
    """What became of a manifest."""

    KEPT = "kept"
    LISTED = "listed"  # and the registry itself lists it as a referrer
    UNMET = "unmet"  # nothing became of it: another was there first


class PushRepository(Repository):
    """Reads one repository, and puts things into it, until a deadline."""

    async def put_blob(self, data: bytes) -> None:
        """Put a blob; whether it is there is not asked.

        Registries that keep blobs elsewhere redirect that question, to where nobody
        answers HEAD; ours are small.

        Source:
            "POST then PUT".
        """
        begun = await self.asked(
            self.url("blobs/uploads/"), method="POST", limit=MAX_MANIFEST, body=b""
        )
        self.require(begun, TAKEN)
        done = await self.asked(
            self._location(begun).update_query(digest=str(Digest.sha256(data))),
            method="PUT",
            limit=MAX_MANIFEST,
            body=data,
            headers={"Content-Type": BLOB},
        )
        self.require(done, CREATED)

    async def put_manifest(self, raw: bytes, media_type: str) -> Put:
        """Put a manifest under its digest.

        Source:
            "Pushing Manifests with Subject": the header OCI-Subject says that the
            registry lists it; where it does not say so, the client must.
        """
        answer = await self._put(
            str(Digest.sha256(raw)), raw, {"Content-Type": media_type}
        )
        self.require(answer, CREATED)
        return Put.LISTED if "OCI-Subject" in answer.headers else Put.KEPT

    async def fallback(self, about: Digest) -> Tagged | None:
        """Return the list of referrers under an image's tag, or None."""
        return await self.tagged(tag_of(about))

    async def put_list(
        self, about: Digest, raw: bytes, media_type: str, *, instead_of: str | None
    ) -> Put:
        """Put a list of referrers under its tag, if that is still what it was.

        Args:
            about: The image.
            raw: The list.
            media_type: Of it.
            instead_of: The entity tag of what lay there, ``""``: it had none; None:
                nothing lay there.

        Source:
            "Pushing Manifests with Subject": a "conditional HTTP push for registries
            that support ETag conditions"; RFC 9110, 13.1.
        """
        condition = {"If-None-Match": "*"} if instead_of is None else {}
        if instead_of:
            condition = {"If-Match": instead_of}
        headers = {"Content-Type": media_type, **condition}
        answer = await self._put(tag_of(about), raw, headers)
        if condition and answer.status in _UNMET:
            return Put.UNMET
        self.require(answer, CREATED)
        return Put.KEPT

    async def _put(self, reference: str, raw: bytes, headers: dict[str, str]) -> Answer:
        return await self.asked(
            self.url(f"manifests/{reference}"),
            method="PUT",
            limit=MAX_MANIFEST,
            body=raw,
            headers=headers,
        )

    def _location(self, begun: Answer) -> URL:
        """Return where an upload continues.

        Raises:
            Unavailable: nowhere, or on another server: that would see our token.
        """
        try:
            where = begun.url.join(URL(begun.headers.get("Location", ""), encoded=True))
            if same_origin(where, begun.url) and where.user is None:
                return where
        except ValueError:
            pass
        raise Unavailable(f"{self} continues an upload elsewhere")
