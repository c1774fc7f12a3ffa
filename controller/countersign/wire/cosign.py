"""cosign's older forms of an attestation, rewritten as Sigstore bundles v0.1.

Before bundles, cosign put an attestation into a registry as a layer that is the DSSE
envelope, with certificate, log entry and time stamp in annotations beside it; and into a
file as JSON with fields of its own. Both say what a bundle v0.1 says: certificate, a
promise of the log, stamps. Nothing is verified here, and nothing is trusted: what comes
out is proven like any bundle.

The certificates of the authority that come along are left out: authorities come from
trust roots.

Source:
    github.com/sigstore/cosign/v3, pkg/oci/static (annotations), pkg/cosign/bundle
    (``RekorBundle``, ``RFC3161Timestamp``), pkg/cosign/fetch.go
    (``LocalSignedPayload``).
"""

import json
from collections.abc import Mapping
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BeforeValidator, Field, StringConstraints

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.bundle import MAX_BUNDLE, MEDIA_TYPE_V01
from countersign.wire.envelope import EnvelopeShape
from countersign.wire.shapes import Base64, ClosedShape, Shape, render_base64, shaped
from countersign.wire.strict_json import parse_json

MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"  # of the layer
MAX_ANNOTATION = 262144  # characters; registries keep manifests below 4 MiB

CERTIFICATE = "dev.sigstore.cosign/certificate"
BUNDLE = "dev.sigstore.cosign/bundle"
STAMP = "dev.sigstore.cosign/rfc3161timestamp"

_KEYS = CERTIFICATE, BUNDLE, STAMP


def legacy_attestation(envelope: bytes, annotations: Mapping[str, str]) -> bytes:
    """Rewrite an attestation layer as a bundle.

    Args:
        envelope: The layer: a DSSE envelope as JSON.
        annotations: Of the layer's descriptor; those not cosign's are ignored, and an
            empty one is none.

    Returns:
        A Sigstore bundle v0.1, JSON.

    Raises:
        Malformed: the envelope holds no in-toto statement, or an annotation is not what
            its name says.

    Limits:
        `MAX_BUNDLE` for the envelope, `MAX_ANNOTATION` for each annotation.
    """
    given = {key: text for key in _KEYS if (text := annotations.get(key))}
    for key, text in given.items():
        if len(text) > MAX_ANNOTATION:
            raise Malformed(f"expected at most {MAX_ANNOTATION} characters in {key}")
    entry = stamp = None
    if BUNDLE in given:
        entry = shaped(_RekorBundle, _json(given[BUNDLE]), BUNDLE)
    if STAMP in given:
        stamp = shaped(_Stamp, _json(given[STAMP]), STAMP).signed
    return _bundle(envelope, given.get(CERTIFICATE), entry, stamp)


def legacy_file(raw: bytes) -> bytes:
    """Rewrite the file of ``cosign attest-blob --new-bundle-format=false --bundle``.

    Returns:
        A Sigstore bundle v0.1, JSON.

    Raises:
        Malformed: it is no such file, or holds no attestation: the same form carries
            signatures over blobs.
    """
    local = shaped(_LocalFile, parse_json(raw, limit=MAX_BUNDLE), "cosign's bundle")
    try:
        certificate = local.cert.decode("ascii") if local.cert else None
    except UnicodeDecodeError as error:
        raise Malformed("expected a certificate in PEM") from error
    return _bundle(local.envelope, certificate, local.rekor_bundle, None)


def is_legacy_file(raw: bytes) -> bool:
    """Tell whether `raw` looks like cosign's older file: no bundle, no manifest."""
    if b'"base64Signature"' not in raw:
        return False
    try:
        tree = parse_json(raw, limit=MAX_BUNDLE)
    except Malformed:
        return False
    return isinstance(tree, dict) and "base64Signature" in tree


def _read_whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("expected a whole number")


_Whole = Annotated[int, BeforeValidator(_read_whole)]
_LogId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _RekorPayload(ClosedShape):
    body: Base64
    integrated_time: _Whole
    log_index: _Whole
    log_id: _LogId = Field(alias="logID")


class _RekorBundle(ClosedShape):
    promise: Base64 = Field(alias="SignedEntryTimestamp")
    payload: _RekorPayload = Field(alias="Payload")


class _Stamp(ClosedShape):
    signed: Base64 = Field(alias="SignedRFC3161Timestamp")


class _LocalFile(ClosedShape):
    envelope: Base64 = Field(alias="base64Signature")
    cert: Base64 | None = None
    rekor_bundle: _RekorBundle | None = None


class _Kind(Shape):
    kind: str
    api_version: str


def _bundle(
    envelope: bytes,
    certificate: str | None,
    entry: _RekorBundle | None,
    stamp: bytes | None,
) -> bytes:
    tree = parse_json(envelope, limit=MAX_BUNDLE)
    shaped(EnvelopeShape, tree, "envelope").envelope()
    material: Tree = {"tlogEntries": [_entry(entry)] if entry else []}
    if certificate is None:
        material["publicKey"] = {"hint": ""}
    else:
        leaf: Json = {"rawBytes": render_base64(_leaf(certificate))}
        material["x509CertificateChain"] = {"certificates": [leaf]}
    if stamp is not None:
        stamps: list[Json] = [{"signedTimestamp": render_base64(stamp)}]
        material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    document = {
        "mediaType": MEDIA_TYPE_V01,
        "verificationMaterial": material,
        "dsseEnvelope": tree,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _entry(bundle: _RekorBundle) -> Json:
    entry = bundle.payload
    body = parse_json(entry.body, limit=MAX_BUNDLE)
    kind = shaped(_Kind, body, "body of the log entry")
    return {
        "logIndex": str(entry.log_index),
        "logId": {"keyId": render_base64(bytes.fromhex(entry.log_id))},
        "kindVersion": {"kind": kind.kind, "version": kind.api_version},
        "integratedTime": str(entry.integrated_time),
        "inclusionPromise": {"signedEntryTimestamp": render_base64(bundle.promise)},
        "canonicalizedBody": render_base64(entry.body),
    }


def _leaf(pem: str) -> bytes:
    """Return the first certificate, as cosign does."""
    try:
        return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    except ValueError as error:
        raise Malformed("expected a certificate in PEM") from error


def _json(text: str) -> Json:
    return parse_json(text.encode(errors="replace"), limit=MAX_ANNOTATION)
