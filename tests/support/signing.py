"""Signers and provers for tests of use cases: real keys, real signatures."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.adapters.proof.prover import BundleProver
from countersign.adapters.sign.key import KeySigner
from countersign.core.types.artifacts import Digest
from countersign.core.types.trust import TrustedKey, TrustRoot

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class At:
    """A clock that stands still."""

    def __init__(self, moment: datetime = NOON) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment."""
        return self._moment


class Keyring:
    """Persons with keys, and a trust root that knows all of them."""

    def __init__(self, *names: str) -> None:
        self._keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in names}

    def signer(self, name: str) -> KeySigner:
        """Return who signs as `name`."""
        return KeySigner(self._keys[name])

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return one trust root, ``keys``: so a keyring is a TrustBook."""
        keys = tuple(
            TrustedKey(
                name,
                key.public_key().public_bytes(
                    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
                ),
            )
            for name, key in self._keys.items()
        )
        digest = Digest.sha256(b"".join(key.pem for key in keys))
        return (TrustRoot(name="keys", digest=digest, keys=keys),)

    def prover(self, at: datetime = NOON) -> BundleProver:
        """Return a prover that trusts every key of this keyring."""
        return BundleProver(self, At(at))
