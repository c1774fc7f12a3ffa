"""Identities that a policy trusts to speak, and about what."""

from dataclasses import dataclass

from countersign.core.errors import Malformed
from countersign.core.types.evidence import Evidence
from countersign.core.types.globs import glob
from countersign.core.types.people import KeyIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestor:
    """An identity that a policy trusts to speak, and about what.

    Attributes:
        name: For people.
        key: A named key, or None.
        issuer: Exact OIDC issuer, ``""`` for keys.
        san: Subject alternative name; a ``*`` crosses neither ``/`` nor ``@``.
        trust_root: Name of the trust root the proof must come from.
        source_repositories: Repositories a certificate may speak about; not empty for
            certificates.
        refs, triggers, runner_environments: Further pins; empty asks nothing.

    Raises:
        Malformed: neither or both of key and issuer, or a certificate without
            repositories: a reusable workflow has the same SAN whoever calls it.
    """

    name: str
    trust_root: str
    key: str = ""
    issuer: str = ""
    san: str = ""
    source_repositories: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    runner_environments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.key) == bool(self.issuer):
            raise Malformed(f"{self.name}: expected a key, or an issuer with its san")
        if self.issuer and not (self.san and self.source_repositories):
            raise Malformed(
                f"{self.name}: expected san and sourceRepositories beside the issuer"
            )

    def made(self, evidence: Evidence) -> bool:
        """Tell whether `evidence` is signed by this attestor, pins included."""
        signer, said = evidence.signer, evidence.certificate
        if isinstance(signer, KeyIdentity):
            return signer == KeyIdentity(self.trust_root, self.key)
        if not self.issuer or said is None:
            return False
        pins = (
            (self.source_repositories, said.source_repository),
            (self.refs, said.source_ref),
            (self.triggers, said.build_trigger),
            (self.runner_environments, said.runner_environment),
        )
        return (
            signer.trust_root == self.trust_root
            and signer.issuer == self.issuer
            and glob(self.san, "/@").fullmatch(signer.san) is not None
            and all(not allowed or value in allowed for allowed, value in pins)
        )
