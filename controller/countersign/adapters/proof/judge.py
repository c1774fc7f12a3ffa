"""One bundle under all trust roots: a proof, or why there is none.

Runs in a thread, and what a library throws at odd input is a rejection like any other.
Nothing in here depends on the present, so results can be remembered: all but that there
was no memory, which says nothing about the bundle and is raised.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from countersign.adapters.proof.binding import require_bound
from countersign.adapters.proof.key import KeyScheme, NamedKey
from countersign.adapters.proof.keyless import prove_keyless
from countersign.adapters.proof.log import logged
from countersign.adapters.proof.stamps import claimed_times, stamped_at
from countersign.adapters.proof.trusted_root import (
    TrustedRoot,
    parse_trusted_root,
    trusted_chains,
)
from countersign.core.errors import Foreign, Malformed, Rejected, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import CertificateClaims, Evidence
from countersign.core.types.people import CertIdentity, KeyIdentity
from countersign.core.types.time import ALWAYS, Interval
from countersign.core.types.trust import TrustRoot
from countersign.wire.attestation import Attestation, parse_attestation
from countersign.wire.bundle import Bundle, parse_bundle

_VERSION = b"2"  # of these rules: raised with each change of what they accept
_MAX_REASON = 400  # characters of a refusal; it may end up in a denial
_MAX_EACH = 200  # of what one trust root says


@dataclass(frozen=True, slots=True)
class Proof:
    """What a bundle proves, now and later, as long as `valid` holds.

    Attributes:
        evidence: The facts.
        valid: Must hold at the moment of asking: the window of a key whose signature
            nobody trusted has dated. Open for all others.
    """

    evidence: Evidence
    valid: Interval = ALWAYS


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a bundle proves nothing.

    Attributes:
        malformed: It is no bundle at all; else its proof does not hold.
        reason: Expected and seen.
        foreign: It is malformed for us only: it says what countersign does not read.
    """

    malformed: bool
    reason: str
    foreign: bool = False


Outcome: TypeAlias = Proof | Refusal


class RootMaterial:
    """One trust root, ready for use. Reading it is put off until it is needed.

    Args:
        root: As configured.
    """

    def __init__(self, root: TrustRoot) -> None:
        self.root = root

    @cached_property
    def keys(self) -> KeyScheme:
        """The named keys; maybe none."""
        return KeyScheme(self.root.keys)

    @cached_property
    def authorities(self) -> TrustedRoot:
        """Those who issue, promise, log and stamp; maybe none.

        Raises:
            Malformed: they cannot be read.
        """
        if self.root.tsa_only is not None:
            return trusted_chains(self.root.tsa_only)
        if self.root.sigstore is not None:
            return parse_trusted_root(self.root.sigstore)
        return TrustedRoot(issuers=())


class Material:
    """All trust roots, ready for use.

    Args:
        roots: In the order in which they are tried.
        known: Of an earlier set; what has not changed is used again.

    Attributes:
        items: The trust roots, in that order.
        digest: Of all of them: what results are remembered under.
    """

    items: tuple[RootMaterial, ...]

    def __init__(
        self, roots: tuple[TrustRoot, ...], known: "Material | None" = None
    ) -> None:
        ready: Mapping[TrustRoot, RootMaterial] = (
            {item.root: item for item in known.items} if known else {}
        )
        self.items = tuple(ready.get(root) or RootMaterial(root) for root in roots)
        text = "".join(f"{root.name} {root.digest}\n" for root in roots).encode()
        self.digest = hashlib.sha256(_VERSION + b"\n" + text).digest()


def judge(raw: bytes, material: Material) -> Outcome:
    """Verify `raw` under the trust roots of `material`; the first that holds counts.

    Raises:
        Unavailable: there was no memory to do it with.
    """
    try:
        return _judged(raw, material)
    except MemoryError as error:
        raise Unavailable("expected memory to verify a bundle in, saw none") from error
    except BaseException as error:  # noqa: BLE001  a panic in Rust is no Exception
        return Refusal(malformed=False, reason=_short(error))


