"""The signature schemes of signers and logs.

Nobody chooses: the key decides, so that no message can ask for a weaker one. RSA keys
verify both paddings, since nothing in such a key says which its owner uses and neither
is weak; we sign with the one that cosign verifies.

Source:
    github.com/sigstore/architecture-docs, algorithm-registry.md; sigstore,
    pkg/signature/algorithm_registry.go, ``supportedAlgorithms``.
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
MAX_RSA_BITS = 4096  # the largest of Sigstore's registry; time grows with the square
_RSA_EXPONENTS = range(2**16, 2**32)  # larger ones make verifying slow, not safer

_CURVES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
}
_EC_DETAILS = {
    "secp256r1": "PKIX_ECDSA_P256_SHA_256",
    "secp384r1": "PKIX_ECDSA_P384_SHA_384",
}


def supported_public(key: object) -> PublicKey:
    """Return `key` if countersign verifies with such keys.

    Raises:
        Malformed: it is neither Ed25519, ECDSA on P-256 or P-384, nor RSA of
            `MIN_RSA_BITS` to `MAX_RSA_BITS`.
    """
    match key:
        case ed25519.Ed25519PublicKey():
            return key
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return key
        case rsa.RSAPublicKey() if _is_fit(key):
            return key
        case _:
            raise Malformed(
                "expected an Ed25519, ECDSA P-256 or P-384, or RSA key of "
                f"{MIN_RSA_BITS} to {MAX_RSA_BITS} bits"
            )


def _is_fit(key: rsa.RSAPublicKey) -> bool:
    fits = MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS
    return fits and key.public_numbers().e in _RSA_EXPONENTS


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
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


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
                _verify_rsa(key, signature, message)
    except InvalidSignature as error:
        raise Rejected("expected another signature for this key") from error


def _verify_rsa(key: rsa.RSAPublicKey, signature: bytes, message: bytes) -> None:
    try:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        # Signers differ in the salt's length.
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
        key.verify(signature, message, scheme, hashes.SHA256())


def key_details(key: PublicKey) -> frozenset[str]:
    """Return what protobuf may call `key` and its scheme.

    Source:
        github.com/sigstore/protobuf-specs, sigstore_common.proto, ``PublicKeyDetails``.
    """
    match key:
        case ed25519.Ed25519PublicKey():
            return frozenset({"PKIX_ED25519"})
        case ec.EllipticCurvePublicKey():
            return frozenset({_EC_DETAILS[key.curve.name]})
        case rsa.RSAPublicKey():
            return frozenset(
                f"PKIX_RSA_{scheme}_{key.key_size}_SHA256"
                for scheme in ("PKCS1V15", "PSS")
            )


def spki(key: PublicKey) -> bytes:
    """Write `key` as SubjectPublicKeyInfo, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: PublicKey) -> str:
    """Name a key by what it is: base64 of the SHA-256 of its SubjectPublicKeyInfo.

    Source:
        What sigstore's clients write into the ``hint`` of a bundle.
    """
    return base64.b64encode(hashlib.sha256(spki(key)).digest()).decode()
