"""Proof by certificate: Sigstore's keyless signatures, with a log or with stamps alone.

The recipe, for one trust root:

1. The signature has times: the log's promise, stamps, or both. Without one there is
   nothing to judge by.
2. Every stamp holds, by an authority in use at all of these times (`stamps`).
3. The certificate leads to an authority in use and valid at all of them, and is for code
   signing (`chain`).
4. Where the trust root names CT logs, one in use promised the certificate (`sct`).
5. The certificate's key signed the envelope. Payload type and count of signatures were
   asked when the bundle was read (`countersign.wire.bundle`).
6. Where the trust root names transparency logs, one in use holds an entry, or promised to
   (`log`), and that entry is of this envelope and certificate (`binding`). An entry that
   no log of the trust root vouches for is refused, needed or not.
7. The certificate names one owner, in one way (`certificate`).

Whether the owner counts is the law's question; times in the future are the caller's,
since they depend on the present.

Source:
    Sigstore's client specification, "Verification"; sigstore-python's `Verifier`, which
    agrees on what both can judge (tests/unit/adapters/proof).
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from countersign.adapters.proof.binding import require_bound
from countersign.adapters.proof.certificate import Owner, owner_of
from countersign.adapters.proof.chain import CODE_SIGNING, Authority
from countersign.adapters.proof.log import logged
from countersign.adapters.proof.sct import require_promise
from countersign.adapters.proof.stamps import claimed_times, stamped_at
from countersign.adapters.proof.trusted_root import TrustedRoot
from countersign.adapters.signatures import supported_public, verify
from countersign.core.errors import Rejected
from countersign.wire.bundle import Bundle
from countersign.wire.envelope import signed_bytes


def prove_keyless(
    root: TrustedRoot, bundle: Bundle, certificate: bytes
) -> tuple[Owner, datetime]:
    """Return who signed and when, at the latest, that was.

    Args:
        root: Whom to believe.
        bundle: With a certificate.
        certificate: That one, DER.

    Raises:
        Rejected: the proof does not hold.
        Exception: whatever the libraries leak on odd input; it means the same.
    """
    if root.logged and bundle.log_entry is None:
        raise Rejected("expected an entry of a transparency log, saw none")
    moments = claimed_times(bundle)
    if not moments:
        raise Rejected("expected a time promised by the log or stamped, saw none")
    _require_stamps(bundle, root, moments)
    leaf = _leaf(certificate)
    issuer = _issuer(leaf, root, moments)
    if root.promised:
        require_promise(leaf, issuer, root.ct_logs, moments)
    key = supported_public(leaf.public_key())
    verify(key, bundle.envelope.signature, signed_bytes(bundle.envelope.payload))
    if bundle.log_entry is not None:
        says = logged(bundle.log_entry, root.logs, moments)
        require_bound(says, bundle.envelope, key, certificate)
    return owner_of(leaf), min(moments)


def _leaf(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(certificate)
    except ValueError as error:
        raise Rejected("expected a certificate in DER") from error


def _require_stamps(bundle: Bundle, root: TrustedRoot, moments: list[datetime]) -> None:
    if bundle.stamps:
        stampers = _in_use(root.stampers, moments, "time-stamping authority")
        for stamp in bundle.stamps:
            stamped_at(stamp, bundle.envelope, stampers)


def _issuer(
    leaf: x509.Certificate, root: TrustedRoot, moments: list[datetime]
) -> x509.Certificate:
    """Return who issued `leaf`: the first authority by which all holds."""
    *others, last = _in_use(root.issuers, moments, "certificate authority")
    for authority in others:
        try:
            return authority.issuer_of(leaf, CODE_SIGNING, moments)
        except Rejected:
            continue
    return last.issuer_of(leaf, CODE_SIGNING, moments)


def _in_use(
    authorities: Sequence[Authority], moments: list[datetime], what: str
) -> list[Authority]:
    used = [
        authority
        for authority in authorities
        if all(authority.window.holds(moment) for moment in moments)
    ]
    if not used:
        raise Rejected(f"expected a {what} in use at {min(moments)}, saw none")
    return used
