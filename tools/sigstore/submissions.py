"""What clients ask for, verified as the real services do before they certify or log it.

Source:
    github.com/sigstore/fulcio, fulcio.proto (v2);
    github.com/sigstore/rekor, openapi.yaml and pkg/types/*/*.json (v1);
    github.com/sigstore/rekor-tiles, rekor_service.proto (v2).
"""

import base64
import json
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_public_key,
)

from tools.sigstore.encoding import PublicKey
from tools.sigstore.entries import (
    EntryKind,
    Signed,
    Verifier,
    body,
    hashed_body,
    hashed_v2_body,
    public_key,
)
from tools.sigstore.keys import message_hash, verify_hashed, verify_message

Json = dict[str, Any]

_HASHES: MappingProxyType[str, hashes.HashAlgorithm] = MappingProxyType(
    {
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
)


def certified_key(wish: Json, subject: str) -> PublicKey:
    """Return the key that `wish` asks Fulcio to certify, proven to be the bearer's.

    Args:
        wish: A certificate signing request, as sigstore-python sends it, or a key and a
            signature over `subject`, as cosign does.
        subject: Of the bearer's token.

    Raises:
        InvalidSignature: It is not signed by the key in it.
        KeyError, TypeError, ValueError: It is neither.
    """
    if "certificateSigningRequest" in wish:
        pem = base64.b64decode(wish["certificateSigningRequest"])
        asked = x509.load_pem_x509_csr(pem)
        if not asked.is_signature_valid:
            raise ValueError("the request must be signed by the key in it")
        return _supported(asked.public_key())
    shown = wish["publicKeyRequest"]
    key = _supported(load_pem_public_key(shown["publicKey"]["content"].encode()))
    proof = base64.b64decode(shown["proofOfPossession"])
    verify_message(key, proof, subject.encode())
    return key


def v1_body(proposed: Json) -> Json:
    """Return the body of the entry that `proposed` asks Rekor v1 for.

    Raises:
        InvalidSignature: The proposed signature is not by the proposed verifier.
        KeyError, TypeError, ValueError: It is no such proposal.
    """
    kind = f"{proposed['kind']} {proposed['apiVersion']}"
    if kind not in _V1:
        raise ValueError(f"this log takes {', '.join(_V1)} only, not {kind}")
    return _V1[kind](proposed["spec"])


def v2_body(proposed: Json) -> Json:
    """Return the body of the entry that `proposed` asks Rekor v2 for.

    Raises:
        InvalidSignature: The proposed signature is not by the proposed verifier.
        KeyError, TypeError, ValueError: It is no such proposal.
    """
    request = proposed["hashedRekordRequestV002"]
    shown = request["signature"]["verifier"]
    verifier: Verifier
    if "x509Certificate" in shown:
        der = base64.b64decode(shown["x509Certificate"]["rawBytes"])
        verifier = x509.load_der_x509_certificate(der)
    else:
        der = base64.b64decode(shown["publicKey"]["rawBytes"])
        verifier = _supported(load_der_public_key(der))
    hashed = base64.b64decode(request["digest"])
    signature = base64.b64decode(request["signature"]["content"])
    key = public_key(verifier)
    verify_hashed(key, signature, hashed, message_hash(key))
    return hashed_v2_body(hashed, signature, verifier)


def _dsse(spec: Json) -> Json:
    content = spec["proposedContent"]
    envelope = json.loads(content["envelope"])
    (pem,) = content["verifiers"]
    (signature,) = envelope["signatures"]
    payload = base64.b64decode(envelope["payload"])
    return _logged(EntryKind.DSSE, envelope, payload, signature["sig"], pem)


def _intoto(spec: Json) -> Json:
    envelope = spec["content"]["envelope"]
    (signature,) = envelope["signatures"]
    payload = base64.b64decode(base64.b64decode(envelope["payload"]))
    inner = base64.b64decode(signature["sig"]).decode()
    logged = _logged(EntryKind.INTOTO, envelope, payload, inner, signature["publicKey"])
    logged["spec"]["content"]["hash"] = spec["content"]["hash"]
    return logged


def _logged(
    kind: EntryKind, envelope: Json, payload: bytes, signature: str, pem: str
) -> Json:
    signed = Signed(
        payload_type=envelope["payloadType"],
        payload=payload,
        signature=base64.b64decode(signature),
        verifier=_verifier(base64.b64decode(pem)),
    )
    verify_message(signed.key(), signed.signature, signed.message())
    return body(kind, signed)


def _hashed(spec: Json) -> Json:
    claimed = spec["data"]["hash"]
    pem = base64.b64decode(spec["signature"]["publicKey"]["content"])
    signature = base64.b64decode(spec["signature"]["content"])
    verify_hashed(
        public_key(_verifier(pem)),
        signature,
        bytes.fromhex(claimed["value"]),
        _HASHES[claimed["algorithm"]],
    )
    return hashed_body(claimed["algorithm"], claimed["value"], signature, pem)


_V1: MappingProxyType[str, Callable[[Json], Json]] = MappingProxyType(
    {
        EntryKind.DSSE.value: _dsse,
        EntryKind.INTOTO.value: _intoto,
        EntryKind.HASHED.value: _hashed,
    }
)


def _verifier(pem: bytes) -> Verifier:
    if b"BEGIN CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem)
    return _supported(load_pem_public_key(pem))


def _supported(key: object) -> PublicKey:
    if not isinstance(key, PublicKey):
        raise TypeError("expected a key for ECDSA, Ed25519 or RSA")
    return key
