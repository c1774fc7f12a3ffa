"""Entries of transparency logs as bundles carry them, unverified.

Source:
    github.com/sigstore/protobuf-specs, sigstore_rekor.proto.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import Field

from countersign.core.errors import Malformed
from countersign.wire.shapes import Base64, ClosedShape, Whole

MAX_PROOF = 64  # hashes; a tree of 2^64 leaves has no longer path

_LAST_SECOND = 253402300799  # of the year 9999, the last that datetime knows


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That an entry is a leaf of a tree whose root somebody signed.

    Attributes:
        index: Of the leaf in the tree, from 0.
        size: Leaves of the tree.
        root: Hash of the tree, as claimed.
        hashes: Of the path from the leaf to the root; at most `MAX_PROOF`.
        checkpoint: Signed note over size and root.
    """

    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """What a log entry claims, unverified.

    Attributes:
        log_id: Which log; a hint.
        index: Of the entry in the log; only a promise ever covers it.
        kind: Of the body, e.g. ``dsse``; a hint until compared with the body's own.
        version: Of the body, likewise.
        body: Canonical JSON, byte for byte: the leaf of the tree.
        integrated_at: When the log says it took the entry; None where nothing in the
            entry could prove that.
        promise: The log's signature over body and time, or None.
        proof: Of inclusion, or None.
    """

    log_id: bytes
    index: int
    kind: str
    version: str
    body: bytes
    integrated_at: datetime | None = None
    promise: bytes | None = None
    proof: InclusionProof | None = None


class _LogId(ClosedShape):
    key_id: Base64


class _KindVersion(ClosedShape):
    kind: str
    version: str


class _Checkpoint(ClosedShape):
    envelope: str


class _InclusionProof(ClosedShape):
    log_index: Whole = 0  # protobuf's JSON may leave out what is zero
    root_hash: Base64
    tree_size: Whole
    hashes: list[Base64] = Field(default_factory=list)
    checkpoint: _Checkpoint


class _InclusionPromise(ClosedShape):
    signed_entry_timestamp: Base64


class LogEntryShape(ClosedShape):
    """A log entry as JSON."""

    log_index: Whole = 0
    log_id: _LogId
    kind_version: _KindVersion
    integrated_time: Whole = 0  # seconds since 1970
    inclusion_promise: _InclusionPromise | None = None
    inclusion_proof: _InclusionProof | None = None
    canonicalized_body: Base64

    def entry(self) -> LogEntry:
        """Return the entry.

        Raises:
            Malformed: its proof is too long, or it claims a time beyond time.
        """
        promise, proof = self.inclusion_promise, self.inclusion_proof
        return LogEntry(
            log_id=self.log_id.key_id,
            index=self.log_index,
            kind=self.kind_version.kind,
            version=self.kind_version.version,
            body=self.canonicalized_body,
            integrated_at=self._integrated_at() if promise else None,
            promise=promise.signed_entry_timestamp if promise else None,
            proof=_proof(proof) if proof else None,
        )

    def _integrated_at(self) -> datetime | None:
        if not self.integrated_time:
            return None
        if self.integrated_time > _LAST_SECOND:
            raise Malformed("expected an integrated time before the year 10000")
        return datetime.fromtimestamp(self.integrated_time, UTC)


def _proof(shape: _InclusionProof) -> InclusionProof:
    if len(shape.hashes) > MAX_PROOF:
        raise Malformed(f"expected a proof of at most {MAX_PROOF} hashes")
    return InclusionProof(
        index=shape.log_index,
        size=shape.tree_size,
        root=shape.root_hash,
        hashes=tuple(shape.hashes),
        checkpoint=shape.checkpoint.envelope,
    )
