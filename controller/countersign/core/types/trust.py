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
class TsaOnly:
    """A certificate authority and a time-stamping authority, without logs.

    Attributes:
        certificate_chain: Of the certificate authority, PEM: whoever issues first, each
            issued by the next, root last.
        tsa_chain: Of the time-stamping authority, PEM: the stamping certificate first,
            root last.
    """

    certificate_chain: bytes
    tsa_chain: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """One named trust root.

    Attributes:
        name: Of the TrustRoot object; identities name it.
        digest: Of its material: part of every cache key.
        sigstore: A ``trusted_root.json`` (Fulcio, Rekor, CT log, TSA), or None.
        tsa_only: In its place: authorities that keep no logs, or None.
        keys: Named keys; names are unique.

    Raises:
        Malformed: there is nothing to trust in it, two sets of authorities, or a key's
            name stands twice.
    """

    name: str
    digest: Digest
    sigstore: bytes | None = None
    tsa_only: TsaOnly | None = None
    keys: tuple[TrustedKey, ...] = ()

    def __post_init__(self) -> None:
        names = [key.name for key in self.keys]
        if not self.issues and not names:
            raise Malformed(f"trust root {self.name}: expected authorities or keys")
        if self.sigstore is not None and self.tsa_only is not None:
            raise Malformed(f"trust root {self.name}: expected sigstore or tsaOnly")
        if len(set(names)) != len(names):
            raise Malformed(f"trust root {self.name}: expected each key name once")

    @property
    def issues(self) -> bool:
        """Whether it names authorities, besides keys."""
        return self.sigstore is not None or self.tsa_only is not None
