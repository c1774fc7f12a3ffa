"""Sigstore bundles v0.1 to v0.3, read within bounds that hold before any cryptography.

Nothing here is verified. Beyond the ways to name a key (a certificate, a hint) and one
log entry at most, there is no choice for a forger to make: unknown fields, second
spellings and uncommon encodings are refused.

What each format demands:

* v0.1: the signer's certificate first in a chain; a log's promise with each entry.
* v0.2: the same chain; a proof of inclusion with each entry.
* v0.3: one certificate, no chain; a proof of inclusion with each entry.

Of a chain only the first certificate counts: authorities come from trust roots.

Source:
    github.com/sigstore/protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto;
    protobuf's JSON mapping; sigstore-go, pkg/bundle, ``validate``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from countersign.core.errors import Malformed
from countersign.wire.envelope import Envelope, EnvelopeShape, render_envelope
from countersign.wire.shapes import Base64, ClosedShape, render_base64, shaped
from countersign.wire.strict_json import parse_json
from countersign.wire.tlog import LogEntry, LogEntryShape

MAX_BUNDLE = 1024 * 1024  # bytes; a payload of 16 MiB costs 150 ms before it is refused
MAX_STAMPS = 4  # each costs 2 ms to verify, and more are no better
MAX_STAMP = 32768  # bytes; with all certificates of its authority one has 6 thousand
MAX_CERTIFICATE = 32768  # bytes; those of CI systems have 2 thousand
MAX_CHAIN = 8  # certificates; none after the first is looked at
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MEDIA_TYPE_V01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"

_VERSIONS = {
    MEDIA_TYPE_V01: 1,
    "application/vnd.dev.sigstore.bundle+json;version=0.2": 2,
    "application/vnd.dev.sigstore.bundle+json;version=0.3": 3,
    MEDIA_TYPE: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that holds a DSSE envelope, unverified.

    Attributes:
        raw: As it came.
        envelope: With its one signature.
        certificate: Of the signer, DER; None: a key is hinted at.
        key_hint: Name of the key, maybe ``""``; None: there is a certificate.
        log_entry: The one entry, or None.
        stamps: RFC 3161 responses, DER; at most `MAX_STAMPS`, each once.
    """

    raw: bytes
    envelope: Envelope
    certificate: bytes | None
    key_hint: str | None
    log_entry: LogEntry | None
    stamps: tuple[bytes, ...] = ()


class _RawBytes(ClosedShape):
    raw_bytes: Base64


class _Chain(ClosedShape):
    certificates: list[_RawBytes]


class _Hint(ClosedShape):
    hint: str | None = None


class _Stamp(ClosedShape):
    signed_timestamp: Base64


class _Stamps(ClosedShape):
    rfc3161_timestamps: list[_Stamp] = Field(default_factory=list)


class _Material(ClosedShape):
    certificate: _RawBytes | None = None
    x509_certificate_chain: _Chain | None = None
    public_key: _Hint | None = None
    tlog_entries: list[LogEntryShape] = Field(default_factory=list)
    timestamp_verification_data: _Stamps | None = None


class _Bundle(ClosedShape):
    media_type: str
    verification_material: _Material
    dsse_envelope: EnvelopeShape


def parse_bundle(raw: bytes) -> Bundle:
    """Read a bundle that holds an in-toto statement.

    Raises:
        Malformed: it is none, not as its version must be, or over a limit.

    Limits:
        `MAX_BUNDLE`, `MAX_CERTIFICATE`, `MAX_CHAIN`, `MAX_STAMPS`, `MAX_STAMP`,
        `MAX_PROOF`; one signature, one log entry at most.
    """
    shape = shaped(_Bundle, parse_json(raw, limit=MAX_BUNDLE), "bundle")
    version = _VERSIONS.get(shape.media_type)
    if version is None:
        raise Malformed(
            f"expected the mediaType of a bundle, saw {shape.media_type[:80]!r}"
        )
    material = shape.verification_material
    certificate, hint = _certificate(material, version), material.public_key
    if (certificate is None) == (hint is None):
        raise Malformed("expected a certificate or a public key hint in the bundle")
    if certificate is not None and len(certificate) > MAX_CERTIFICATE:
        raise Malformed(f"expected a certificate of at most {MAX_CERTIFICATE} bytes")
    return Bundle(
        raw=raw,
        envelope=shape.dsse_envelope.envelope(),
        certificate=certificate,
        key_hint=(hint.hint or "") if hint else None,
        log_entry=_log_entry(material.tlog_entries, version),
        stamps=_stamps(material.timestamp_verification_data),
    )


_LAST_WITH_CHAIN = 2  # the last version


def _certificate(material: _Material, version: int) -> bytes | None:
    one, chain = material.certificate, material.x509_certificate_chain
    if version > _LAST_WITH_CHAIN:
        if chain is not None:
            raise Malformed("expected one certificate in a bundle v0.3, saw a chain")
        return one.raw_bytes if one else None
    if one is not None:
        raise Malformed(f"expected a chain in a bundle v0.{version}, saw a certificate")
    if chain is None:
        return None
    if not 0 < len(chain.certificates) <= MAX_CHAIN:
        raise Malformed(
            f"expected 1 to {MAX_CHAIN} certificates, saw {len(chain.certificates)}"
        )
    return chain.certificates[0].raw_bytes


def _log_entry(entries: list[LogEntryShape], version: int) -> LogEntry | None:
    if not entries:
        return None
    if len(entries) > 1:
        raise Malformed(f"expected one log entry, saw {len(entries)}")
    entry = entries[0].entry()
    if version == 1 and entry.promise is None:
        raise Malformed("expected a promise of inclusion in a bundle v0.1")
    if version > 1 and entry.proof is None:
        raise Malformed(f"expected a proof of inclusion in a bundle v0.{version}")
    return entry


def _stamps(shape: _Stamps | None) -> tuple[bytes, ...]:
    stamps = (
        tuple(one.signed_timestamp for one in shape.rfc3161_timestamps) if shape else ()
    )
    if len(stamps) > MAX_STAMPS:
        raise Malformed(f"expected at most {MAX_STAMPS} stamps, saw {len(stamps)}")
    if len(set(stamps)) != len(stamps):
        raise Malformed("expected each stamp once")
    if any(len(stamp) > MAX_STAMP for stamp in stamps):
        raise Malformed(f"expected stamps of at most {MAX_STAMP} bytes")
    return stamps


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
