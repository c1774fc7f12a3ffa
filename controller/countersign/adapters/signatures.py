"""The signature schemes of named keys: one scheme to each kind of key.

Nobody chooses: the key decides, so that no message can ask for a weaker one.

Source:
    github.com/sigstore/architecture-docs, algorithm-registry.md.
"""

import base64
import hashlib
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.core.errors import Malformed, Rejected

PublicKey: TypeAlias = (
    ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
)
PrivateKey: TypeAlias = (
    ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
)

MIN_RSA_BITS = 2048  # NIST SP 800-131A: less is no longer acceptable

_CURVES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
}


def supported_public(key: object) -> PublicKey:
    """Return `key` if countersign verifies with such keys.

    Raises:
        Malformed: it is neither Ed25519, ECDSA on P-256 or P-384, nor RSA of at least
            `MIN_RSA_BITS`.
    """
    match key:
        case ed25519.Ed25519PublicKey():
            return key
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return key
        case rsa.RSAPublicKey() if key.key_size >= MIN_RSA_BITS:
            return key
        case _:
            raise Malformed(
                "expected an Ed25519, ECDSA P-256 or P-384, or RSA key of at least "
                f"{MIN_RSA_BITS} bits"
            )


def supported_private(key: object) -> PrivateKey:
    """Return `key` if countersign signs with such keys.

    Raises:
        Malformed: as for `supported_public`.
    """
    match key:
        case (
            ed25519.Ed25519PrivateKey()
            | ec.EllipticCurvePrivateKey()
            | rsa.RSAPrivateKey()
        ):
            supported_public(key.public_key())
            return key
        case _:
            raise Malformed("expected a private Ed25519, ECDSA or RSA key")


def sign(key: PrivateKey, message: bytes) -> bytes:
    """Sign `message` by the scheme of `key`."""
    match key:
        case ed25519.Ed25519PrivateKey():
            return key.sign(message)
        case ec.EllipticCurvePrivateKey():
            return key.sign(message, ec.ECDSA(_CURVES[key.curve.name]))
        case rsa.RSAPrivateKey():
            return key.sign(message, _pss(padding.PSS.DIGEST_LENGTH), hashes.SHA256())


def verify(key: PublicKey, signature: bytes, message: bytes) -> None:
    """Check that `signature` is `key`'s over `message`.

    Raises:
        Rejected: it is not.
    """
    try:
        match key:
            case ed25519.Ed25519PublicKey():
                key.verify(signature, message)
            case ec.EllipticCurvePublicKey():
                key.verify(signature, message, ec.ECDSA(_CURVES[key.curve.name]))
            case rsa.RSAPublicKey():
                scheme = _pss(padding.PSS.AUTO)  # signers differ in the salt's length
                key.verify(signature, message, scheme, hashes.SHA256())
    except InvalidSignature as error:
        raise Rejected("expected another signature for this key") from error


def fingerprint(key: PublicKey) -> str:
    """Name a key by what it is: base64 of the SHA-256 of its SubjectPublicKeyInfo.

    Source:
        What sigstore's clients write into the ``hint`` of a bundle.
    """
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


def _pss(salt: object) -> padding.PSS:
    return padding.PSS(padding.MGF1(hashes.SHA256()), salt)  # type: ignore[arg-type]  # the marker classes are private
