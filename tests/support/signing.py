"""Persons with keys, for tests of use cases: real signatures, proven for real."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.adapters.proof.prover import BundleProver
from countersign.adapters.sign.key import KeySigner
from tests.support.proving import FixedClock, key_root, prover

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = FixedClock(NOON)


class Keyring:
    """A key for each person, and a prover that trusts all of them."""

    def __init__(self, *names: str) -> None:
        self._keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in names}

    def signer(self, name: str) -> KeySigner:
        """Return who signs as `name`."""
        return KeySigner(self._keys[name])

    def prover(self) -> BundleProver:
        """Return a prover, at noon, whose trust root ``keys`` has every key."""
        pems = {
            name: key.public_key().public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            )
            for name, key in self._keys.items()
        }
        return prover(key_root("keys", **pems), at=NOON)
