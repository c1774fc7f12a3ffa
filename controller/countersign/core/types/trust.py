"""Trust material: what proofs are checked against. Proof is not trust (ADR 0003)."""

from dataclasses import dataclass

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.core.types.time import ALWAYS, Interval


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A named public key: SubjectPublicKeyInfo in PEM, and when it may sign."""

    name: str
    pem: bytes
    valid: Interval = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """One named trust root.

    Attributes:
        name: Of the TrustRoot object; identities name it.
        digest: Of its material: part of every cache key.
        sigstore: A ``trusted_root.json`` (Fulcio, Rekor, CT log, TSA), or None.
        keys: Named keys; names are unique.

    Raises:
        Malformed: there is nothing to trust in it, or a key's name stands twice.
    """

    name: str
    digest: Digest
    sigstore: bytes | None = None
    keys: tuple[TrustedKey, ...] = ()

    def __post_init__(self) -> None:
        names = [key.name for key in self.keys]
        if self.sigstore is None and not names:
            raise Malformed(f"trust root {self.name}: expected sigstore or keys")
        if len(set(names)) != len(names):
            raise Malformed(f"trust root {self.name}: expected each key name once")
