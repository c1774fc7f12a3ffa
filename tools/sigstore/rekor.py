"""The transparency logs: Rekor v1 (`dsse` entries) and v2 (`hashedrekord` entries).

A log starts empty with each start of the process. Its keys are what stays: proofs carry
all that a verifier needs, so old bundles keep verifying.

Source:
    RFC 6962 (the tree); C2SP tlog-checkpoint and signed-note (checkpoints);
    github.com/sigstore/rekor, pkg/types/dsse/v0.0.1 (v1 entries) and
    github.com/sigstore/rekor-tiles, CLIENTS.md (v2 entries).
"""

import base64
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from tools.sigstore.encoding import b64, pae, sha256, spki
from tools.sigstore.merkle import MerkleTree
from tools.sigstore.vault import SigningKey, Vault

Json = dict[str, Any]

_SHARD = 1_000_000  # v1 is sharded: an entry's index in the log is not that in its tree
_ED25519_NOTE = b"\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature, as a log sees it.

    Attributes:
        digest: SHA-256 of what it covers.
        value: The signature.
        certificate: Of the signer.
    """

    digest: bytes
    value: bytes
    certificate: x509.Certificate

    def verify(self) -> None:
        """Check the signature, as a log does before it takes an entry.

        Raises:
            InvalidSignature: It is not the certificate's over this digest.
            ValueError: The certificate's key is no ECDSA key.
        """
        key = self.certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("this log takes signatures by ECDSA keys only")  # noqa: TRY004  what the client sent is at fault
        key.verify(self.value, self.digest, ec.ECDSA(Prehashed(hashes.SHA256())))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEnvelope:
    """A DSSE envelope with one signature.

    Attributes:
        payload_type: Of the payload.
        payload: Its bytes.
        signature: The one over both.
    """

    payload_type: str
    payload: bytes
    signature: Signature

    @classmethod
    def parse(cls, envelope: Json, certificate: x509.Certificate) -> "SignedEnvelope":
        """Read what :meth:`document` writes, signed by the owner of `certificate`."""
        payload = base64.b64decode(envelope["payload"])
        (signature,) = envelope["signatures"]
        return cls(
            payload_type=envelope["payloadType"],
            payload=payload,
            signature=Signature(
                digest=sha256(pae(envelope["payloadType"], payload)),
                value=base64.b64decode(signature["sig"]),
                certificate=certificate,
            ),
        )

    @classmethod
    def sign(
        cls,
        payload_type: str,
        payload: bytes,
        key: ec.EllipticCurvePrivateKey,
        certificate: x509.Certificate,
    ) -> "SignedEnvelope":
        """Sign `payload` with `key`, which `certificate` is for."""
        message = pae(payload_type, payload)
        return cls(
            payload_type=payload_type,
            payload=payload,
            signature=Signature(
                digest=sha256(message),
                value=key.sign(message, ec.ECDSA(hashes.SHA256())),
                certificate=certificate,
            ),
        )

    def document(self) -> Json:
        """Write the envelope as JSON."""
        return {
            "payload": b64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"sig": b64(self.signature.value)}],
        }


class TransparencyLog(ABC):
    """An append-only log that proves its entries.

    Attributes:
        origin: The log's name in its checkpoints.
        key: Signs checkpoints and promises.
        log_id: By which verifiers find the key.
    """

    def __init__(self, origin: str, key: SigningKey, log_id: bytes) -> None:
        self.origin = origin
        self.key = key
        self.log_id = log_id
        self._tree = MerkleTree()

    def checkpoint(
        self, size: int, root: bytes, *, key: SigningKey | None = None
    ) -> str:
        """Sign that the tree of `size` leaves has the hash `root`.

        Args:
            size: Leaves.
            root: SHA-256 of the tree.
            key: Signs in place of the log's own, under its name.
        """
        note = f"{self._headline()}\n{size}\n{b64(root)}\n"
        signature = self.log_id[:4] + sign(key or self.key, note.encode())
        return f"{note}\n\u2014 {self.origin} {b64(signature)}\n"

    @abstractmethod
    def _headline(self) -> str:
        """Return the first line of a checkpoint."""

    def _entry(self, body: Json, key: SigningKey | None) -> Json:
        canonical = rfc8785.dumps(body)
        index = self._tree.append(canonical)
        size, root = len(self._tree), self._tree.root()
        return {
            "logIndex": str(index),
            "logId": {"keyId": b64(self.log_id)},
            "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": b64(root),
                "treeSize": str(size),
                "hashes": [b64(sibling) for sibling in self._tree.proof(index)],
                "checkpoint": {"envelope": self.checkpoint(size, root, key=key)},
            },
            "canonicalizedBody": b64(canonical),
        }


class RekorV1(TransparencyLog):
    """A log that also promises inclusion, and says when it took the entry.

    Args:
        vault: Keeps the key.
        name: The host's name, which is the log's.
    """

    def __init__(self, vault: Vault, name: str) -> None:
        key = vault.ecdsa("rekor-v1", ec.SECP256R1())
        super().__init__(name, key, sha256(spki(key.public_key())))

    def add(
        self,
        signed: SignedEnvelope,
        *,
        at: datetime,
        checkpoint_key: SigningKey | None = None,
        promise_key: SigningKey | None = None,
    ) -> Json:
        """Log a `dsse` entry of version 0.0.1, as bundles carry it.

        Args:
            signed: An envelope; the caller has verified it.
            at: When that happens; aware.
            checkpoint_key: Signs the checkpoint in place of the log's own key.
            promise_key: Signs the promise in place of the log's own key.
        """
        entry = self._entry(self._body(signed), checkpoint_key)
        index = int(entry["logIndex"]) + _SHARD
        promised = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(at.timestamp()),
            "logID": self.log_id.hex(),
            "logIndex": index,
        }
        promise = sign(promise_key or self.key, rfc8785.dumps(promised))
        return {
            **entry,
            "logIndex": str(index),
            "integratedTime": str(promised["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": b64(promise)},
        }

    def _headline(self) -> str:
        tree_id = int.from_bytes(self.log_id[:8])
        return f"{self.origin} - {tree_id}"

    @staticmethod
    def _body(signed: SignedEnvelope) -> Json:
        verifier = signed.signature.certificate.public_bytes(Encoding.PEM)
        return {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": _hex_hash(rfc8785.dumps(signed.document())),
                "payloadHash": _hex_hash(signed.payload),
                "signatures": [
                    {
                        "signature": b64(signed.signature.value),
                        "verifier": b64(verifier),
                    }
                ],
            },
        }


class RekorV2(TransparencyLog):
    """A log that knows no time: a time-stamping authority says when.

    Args:
        vault: Keeps the key.
        name: The host's name, which is the log's.
    """

    def __init__(self, vault: Vault, name: str) -> None:
        key = vault.ed25519("rekor-v2")
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        super().__init__(name, key, sha256(name.encode() + b"\n" + _ED25519_NOTE + raw))

    def add(
        self, signature: Signature, *, checkpoint_key: SigningKey | None = None
    ) -> Json:
        """Log a `hashedrekord` entry of version 0.0.2, as bundles carry it.

        Args:
            signature: Over what a DSSE signature covers; the caller has verified it.
            checkpoint_key: Signs the checkpoint in place of the log's own key.
        """
        return self._entry(self._body(signature), checkpoint_key)

    def _headline(self) -> str:
        return self.origin

    @staticmethod
    def _body(signature: Signature) -> Json:
        certificate = signature.certificate.public_bytes(Encoding.DER)
        return {
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {
                "hashedRekordV002": {
                    "data": {
                        "algorithm": "SHA2_256",
                        "digest": b64(signature.digest),
                    },
                    "signature": {
                        "content": b64(signature.value),
                        "verifier": {
                            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                            "x509Certificate": {"rawBytes": b64(certificate)},
                        },
                    },
                }
            },
        }


def sign(key: SigningKey, data: bytes) -> bytes:
    """Sign as Sigstore's services do: Ed25519, or ECDSA over SHA-256."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _hex_hash(data: bytes) -> Json:
    return {"algorithm": "sha256", "value": sha256(data).hex()}
