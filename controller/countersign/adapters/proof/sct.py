"""Promises of certificate transparency logs, inside of certificates.

Source:
    RFC 6962, sections 3.2 and 3.3: the signature over a precertificate.
"""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.certificate_transparency import (
    LogEntryType,
    SignedCertificateTimestamp,
)

from countersign.adapters.proof.trusted_root import LogKey
from countersign.adapters.signatures import spki, supported_public, verify
from countersign.core.errors import Rejected

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive, as the library's times are
_SIGNED_TIMESTAMP = 0  # RFC 6962's SignatureType


def require_promise(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    logs: Collection[LogKey],
    moments: Collection[datetime],
) -> None:
    """Check that a CT log in use promised to log `leaf`.

    Args:
        leaf: With its promise.
        issuer: Whose key verified `leaf`: the promise covers its hash.
        logs: The CT logs of the trust root.
        moments: When the log must be in use, besides at its own word.

    Raises:
        Rejected: there is not exactly one promise, or it is by no such log.
    """
    promise = _promise(leaf)
    at = promise.timestamp.replace(tzinfo=UTC)
    known = [log for log in logs if log.log_id == promise.log_id]
    if not known:
        raise Rejected("expected a CT log of the trust root in the certificate")
    used = [log for log in known if log.in_use([*moments, at])]
    if not used:
        raise Rejected(
            f"expected a certificate transparency log in use at {at}, saw none"
        )
    message = _signed(promise, leaf, issuer)
    for log in used:
        try:
            verify(log.key, promise.signature, message)
        except Rejected:
            continue
        return
    raise Rejected("expected a promise that the CT log signed")


def _promise(leaf: x509.Certificate) -> SignedCertificateTimestamp:
    try:
        promises = leaf.extensions.get_extension_for_class(
            x509.PrecertificateSignedCertificateTimestamps
        ).value
    except x509.ExtensionNotFound as error:
        raise Rejected("expected a promise of a CT log in the certificate") from error
    if len(promises) != 1:
        raise Rejected(f"expected one promise of a CT log, saw {len(promises)}")
    promise: SignedCertificateTimestamp = promises[0]
    return promise


def _signed(
    promise: SignedCertificateTimestamp,
    leaf: x509.Certificate,
    issuer: x509.Certificate,
) -> bytes:
    """Return what a promise's signature is over."""
    if promise.entry_type is not LogEntryType.PRE_CERTIFICATE or not isinstance(
        promise.signature_hash_algorithm, hashes.SHA256
    ):
        raise Rejected("expected a promise of a precertificate, over SHA-256")
    milliseconds = round((promise.timestamp - _EPOCH).total_seconds() * 1000)
    issuer_key = hashlib.sha256(spki(supported_public(issuer.public_key()))).digest()
    return b"".join(
        (
            bytes((promise.version.value, _SIGNED_TIMESTAMP)),
            milliseconds.to_bytes(8),
            promise.entry_type.value.to_bytes(2),
            issuer_key,
            _sized(leaf.tbs_precertificate_bytes, 3),
            _sized(promise.extension_bytes, 2),
        )
    )


def _sized(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width) + data
