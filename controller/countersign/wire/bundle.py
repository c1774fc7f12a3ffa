"""The Sigstore bundle v0.3, read within bounds that hold before any cryptography.

Nothing here is verified. Beyond the two ways to name a key (a certificate, a hint) and
one log entry at most, there is no choice for a forger to make: unknown fields, second
spellings and uncommon encodings are refused.

Source:
    github.com/sigstore/protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto;
    protobuf's JSON mapping.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from countersign.core.errors import Malformed
from countersign.wire.envelope import Envelope, EnvelopeShape, render_envelope
from countersign.wire.shapes import (
    Base64,
    ClosedShape,
    Whole,
    render_base64,
    shaped,
)
from countersign.wire.strict_json import parse_json

MAX_BUNDLE = 1024 * 1024  # bytes; a payload of 16 MiB costs 150 ms before it is refused
MAX_STAMPS = 4  # each costs 2 ms to verify, and more are no better
MAX_PROOF = 64  # hashes; a tree of 2^64 leaves has no longer path
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

_LAST_SECOND = 253402300799  # of the year 9999, the last that datetime knows


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a log entry claims, unverified.

    Attributes:
        integrated_at: When the log says it took the entry; None where nothing in the
            entry could prove that.
    """

    integrated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that holds a DSSE envelope, unverified.

    Attributes:
        raw: As it came.
        envelope: With its one signature.
        certificate: Of the signer, DER; None: a key is hinted at.
        key_hint: Name of the key, maybe ``""``; None: there is a certificate.
        log_entry: The one entry, or None.
        stamps: RFC 3161 responses, DER; at most `MAX_STAMPS`.
    """

    raw: bytes
    envelope: Envelope
    certificate: bytes | None
    key_hint: str | None
    log_entry: LogEntry | None
    stamps: tuple[bytes, ...] = ()


class _RawBytes(ClosedShape):
    raw_bytes: Base64


class _Hint(ClosedShape):
    hint: str | None = None


class _LogId(ClosedShape):
    key_id: Base64


class _KindVersion(ClosedShape):
    kind: str
    version: str


class _Checkpoint(ClosedShape):
    envelope: str


class _InclusionProof(ClosedShape):
    log_index: Whole
    root_hash: Base64
    tree_size: Whole
    hashes: list[Base64]
    checkpoint: _Checkpoint


class _InclusionPromise(ClosedShape):
    signed_entry_timestamp: Base64


class _LogEntry(ClosedShape):
    log_index: Whole
    log_id: _LogId
    kind_version: _KindVersion
    integrated_time: Whole | None = None
    inclusion_promise: _InclusionPromise | None = None
    inclusion_proof: _InclusionProof
    canonicalized_body: Base64

    def entry(self) -> LogEntry:
        if len(self.inclusion_proof.hashes) > MAX_PROOF:
            raise Malformed(f"expected a proof of at most {MAX_PROOF} hashes")
        if self.inclusion_promise is None or not self.integrated_time:
            return LogEntry(None)
        if self.integrated_time > _LAST_SECOND:
            raise Malformed("expected an integrated time before the year 10000")
        return LogEntry(datetime.fromtimestamp(self.integrated_time, UTC))


class _Stamp(ClosedShape):
    signed_timestamp: Base64


class _Stamps(ClosedShape):
    rfc3161_timestamps: list[_Stamp] = Field(default_factory=list)


class _Material(ClosedShape):
    certificate: _RawBytes | None = None
    public_key: _Hint | None = None
    tlog_entries: list[_LogEntry] = Field(default_factory=list)
    timestamp_verification_data: _Stamps | None = None


class _Bundle(ClosedShape):
    media_type: Literal[
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
    ]
    verification_material: _Material
    dsse_envelope: EnvelopeShape


def parse_bundle(raw: bytes) -> Bundle:
    """Read a bundle v0.3 that holds an in-toto statement.

    Raises:
        Malformed: it is none, or over a limit.

    Limits:
        `MAX_BUNDLE`, `MAX_STAMPS`, `MAX_PROOF`; one signature, one log entry at most.
    """
    shape = shaped(_Bundle, parse_json(raw, limit=MAX_BUNDLE), "bundle")
    material = shape.verification_material
    if (material.certificate is None) == (material.public_key is None):
        raise Malformed("expected a certificate or a public key hint in the bundle")
    if len(material.tlog_entries) > 1:
        raise Malformed(f"expected one log entry, saw {len(material.tlog_entries)}")
    stamps = material.timestamp_verification_data
    responses = stamps.rfc3161_timestamps if stamps else []
    if len(responses) > MAX_STAMPS:
        raise Malformed(f"expected at most {MAX_STAMPS} stamps, saw {len(responses)}")
    certificate, hint = material.certificate, material.public_key
    return Bundle(
        raw=raw,
        envelope=shape.dsse_envelope.envelope(),
        certificate=certificate.raw_bytes if certificate else None,
        key_hint=(hint.hint or "") if hint else None,
        log_entry=material.tlog_entries[0].entry() if material.tlog_entries else None,
        stamps=tuple(response.signed_timestamp for response in responses),
    )


def render_key_bundle(
    envelope: Envelope, hint: str, stamps: Sequence[bytes] = ()
) -> bytes:
    """Write a bundle signed by a named key.

    Args:
        envelope: With its signature.
        hint: Which key; a hint to the verifier, no more.
        stamps: RFC 3161 responses over the signature, DER.
    """
    material: dict[str, object] = {"publicKey": {"hint": hint}, "tlogEntries": []}
    if stamps:
        material["timestampVerificationData"] = {
            "rfc3161Timestamps": [
                {"signedTimestamp": render_base64(stamp)} for stamp in stamps
            ]
        }
    document = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": material,
        "dsseEnvelope": render_envelope(envelope),
    }
    return json.dumps(document, separators=(",", ":")).encode()