def _judged(raw: bytes, material: Material) -> Outcome:
    try:
        bundle = parse_bundle(raw)
        attestation = parse_attestation(bundle.envelope.payload)
    except Malformed as error:
        foreign = isinstance(error, Foreign)
        return Refusal(malformed=True, reason=_short(error), foreign=foreign)
    if bundle.certificate is not None:
        return _by_certificate(bundle, bundle.certificate, attestation, material)
    return _by_key(bundle, bundle.key_hint or "", attestation, material)


def _by_certificate(
    bundle: Bundle, certificate: bytes, attestation: Attestation, material: Material
) -> Outcome:
    roots = [item for item in material.items if item.root.issues]

    def prove(item: RootMaterial) -> Proof:
        owner, signed_at = prove_keyless(item.authorities, bundle, certificate)
        signer = CertIdentity(item.root.name, owner.issuer, owner.san)
        return Proof(_evidence(bundle, attestation, signer, owner.claims, signed_at))

    return _first(roots, prove, "certificate authorities")


def _by_key(
    bundle: Bundle, hint: str, attestation: Attestation, material: Material
) -> Outcome:
    roots = [item for item in material.items if item.root.keys]

    def prove(item: RootMaterial) -> Proof:
        key = item.keys.prove(bundle, hint)
        signed_at = _dated(bundle, key, material)
        if signed_at is not None and not key.valid.holds(signed_at):
            raise Rejected(f"expected key {key.name} to be valid at {signed_at}")
        signer = KeyIdentity(item.root.name, key.name)
        return Proof(
            _evidence(bundle, attestation, signer, None, signed_at),
            valid=key.valid if signed_at is None else ALWAYS,
        )

    return _first(roots, prove, "keys")


def _dated(bundle: Bundle, key: NamedKey, material: Material) -> datetime | None:
    """Return when `key` signed, by logs and stampers of any trust root; None: unsaid.

    Raises:
        Rejected: the log entry or a stamp does not hold.
    """
    if not bundle.stamps and bundle.log_entry is None:
        return None
    roots = _readable(material)
    moments = claimed_times(bundle)
    stampers = [one for root in roots for one in root.stampers]
    for stamp in bundle.stamps:
        stamped_at(stamp, bundle.envelope, stampers)
    if bundle.log_entry is not None:
        logs = [log for root in roots for log in root.logs]
        says = logged(bundle.log_entry, logs, moments)
        require_bound(says, bundle.envelope, key.key, None)
    return min(moments, default=None)


def _readable(material: Material) -> list[TrustedRoot]:
    """Return the authorities of all trust roots; those of one that is broken say nothing.

    They are not the key's: another's broken trust root must not take its word away.
    """
    found = []
    for item in material.items:
        if item.root.issues:
            with suppress(Malformed):
                found.append(item.authorities)
    return found


def _first(
    roots: list[RootMaterial], prove: Callable[[RootMaterial], Proof], needed: str
) -> Outcome:
    """Return the first proof, or what every trust root says against it."""
    reasons = []
    for item in roots:
        try:
            return prove(item)
        except MemoryError:  # of the machine, not of the bundle
            raise
        except Exception as error:  # noqa: BLE001 - doubt rejects, whoever raised it
            reasons.append(f"{item.root.name}: {_short(error)[:_MAX_EACH]}")
    reason = "; ".join(reasons) or f"expected a trust root with {needed}, saw none"
    return Refusal(malformed=False, reason=reason[:_MAX_REASON])


def _evidence(
    bundle: Bundle,
    attestation: Attestation,
    signer: CertIdentity | KeyIdentity,
    certificate: CertificateClaims | None,
    signed_at: datetime | None,
) -> Evidence:
    return Evidence(
        bundle=Digest.sha256(bundle.raw),
        statement=Digest.sha256(bundle.envelope.payload),
        subjects=attestation.subjects,
        claim=attestation.claim,
        signer=signer,
        certificate=certificate,
        signed_at=signed_at,
    )


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:_MAX_REASON]
