"""That a log entry is about this envelope, signed by this signer, and no other.

Without it, the entry of an honest signing would prove any other (CVE-2022-36056).
"""

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_public_key,
)

from countersign.adapters.signatures import (
    PublicKey,
    key_details,
    spki,
    supported_public,
)
from countersign.core.errors import Malformed, Rejected
from countersign.wire.envelope import Envelope, signed_bytes, written_envelopes
from countersign.wire.logged import Logged, LoggedDigest, Over

_PEM = b"-----BEGIN "


def require_bound(
    says: Logged, envelope: Envelope, key: PublicKey, certificate: bytes | None
) -> None:
    """Check that an entry says what the bundle says.

    Args:
        says: What a verified entry says.
        envelope: Of the bundle.
        key: Of the signer.
        certificate: That holds it, DER; None where the key stands alone.

    Raises:
        Rejected: another signer, signature, payload or kind of key.
    """
    if says.signature is not None and says.signature != envelope.signature:
        raise Rejected("expected the log entry of this signature")
    if _verifier(says.verifier) != (certificate or spki(key)):
        raise Rejected("expected the log entry of this signer")
    if says.key_details and says.key_details not in key_details(key):
        raise Rejected("expected a log entry of this kind of key")
    for digest in says.digests:
        if not any(_is_of(digest, text) for text in _texts(digest.over, envelope)):
            raise Rejected(f"expected the log entry of this {digest.over.value}")


def _is_of(digest: LoggedDigest, text: bytes) -> bool:
    return hashlib.new(digest.algorithm, text).digest() == digest.value


def _texts(over: Over, envelope: Envelope) -> tuple[bytes, ...]:
    match over:
        case Over.PAYLOAD:
            return (envelope.payload,)
        case Over.SIGNED:
            return (signed_bytes(envelope.payload),)
        case Over.ENVELOPE:
            return written_envelopes(envelope)


def _verifier(raw: bytes) -> bytes:
    """Read a certificate or a public key, PEM or DER, and write it as DER."""
    if not raw.startswith(_PEM):
        return raw
    try:
        if raw.startswith(_PEM + b"CERTIFICATE"):
            return x509.load_pem_x509_certificate(raw).public_bytes(Encoding.DER)
        return spki(supported_public(load_pem_public_key(raw)))
    except (Malformed, UnsupportedAlgorithm, ValueError) as error:
        raise Rejected("expected a signer in the log entry") from error
