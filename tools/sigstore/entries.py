"""What the logs write down of a signed envelope: the body of an entry, kind by kind.

Source:
    github.com/sigstore/rekor, pkg/types/{dsse,intoto,hashedrekord} (what
    ``Canonicalize`` keeps); github.com/sigstore/rekor-tiles, pkg/types, and CLIENTS.md
    (what is hashed of an envelope).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tools.sigstore.encoding import PublicKey, b64, pae, sha256, spki
from tools.sigstore.keys import digest, key_details, message_hash

Json = dict[str, Any]
Verifier = x509.Certificate | PublicKey


class EntryKind(StrEnum):
    """The kinds of entries that envelopes leave in a log."""

    DSSE = "dsse 0.0.1"
    INTOTO = "intoto 0.0.2"
    INTOTO_OLD = "intoto 0.0.1"
    HASHED = "hashedrekord 0.0.1"
    DSSE_V2 = "dsse 0.0.2"
    HASHED_V2 = "hashedrekord 0.0.2"

    @property
    def second(self) -> bool:
        """Whether Rekor v2 takes it, or took it for a while."""
        return self in (EntryKind.DSSE_V2, EntryKind.HASHED_V2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An envelope with one signature, and what verifies it.

    Attributes:
        payload_type: Of the payload.
        payload: Its bytes.
        signature: Over both.
        verifier: The signer's certificate, or a public key.
    """

    payload_type: str
    payload: bytes
    signature: bytes
    verifier: Verifier

    def envelope(self) -> Json:
        """Write the envelope as JSON."""
        return {
            "payload": b64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"sig": b64(self.signature)}],
        }

    def message(self) -> bytes:
        """Return what the signature covers."""
        return pae(self.payload_type, self.payload)

    def key(self) -> PublicKey:
        """Return the public key that verifies the signature."""
        return public_key(self.verifier)


def public_key(verifier: Verifier) -> PublicKey:
    """Return the key of `verifier`."""
    if not isinstance(verifier, x509.Certificate):
        return verifier
    key = verifier.public_key()
    if not isinstance(key, PublicKey):
        raise TypeError("certificates are for ECDSA, Ed25519 and RSA keys here")
    return key


def body(kind: EntryKind, signed: Signed) -> Json:
    """Write the body of an entry of `kind` about `signed`."""
    return _BODIES[kind](signed)


def _dsse(signed: Signed) -> Json:
    return {
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": _hex_hash(rfc8785.dumps(signed.envelope())),
            "payloadHash": _hex_hash(signed.payload),
            "signatures": [
                {"signature": b64(signed.signature), "verifier": b64(_pem(signed))}
            ],
        },
    }


def _intoto(signed: Signed) -> Json:
    """Rekor holds the signature of such an entry as base64 of base64.

    Its ``hash`` is of the envelope as the client happened to write it.
    """
    signature = {
        "publicKey": b64(_pem(signed)),
        "sig": b64(b64(signed.signature).encode()),
    }
    return {
        "apiVersion": "0.0.2",
        "kind": "intoto",
        "spec": {
            "content": {
                "envelope": {
                    "payloadType": signed.payload_type,
                    "signatures": [signature],
                },
                "hash": _hex_hash(rfc8785.dumps(signed.envelope())),
                "payloadHash": _hex_hash(signed.payload),
            }
        },
    }


def _intoto_old(signed: Signed) -> Json:
    """What cosign 2 left in the log: the hash of the envelope as Go writes it."""
    envelope = signed.envelope()
    written = {
        "payloadType": envelope["payloadType"],
        "payload": envelope["payload"],
        "signatures": [{"keyid": "", **one} for one in envelope["signatures"]],
    }
    return {
        "apiVersion": "0.0.1",
        "kind": "intoto",
        "spec": {
            "content": {
                "hash": _hex_hash(json.dumps(written, separators=(",", ":")).encode()),
                "payloadHash": _hex_hash(signed.payload),
            },
            "publicKey": b64(_pem(signed)),
        },
    }


def _hashed(signed: Signed) -> Json:
    algorithm = message_hash(signed.key())
    return hashed_body(
        algorithm.name,
        digest(algorithm, signed.message()).hex(),
        signed.signature,
        _pem(signed),
    )


def hashed_body(algorithm: str, hexadecimal: str, signature: bytes, pem: bytes) -> Json:
    """Write the body of a `hashedrekord` of version 0.0.1.

    Args:
        algorithm: ``sha256`` and the like.
        hexadecimal: What was signed, hashed by it.
        signature: Over that.
        pem: The certificate or public key that verifies it.
    """
    return {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": algorithm, "value": hexadecimal}},
            "signature": {
                "content": b64(signature),
                "publicKey": {"content": b64(pem)},
            },
        },
    }


def _hashed_v2(signed: Signed) -> Json:
    hashed = digest(message_hash(signed.key()), signed.message())
    return hashed_v2_body(hashed, signed.signature, signed.verifier)


def hashed_v2_body(hashed: bytes, signature: bytes, verifier: Verifier) -> Json:
    """Write the body of a `hashedrekord` of version 0.0.2.

    Args:
        hashed: What was signed, by the hash that goes with the key.
        signature: Over that.
        verifier: A certificate or public key.
    """
    return {
        "apiVersion": "0.0.2",
        "kind": "hashedrekord",
        "spec": {
            "hashedRekordV002": {
                "data": _hash_output(hashed),
                "signature": _signature_v2(signature, verifier),
            }
        },
    }


def _dsse_v2(signed: Signed) -> Json:
    return {
        "apiVersion": "0.0.2",
        "kind": "dsse",
        "spec": {
            "dsseV002": {
                "payloadHash": _hash_output(sha256(signed.payload)),
                "signatures": [_signature_v2(signed.signature, signed.verifier)],
            }
        },
    }


def _hash_output(hashed: bytes) -> Json:
    return {"algorithm": f"SHA2_{8 * len(hashed)}", "digest": b64(hashed)}


def _signature_v2(signature: bytes, verifier: Verifier) -> Json:
    if isinstance(verifier, x509.Certificate):
        der = verifier.public_bytes(Encoding.DER)
        shown = {"x509Certificate": {"rawBytes": b64(der)}}
    else:
        shown = {"publicKey": {"rawBytes": b64(spki(verifier))}}
    details = key_details(public_key(verifier))
    return {"content": b64(signature), "verifier": {"keyDetails": details, **shown}}


_BODIES: MappingProxyType[EntryKind, Callable[[Signed], Json]] = MappingProxyType(
    {
        EntryKind.DSSE: _dsse,
        EntryKind.INTOTO: _intoto,
        EntryKind.INTOTO_OLD: _intoto_old,
        EntryKind.DSSE_V2: _dsse_v2,
        EntryKind.HASHED: _hashed,
        EntryKind.HASHED_V2: _hashed_v2,
    }
)


def _pem(signed: Signed) -> bytes:
    if isinstance(signed.verifier, x509.Certificate):
        return signed.verifier.public_bytes(Encoding.PEM)
    return signed.verifier.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _hex_hash(data: bytes) -> Json:
    return {"algorithm": "sha256", "value": sha256(data).hex()}
