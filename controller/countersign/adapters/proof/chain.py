"""Certificate chains: from a signer's certificate to an authority of a trust root.

`cryptography` verifies chains by the rules of the web, which know no leaf of Ed25519 and
no purpose but TLS. So the rules stand here, one by one. Everything is asked at the times
at which the signature is proven to have existed, never at present.

Source:
    RFC 5280, section 6.1; Sigstore's certificate specification; crypto/x509 of Go,
    ``Certificate.Verify``, for what RFC 5280 leaves open.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from countersign.adapters.signatures import supported_public
from countersign.core.errors import Malformed, Rejected
from countersign.core.types.time import ALWAYS, Interval

CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING

MAX_AUTHORITY = 8  # certificates of one; the longest in use has three

_ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
_STRONG = hashes.SHA256, hashes.SHA384, hashes.SHA512  # no SHA-1 under a certificate
_UNDERSTOOD = frozenset(  # what a critical extension may be without a refusal
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Authority:
    """One that issues certificates.

    Attributes:
        certificates: Its own, each issued by the next; the last is trusted as it is.
            At least one, at most `MAX_AUTHORITY`.
        window: When they are, or were, in use.

    Raises:
        Malformed: there are none, or too many.
    """

    certificates: tuple[x509.Certificate, ...]
    window: Interval = ALWAYS

    def __post_init__(self) -> None:
        if not 0 < len(self.certificates) <= MAX_AUTHORITY:
            raise Malformed(
                f"expected 1 to {MAX_AUTHORITY} certificates of an authority, saw "
                f"{len(self.certificates)}"
            )

    def issuer_of(
        self,
        leaf: x509.Certificate,
        purpose: x509.ObjectIdentifier,
        moments: Collection[datetime],
    ) -> x509.Certificate:
        """Return the certificate that issued `leaf`, once all of the chain holds.

        Args:
            leaf: A signer's certificate.
            purpose: What it must be for.
            moments: When everything must be valid; not empty.

        Raises:
            Rejected: `leaf` is not this authority's, or something on the way up does
                not hold at some moment.
        """
        _require_leaf(leaf, purpose)
        for depth, issuer in enumerate(self.certificates):
            if _issued(leaf, issuer):
                chain = self.certificates[depth:]
                _require_links(chain, purpose)
                for certificate in (leaf, *chain):
                    _require_valid(certificate, moments)
                return issuer
        raise Rejected("expected a certificate chain to an authority of the trust root")


def _require_leaf(leaf: x509.Certificate, purpose: x509.ObjectIdentifier) -> None:
    _require_understood(leaf)
    basic = _find(leaf, x509.BasicConstraints)
    if basic is not None and basic.ca:
        raise Rejected("expected a signer's certificate, saw an authority's")
    usage = _find(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise Rejected("expected a certificate for digital signatures")
    purposes = _find(leaf, x509.ExtendedKeyUsage)
    if purposes is None or purpose not in purposes:
        raise Rejected(f"expected a certificate for {_NAMES[purpose]}")


@lru_cache(maxsize=256)  # of all authorities in force; a link costs up to 0.6 ms
def _require_links(
    chain: tuple[x509.Certificate, ...], purpose: x509.ObjectIdentifier
) -> None:
    """Check that each certificate may issue what is below, and comes from the next."""
    for below, certificate in enumerate(chain):
        _require_understood(certificate)
        basic = _find(certificate, x509.BasicConstraints)
        if basic is None or not basic.ca:
            raise Rejected("expected an authority's certificate to be an authority's")
        if basic.path_length is not None and basic.path_length < below:
            raise Rejected("expected fewer authorities below one: its path length")
        usage = _find(certificate, x509.KeyUsage)
        if usage is not None and not usage.key_cert_sign:
            raise Rejected("expected an authority that may sign certificates")
        purposes = _find(certificate, x509.ExtendedKeyUsage)
        if purposes is not None and not {purpose, _ANY} & set(purposes):
            raise Rejected(f"expected an authority for {_NAMES[purpose]}")
    for lower, upper in pairwise(chain):
        if not _issued(lower, upper):
            raise Rejected("expected each authority's certificate issued by the next")


def _require_valid(
    certificate: x509.Certificate, moments: Collection[datetime]
) -> None:
    window = Interval(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    for moment in moments:
        if not window.holds(moment):
            raise Rejected(
                f"expected a certificate valid at {moment}, saw one from "
                f"{window.start} to {window.end}"
            )


def _require_understood(certificate: x509.Certificate) -> None:
    """Refuse what restricts a certificate in a way that nobody here would enforce."""
    for extension in certificate.extensions:
        restricts = extension.critical or isinstance(
            extension.value, x509.NameConstraints
        )
        if restricts and extension.oid not in _UNDERSTOOD:
            raise Rejected(
                "expected no certificate restricted by the extension "
                f"{extension.oid.dotted_string}"
            )


def _issued(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    if lower.issuer != upper.subject:
        return False
    algorithm = lower.signature_hash_algorithm  # None: Ed25519, which has its own
    if algorithm is not None and not isinstance(algorithm, _STRONG):
        raise Rejected(
            f"expected a certificate signed over SHA-256 or more, saw {algorithm.name}"
        )
    try:
        supported_public(upper.public_key())
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, UnsupportedAlgorithm, Malformed, TypeError, ValueError):
        return False
    return True


def _find(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


_NAMES = {CODE_SIGNING: "code signing", TIME_STAMPING: "time stamping"}
