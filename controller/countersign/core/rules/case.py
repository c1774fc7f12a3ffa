"""One request before one policy, with all that is known about it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from countersign.core.types.artifacts import Digest, ObjectRef, Subject
from countersign.core.types.bound import BoundChange, BoundIntent
from countersign.core.types.evidence import (
    Build,
    Declaration,
    Evidence,
    Provenance,
    Result,
    SignOff,
)
from countersign.core.types.people import CertIdentity, Identity
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.verdict import Facts, Finding, Reason

C = TypeVar("C", Provenance, Declaration, SignOff, Build)


@dataclass(frozen=True, slots=True)
class Said(Generic[C]):
    """Evidence together with its claim, so that the kind of claim is in the type."""

    evidence: Evidence
    claim: C


def said(evidence: Iterable[Evidence], kind: type[C]) -> tuple[Said[C], ...]:
    """Pick the claims of `kind`: each once, in an order that the caller cannot choose."""
    ordered = sorted(
        set(evidence), key=lambda e: (e.bundle, e.statement, str(e.signer))
    )
    return tuple(Said(e, e.claim) for e in ordered if isinstance(e.claim, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request before one policy.

    Attributes:
        change: The request.
        policy: The policy that judges it.
        sign_offs: Approvals among the supporting evidence.
        provenance: Collectors' statements among it, trusted or not.
        declarations: Authors' words among it.
        builds: Builders' statements among it, trusted or not.
        adverse: Provenance that counts against, trusted or not.
        adverse_builds: Builders' statements by which it does, trusted or not.
        rejections: Rejections among the adverse evidence.
        revoked: What was withdrawn.
        at: The moment of admission, UTC.
        object_ground: Provenance statements that begin at something approved, as far as
            the object goes (`anchors.on_ground`).
        image_ground: The same for the images it newly runs.
    """

    change: BoundChange
    policy: Policy
    sign_offs: tuple[Said[SignOff], ...]
    provenance: tuple[Said[Provenance], ...]
    declarations: tuple[Said[Declaration], ...]
    builds: tuple[Said[Build], ...]
    adverse: tuple[Said[Provenance], ...]
    adverse_builds: tuple[Said[Build], ...]
    rejections: tuple[Said[SignOff], ...]
    revoked: frozenset[Revoked]
    at: datetime
    object_ground: frozenset[Digest] = frozenset()
    image_ground: frozenset[Digest] = frozenset()

    @classmethod
    def of(
        cls,
        change: BoundChange,
        policy: Policy,
        *,
        supporting: Collection[Evidence],
        adverse: Collection[Evidence],
        revoked: Collection[Revoked],
        at: datetime,
    ) -> "Case":
        """Sort the evidence by what it says; what supports nothing here is left out."""
        return cls(
            change=change,
            policy=policy,
            sign_offs=with_result(supporting, Result.APPROVED),
            provenance=said(supporting, Provenance),
            declarations=said(supporting, Declaration),
            builds=said(supporting, Build),
            adverse=said(adverse, Provenance),
            adverse_builds=said(adverse, Build),
            rejections=with_result(adverse, Result.REJECTED),
            revoked=frozenset(revoked),
            at=at,
        )

    @property
    def old(self) -> tuple[Evidence, ...]:
        """Evidence that the old object carries; empty on CREATE."""
        return self.change.old.evidence if self.change.old else ()

    @property
    def old_intents(self) -> frozenset[BoundIntent]:
        """Intents that the old object equals; empty on CREATE."""
        return self.change.old.intents if self.change.old else frozenset()

    @property
    def old_images(self) -> frozenset[Digest]:
        """Digests of the images that the old object runs; empty on CREATE."""
        return self.change.old.images if self.change.old else frozenset()

    def finding(
        self,
        reason: Reason,
        facts: Facts = None,
        about: ObjectRef | Subject | None = None,
    ) -> Finding:
        """Say that this policy is not met, by default about the object."""
        return Finding(
            policy=self.policy.name,
            reason=reason,
            about=about or self.change.object,
            facts=facts,
            enforcement=self.policy.enforcement,
        )


def with_result(
    evidence: Iterable[Evidence], result: Result
) -> tuple[Said[SignOff], ...]:
    """Pick the sign-offs with `result`."""
    return tuple(s for s in said(evidence, SignOff) if s.claim.result is result)


def signer(identity: Identity) -> str:
    """Write an identity as facts hold it: issuer and SAN, or trust root and key."""
    if isinstance(identity, CertIdentity):
        return f"{identity.issuer} {identity.san}"
    return f"{identity.trust_root} {identity.key}"


def git_digests(evidence: Evidence) -> frozenset[Digest]:
    """Return the commits and trees that `evidence` speaks of."""
    return frozenset(d for d in evidence.digests if d.algorithm.value.startswith("git"))
