"""RFC 3161 time stamps: when a signature existed, as an authority says.

Every stamp of a bundle must hold. One that does not might be ignored, but then whoever
passes a bundle on could choose which of its times counts, by spoiling the others.
"""

from collections.abc import Iterable
from datetime import datetime

from cryptography.x509 import load_der_x509_certificate
from rfc3161_client import (
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from countersign.adapters.proof.trusted_root import Authority
from countersign.core.errors import Rejected

_SHORTEST_CHAIN = 2  # the stamping certificate and a root


def claimed_time(stamp: bytes) -> datetime:
    """Return the time in `stamp`, unverified.

    Raises:
        Rejected: it is no time-stamp response.
    """
    return _response(stamp).tst_info.gen_time


def stamped_at(
    stamp: bytes, signature: bytes, authorities: Iterable[Authority]
) -> datetime:
    """Verify that `stamp` is over `signature`, and return its time.

    Args:
        stamp: RFC 3161 response, DER.
        signature: What it must be over.
        authorities: Whom to believe, each while its window holds.

    Raises:
        Rejected: it is not over this signature, or by nobody here.
    """
    response = _response(stamp)
    at = response.tst_info.gen_time
    for authority in authorities:
        if authority.window.holds(at) and _verifies(response, signature, authority):
            return at
    raise Rejected(
        f"expected a stamp by an authority in use at {at}, over this signature"
    )


def _response(stamp: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(stamp)
    except ValueError as error:
        raise Rejected("expected an RFC 3161 time stamp") from error


def _verifies(
    response: TimeStampResponse, signature: bytes, authority: Authority
) -> bool:
    chain = [load_der_x509_certificate(der) for der in authority.chain()]
    if len(chain) < _SHORTEST_CHAIN:
        return False
    verifier = VerifierBuilder(
        tsa_certificate=chain[0], intermediates=chain[1:-1], roots=[chain[-1]]
    ).build()
    try:
        return verifier.verify_message(response, signature)
    except VerificationError:
        return False
