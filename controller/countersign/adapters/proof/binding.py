"""That a log entry is about this envelope, signed by this signer, and no other.

Without it, the entry of an honest signing would prove any other (CVE-2022-36056).
"""

import base64
import binascii
import hashlib
import re

from countersign.adapters.signatures import PublicKey, key_details, spki
from countersign.core.errors import Rejected
from countersign.wire.envelope import Envelope, signed_bytes, written_envelopes
from countersign.wire.logged import Logged, LoggedDigest, Over

_PEM = re.compile(
    rb"-----BEGIN (?P<kind>CERTIFICATE|PUBLIC KEY)-----\n(?P<text>[A-Za-z0-9+/=\n]+)"
    rb"-----END (?P=kind)-----\n?"
)


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
    if _der(says.verifier) != (certificate or spki(key)):
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


def _der(verifier: bytes) -> bytes:
    """Return the DER of a certificate or public key that may stand in PEM.

    It is compared, never parsed: what the bundle shows elsewhere has been.
    """
    armoured = _PEM.fullmatch(verifier)
    if armoured is None:
        return verifier
    try:
        return base64.b64decode(armoured["text"].replace(b"\n", b""), validate=True)
    except binascii.Error as error:
        raise Rejected("expected a signer in the log entry") from error
