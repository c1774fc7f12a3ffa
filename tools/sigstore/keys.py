"""The keys that people and workflows sign with, and how clients sign with each.

Source:
    github.com/sigstore/architecture-docs, algorithm-registry.md (a hash to each kind of
    key); github.com/sigstore/protobuf-specs, sigstore_common.proto, ``PublicKeyDetails``.
"""

import base64
from collections.abc import Callable
from enum import StrEnum
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from tools.sigstore.encoding import PublicKey, sha256, spki

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_EXPONENT = 65537
_CURVES: MappingProxyType[str, tuple[hashes.HashAlgorithm, str]] = MappingProxyType(
    {
        "secp256r1": (hashes.SHA256(), "PKIX_ECDSA_P256_SHA_256"),
        "secp384r1": (hashes.SHA384(), "PKIX_ECDSA_P384_SHA_384"),
        "secp521r1": (hashes.SHA512(), "PKIX_ECDSA_P521_SHA_512"),
    }
)


class KeyKind(StrEnum):
    """The kinds of keys that sign envelopes."""

    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    ED25519 = "Ed25519"
    RSA_2048 = "RSA-2048"
    RSA_4096 = "RSA-4096"

    def generate(self) -> PrivateKey:
        """Make a key of this kind."""
        return _MAKERS[self]()


_MAKERS: MappingProxyType[KeyKind, Callable[[], PrivateKey]] = MappingProxyType(
    {
        KeyKind.P256: lambda: ec.generate_private_key(ec.SECP256R1()),
        KeyKind.P384: lambda: ec.generate_private_key(ec.SECP384R1()),
        KeyKind.P521: lambda: ec.generate_private_key(ec.SECP521R1()),
        KeyKind.ED25519: ed25519.Ed25519PrivateKey.generate,
        KeyKind.RSA_2048: lambda: rsa.generate_private_key(_EXPONENT, 2048),
        KeyKind.RSA_4096: lambda: rsa.generate_private_key(_EXPONENT, 4096),
    }
)


def sign_message(key: PrivateKey, message: bytes) -> bytes:
    """Sign as clients do: the key decides the scheme; RSA is PKCS #1 v1.5."""
    match key:
        case ed25519.Ed25519PrivateKey():
            return key.sign(message)
        case ec.EllipticCurvePrivateKey():
            return key.sign(message, ec.ECDSA(_CURVES[key.curve.name][0]))
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def message_hash(key: PublicKey) -> hashes.HashAlgorithm:
    """Return the hash that signatures by `key` are over, where they are over one.

    Raises:
        ValueError: Ed25519 signs messages, not hashes of them.
    """
    match key:
        case ec.EllipticCurvePublicKey():
            return _CURVES[key.curve.name][0]
        case rsa.RSAPublicKey():
            return hashes.SHA256()
        case ed25519.Ed25519PublicKey():
            raise ValueError("an Ed25519 signature is over no hash")


def digest(algorithm: hashes.HashAlgorithm, message: bytes) -> bytes:
    """Hash `message`."""
    context = hashes.Hash(algorithm)
    context.update(message)
    return context.finalize()


def key_details(key: PublicKey) -> str:
    """Name the scheme of `key`."""
    match key:
        case ed25519.Ed25519PublicKey():
            return "PKIX_ED25519"
        case ec.EllipticCurvePublicKey():
            return _CURVES[key.curve.name][1]
        case rsa.RSAPublicKey():
            return f"PKIX_RSA_PKCS1V15_{key.key_size}_SHA256"


def hint(key: PublicKey) -> str:
    """Name `key` as clients do in a bundle: base64 of the SHA-256 of its DER."""
    return base64.b64encode(sha256(spki(key))).decode()


def verify_message(key: PublicKey, signature: bytes, message: bytes) -> None:
    """Check a signature over `message`.

    Raises:
        InvalidSignature: It is not by `key`.
    """
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, message)
    else:
        algorithm = message_hash(key)
        verify_hashed(key, signature, digest(algorithm, message), algorithm)


def verify_hashed(
    key: PublicKey, signature: bytes, hashed: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    """Check a signature over something that hashes to `hashed`.

    Raises:
        InvalidSignature: It is not by `key`.
        ValueError: Such keys sign no hashes, or `hashed` has another length.
    """
    match key:
        case ec.EllipticCurvePublicKey():
            key.verify(signature, hashed, ec.ECDSA(Prehashed(algorithm)))
        case rsa.RSAPublicKey():
            key.verify(signature, hashed, padding.PKCS1v15(), Prehashed(algorithm))
        case ed25519.Ed25519PublicKey():
            raise ValueError("an Ed25519 signature is over no hash")
