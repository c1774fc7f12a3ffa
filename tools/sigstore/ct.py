"""The certificate transparency log: it promises to have seen each certificate.

Only the promise (the signed certificate timestamp, SCT) is made. Verifiers of bundles
never ask the log itself, so no tree stands behind it.

Source:
    RFC 6962, sections 3.2 (SCT) and 3.3 (embedding it).
"""

import struct
from datetime import datetime

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tools.sigstore.encoding import sha256, spki
from tools.sigstore.vault import Vault

_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_V1 = 0
_CERTIFICATE_TIMESTAMP = 0
_PRECERTIFICATE = 1
_SHA256_ECDSA = b"\x04\x03"
_NO_EXTENSIONS = b"\x00\x00"


class CertificateLog:
    """Signs SCTs.

    Attributes:
        key: Signs them.
        log_id: SHA-256 of the public key, by which verifiers find it.
    """

    def __init__(self, vault: Vault) -> None:
        self.key = vault.ecdsa("ct", ec.SECP256R1())
        self.log_id = sha256(spki(self.key.public_key()))

    def promise(
        self,
        precertificate: bytes,
        issuer: ec.EllipticCurvePublicKey,
        *,
        at: datetime,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.UnrecognizedExtension:
        """Make the extension that embeds one SCT.

        Args:
            precertificate: The TBSCertificate without this extension, DER.
            issuer: The key that signs the certificate.
            at: When the log claims to have seen it; aware.
            key: Signs in place of the log's own, under the log's name.
        """
        milliseconds = int(at.timestamp()) * 1000
        signed = (
            struct.pack(
                "!BBQH", _V1, _CERTIFICATE_TIMESTAMP, milliseconds, _PRECERTIFICATE
            )
            + sha256(spki(issuer))
            + len(precertificate).to_bytes(3, "big")
            + precertificate
            + _NO_EXTENSIONS
        )
        signature = (key or self.key).sign(signed, ec.ECDSA(hashes.SHA256()))
        sct = (
            struct.pack("!B32sQ", _V1, self.log_id, milliseconds)
            + _NO_EXTENSIONS
            + _SHA256_ECDSA
            + _counted(signature)
        )
        return x509.UnrecognizedExtension(
            _SCT_LIST, asn1.encode_der(_counted(_counted(sct)))
        )


def _counted(data: bytes) -> bytes:
    """Prefix `data` with its length, as TLS writes an opaque<0..2^16-1>."""
    return struct.pack("!H", len(data)) + data
