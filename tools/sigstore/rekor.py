"""The transparency logs: Rekor v1, which says when it took an entry, and v2.

A log starts empty with each start of the process. Its keys are what stays: proofs carry
all that a verifier needs, so old bundles keep verifying. What an entry says is not the
log's business (`entries`).

Source:
    RFC 6962 (the tree); C2SP tlog-checkpoint and signed-note (checkpoints);
    github.com/sigstore/rekor, openapi.yaml (v1); github.com/sigstore/rekor-tiles,
    CLIENTS.md (v2).
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tools.sigstore.encoding import b64, sha256, spki
from tools.sigstore.merkle import MerkleTree
from tools.sigstore.vault import SigningKey, Vault

Json = dict[str, Any]

_SHARD = 1_000_000  # v1 is sharded: an entry's index in the log is not that in its tree
_ED25519_NOTE = b"\x01"


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
        self,
        size: int,
        root: bytes,
        *,
        key: SigningKey | None = None,
        headline: str | None = None,
        more: str = "",
    ) -> str:
        """Sign that the tree of `size` leaves has the hash `root`.

        Args:
            size: Leaves.
            root: SHA-256 of the tree.
            key: Signs in place of the log's own, under its name.
            headline: The first line; None for the log's own.
            more: Further lines of the note, each ended.
        """
        note = f"{headline or self._headline()}\n{size}\n{b64(root)}\n{more}"
        return f"{note}\n{self.signature_line(note, key=key)}"

    def signature_line(
        self, note: str, *, key: SigningKey | None = None, name: str | None = None
    ) -> str:
        """Sign `note`, as a line of a signed note.

        Args:
            note: Its text, with the last newline.
            key: Signs in place of the log's own, under its key's hint.
            name: Of the signer; None for the log's own.
        """
        signature = self.log_id[:4] + sign(key or self.key, note.encode())
        return f"\u2014 {name or self.origin} {b64(signature)}\n"

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
        body: Json,
        *,
        at: datetime,
        checkpoint_key: SigningKey | None = None,
        promise_key: SigningKey | None = None,
    ) -> Json:
        """Log an entry, as bundles carry it.

        Args:
            body: What it says; the caller has verified it.
            at: When that happens; aware.
            checkpoint_key: Signs the checkpoint in place of the log's own key.
            promise_key: Signs the promise in place of the log's own key.
        """
        entry = self._entry(body, checkpoint_key)
        entry |= {
            "logIndex": str(int(entry["logIndex"]) + _SHARD),
            "integratedTime": str(int(at.timestamp())),
        }
        return {**entry, "inclusionPromise": self.promise(entry, key=promise_key)}

    def promise(self, entry: Json, *, key: SigningKey | None = None) -> Json:
        """Sign what `entry` says of its body, time and place.

        Args:
            entry: As bundles carry it.
            key: Signs in place of the log's own.
        """
        promised = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": self.log_id.hex(),
            "logIndex": int(entry["logIndex"]),
        }
        signature = sign(key or self.key, rfc8785.dumps(promised))
        return {"signedEntryTimestamp": b64(signature)}

    def _headline(self) -> str:
        tree_id = int.from_bytes(self.log_id[:8])
        return f"{self.origin} - {tree_id}"


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

    def add(self, body: Json, *, checkpoint_key: SigningKey | None = None) -> Json:
        """Log an entry, as bundles carry it.

        Args:
            body: What it says; the caller has verified it.
            checkpoint_key: Signs the checkpoint in place of the log's own key.
        """
        return self._entry(body, checkpoint_key)

    def _headline(self) -> str:
        return self.origin


def sign(key: SigningKey, data: bytes) -> bytes:
    """Sign as Sigstore's services do: Ed25519, or ECDSA over SHA-256."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))
