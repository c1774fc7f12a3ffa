"""Signing with a private key from a file."""

import asyncio
from collections.abc import Callable, Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from countersign.adapters.sign.failures import failure
from countersign.adapters.signatures import (
    PrivateKey,
    fingerprint,
    sign,
    supported_private,
)
from countersign.core.errors import Malformed
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope, signed_bytes

Stamp = Callable[[bytes], Sequence[bytes]]


class KeySigner:
    """Signs with a key.

    Args:
        key: See `load_key`.
        stamp: Has a signature stamped, and blocks meanwhile
            (`SigstoreConfig.stamps`); None: nobody says when it was made.

    Attributes:
        identity: The key's fingerprint: for people to see before they sign.
    """

    def __init__(self, key: PrivateKey, stamp: Stamp | None = None) -> None:
        self._key = key
        self._stamp = stamp
        self.identity = fingerprint(key.public_key())

    async def sign(self, statement: bytes) -> bytes:
        """Wrap `statement` in DSSE, sign it and return a Sigstore bundle (v0.3 JSON).

        Raises:
            Unavailable: the time-stamping authority did not answer.
            Rejected: it refused.
        """
        return await asyncio.to_thread(self._sign, statement)

    def _sign(self, statement: bytes) -> bytes:
        signature = sign(self._key, signed_bytes(statement))
        stamps = self._stamped(signature)
        return render_key_bundle(Envelope(statement, signature), self.identity, stamps)

    def _stamped(self, signature: bytes) -> Sequence[bytes]:
        if self._stamp is None:
            return ()
        try:
            return self._stamp(signature)
        except Exception as error:
            raise failure(error, "the time-stamping authority") from error


def load_key(pem: bytes, passphrase: str) -> PrivateKey:
    """Read a private key: PKCS#8 in PEM, encrypted or not.

    Args:
        pem: The file.
        passphrase: For an encrypted one; ignored for others.

    Raises:
        Malformed: it is none, of a kind nobody verifies, or the passphrase is wrong.
    """
    locked = b"BEGIN ENCRYPTED PRIVATE KEY" in pem
    if locked and not passphrase:
        raise Malformed("expected a passphrase for the encrypted private key, saw none")
    try:
        key = load_pem_private_key(pem, passphrase.encode() if locked else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        expected = "the right passphrase" if locked else "a private key as PKCS#8 PEM"
        raise Malformed(f"expected {expected}") from error
    return supported_private(key)
