"""The few encodings that every part of Sigstore shares."""

import base64
import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

INTOTO = "application/vnd.in-toto+json"

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


def b64(data: bytes) -> str:
    """Encode bytes as protobuf's JSON does: base64, padded, one line."""
    return base64.b64encode(data).decode()


def sha256(data: bytes) -> bytes:
    """Hash with SHA-256, the only digest used here."""
    return hashlib.sha256(data).digest()


def spki(key: PublicKey) -> bytes:
    """Encode a public key as the DER of a SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def rfc3339(moment: datetime) -> str:
    """Write an aware time in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pae(payload_type: str, payload: bytes) -> bytes:
    """Encode what a DSSE signature covers.

    Source:
        DSSE protocol v1.0.2, "PAE".
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
