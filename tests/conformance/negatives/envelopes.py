"""Forged envelopes: what is signed, and the signature."""

import base64

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from countersign.core.errors import Malformed
from tests.support.forging import (
    SIGNATURE,
    Json,
    Lab,
    Remake,
    changed,
    dropped,
    flipped,
    key_of,
    negatives,
    remade,
    stranger_of,
)
from tests.support.proving import STATEMENT
from tools.sigstore.encoding import INTOTO, pae, sha256
from tools.sigstore.forms import KEYED, KEYED_V1, KEYLESS_V1, KEYLESS_V2, PRIVATE, Form
from tools.sigstore.keys import KeyKind, digest, sign_message

LOGGED = (KEYLESS_V1, KEYLESS_V2, KEYED_V1)
UNLOGGED = (PRIVATE, KEYED)
ALL = (*LOGGED, *UNLOGGED)
P384 = Form(key=KeyKind.P384, certified=False, entry=None)
ED25519 = Form(key=KeyKind.ED25519, certified=False, entry=None)
RSA = Form(key=KeyKind.RSA_2048, certified=False, entry=None)
MESSAGE = pae(INTOTO, STATEMENT)
OTHER = STATEMENT.replace(b"approved", b"rejected") + b" "


def _by_stranger(lab: Lab, form: Form) -> Json:
    """Everybody, log and stamper included, saw a signature that is not the key's."""
    return lab.bundle(form, signature=sign_message(stranger_of(form.key), MESSAGE))


def _over(lab: Lab, form: Form, message: bytes) -> Json:
    """The right key signed something else."""
    key = form.key.generate() if form.certified else key_of(form.key)
    return lab.bundle(form, key=key, signature=sign_message(key, message))


def _ecdsa_over(kind: KeyKind, hashed: hashes.HashAlgorithm) -> bytes:
    key = key_of(kind)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(MESSAGE, ec.ECDSA(hashed))


def _ecdsa(kind: KeyKind, hashed: hashes.HashAlgorithm) -> Remake:
    return _signing(_ecdsa_over(kind, hashed))


def _concatenated() -> bytes:
    """ECDSA as JOSE writes it: both numbers, one after the other."""
    numbers = decode_dss_signature(_ecdsa_over(KeyKind.P256, hashes.SHA256()))
    return b"".join(number.to_bytes(32) for number in numbers)


def _ed25519(hashed: hashes.HashAlgorithm) -> Remake:
    """Ed25519 over a hash: neither Ed25519, nor Ed25519ph, which says that it is."""
    key = key_of(KeyKind.ED25519)
    return _signing(sign_message(key, digest(hashed, MESSAGE)))


def _rsa(hashed: hashes.HashAlgorithm) -> Remake:
    key = key_of(KeyKind.RSA_2048)
    assert isinstance(key, rsa.RSAPrivateKey)
    return _signing(key.sign(MESSAGE, padding.PKCS1v15(), hashed))


def _signing(signature: bytes) -> Remake:
    """Such a signature, by a key of the trust root."""
    return lambda lab, form: lab.bundle(form, signature=signature)


NEGATIVES = [
    *remade(
        ALL,
        ("a stranger's signature, logged and stamped", "signature", _by_stranger),
        (
            "a signature over the payload alone",
            "signature",
            lambda lab, form: _over(lab, form, STATEMENT),
        ),
        (
            "a signature over another payload type",
            "signature",
            lambda lab, form: _over(lab, form, pae("text/plain", STATEMENT)),
        ),
        (
            "a signature over the hash of what it should be over",
            "signature",
            lambda lab, form: _over(lab, form, sha256(MESSAGE)),
        ),
    ),
    *negatives(
        (
            "a bit of the signature flipped",
            LOGGED,
            "signature|log entry",
            lambda _, b: changed(b, *SIGNATURE, to=flipped),
        ),
        (
            "a bit of the signature flipped",
            UNLOGGED,
            "signature|stamp",
            lambda _, b: changed(b, *SIGNATURE, to=flipped),
        ),
        (
            "no signature in the signature",
            ALL,
            "signature|log entry|stamp",
            lambda _, b: changed(b, *SIGNATURE, to=""),
        ),
        (
            "the payload swapped",
            LOGGED,
            "signature|log entry",
            lambda _, b: changed(
                b, "dsseEnvelope", "payload", to=base64.b64encode(OTHER).decode()
            ),
        ),
        (
            "the payload swapped",
            UNLOGGED,
            "signature",
            lambda _, b: changed(
                b, "dsseEnvelope", "payload", to=base64.b64encode(OTHER).decode()
            ),
        ),
    ),
    *negatives(
        (
            "another payload type, signed so",
            ALL,
            "payload type",
            lambda lab, b: lab.bundle(
                KEYED if "publicKey" in b["verificationMaterial"] else PRIVATE,
                payload_type="application/json",
            ),
        ),
        (
            "the payload type of another",
            ALL,
            "payload type",
            lambda _, b: changed(b, "dsseEnvelope", "payloadType", to="text/plain"),
        ),
        (
            "two signatures",
            ALL,
            "one signature",
            lambda _, b: changed(
                b, "dsseEnvelope", "signatures", to=lambda found: found * 2
            ),
        ),
        (
            "a stranger's signature beside the right one",
            ALL,
            "one signature",
            lambda _, b: changed(
                b,
                "dsseEnvelope",
                "signatures",
                to=lambda found: [*found, {"sig": flipped(found[0]["sig"])}],
            ),
        ),
        (
            "no signatures",
            ALL,
            "one signature",
            lambda _, b: changed(b, "dsseEnvelope", "signatures", to=[]),
        ),
        (
            "no envelope",
            ALL,
            "dsseEnvelope",
            lambda _, b: dropped(b, "dsseEnvelope"),
        ),
        (
            "a message signature in place of the envelope",
            ALL,
            "messageSignature|dsseEnvelope",
            lambda _, b: {
                "mediaType": b["mediaType"],
                "verificationMaterial": b["verificationMaterial"],
                "messageSignature": {
                    "messageDigest": {
                        "algorithm": "SHA2_256",
                        "digest": base64.b64encode(sha256(MESSAGE)).decode(),
                    },
                    "signature": b["dsseEnvelope"]["signatures"][0]["sig"],
                },
            },
        ),
        error=Malformed,
    ),
    *remade(
        [P384],
        ("P-384 over SHA-256", "signature by", _ecdsa(KeyKind.P384, hashes.SHA256())),
        ("P-384 over SHA-512", "signature by", _ecdsa(KeyKind.P384, hashes.SHA512())),
    ),
    *remade(
        [KEYED],
        ("P-256 over SHA-384", "signature by", _ecdsa(KeyKind.P256, hashes.SHA384())),
        ("P-256 over SHA-1", "signature by", _ecdsa(KeyKind.P256, hashes.SHA1())),  # noqa: S303
        ("ECDSA's two numbers without DER", "signature by", _signing(_concatenated())),
    ),
    *remade(
        [ED25519],
        (
            "Ed25519 over SHA-512, as if prehashed",
            "signature by",
            _ed25519(hashes.SHA512()),
        ),
        ("Ed25519 over SHA-256", "signature by", _ed25519(hashes.SHA256())),
    ),
    *remade(
        [RSA],
        ("RSA over SHA-1", "signature by", _rsa(hashes.SHA1())),  # noqa: S303
        ("RSA over SHA-512", "signature by", _rsa(hashes.SHA512())),
    ),
]
