"""RFC 3161 time stamps: when a signature existed, as an authority says.

Every stamp of a bundle must hold. One that does not might be ignored, but then whoever
passes a bundle on could choose which of its times counts, by spoiling the others.

rfc3161-client verifies the stamp. What it leaves to its caller is asked here: that the
trust root's stamping certificate signed, and nobody else under the same root; that it is
for time stamping alone, and valid with all above it when it stamped.

Source:
    RFC 3161, section 2.3 (the certificate) and 2.4.2 (the response).
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from rfc3161_client import (
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from countersign.adapters.proof.chain import TIME_STAMPING, Authority
from countersign.core.errors import Rejected
from countersign.wire.bundle import Bundle
from countersign.wire.envelope import Envelope, written_envelopes

_REFUSALS = (  # the last three leak out of the library at what is half a stamp
    VerificationError,
    Rejected,
    ValueError,
    KeyError,
    x509.InvalidVersion,
)
_HASHES = {48: "sha384", 64: "sha512"}  # by the length of an imprint, bytes
_SHORTEST_CHAIN = 2  # the stamping certificate and a root


def claimed_time(stamp: bytes) -> datetime:
    """Return the time in `stamp`, unverified.

    Raises:
        Rejected: it is no time-stamp response.
    """
    return _response(stamp)[1]


def claimed_times(bundle: Bundle) -> list[datetime]:
    """Return every time that `bundle` claims in a way that can be verified.

    Raises:
        Rejected: a stamp is none.
    """
    moments = [claimed_time(stamp) for stamp in bundle.stamps]
    if bundle.log_entry is not None and bundle.log_entry.integrated_at is not None:
        moments.append(bundle.log_entry.integrated_at)
    return moments


def stamped_at(
    stamp: bytes, envelope: Envelope, stampers: Iterable[Authority]
) -> datetime:
    """Verify that `stamp` is over the signature of `envelope`, and return its time.

    Args:
        stamp: RFC 3161 response, DER.
        envelope: Whose signature it must be over; or over all of it, as cosign's older
            form of attestations has it.
        stampers: Whom to believe, each while its window holds.

    Raises:
        Rejected: it is not over this signature, or by nobody here.
    """
    response, at = _response(stamp)
    stamped = _stamped(response, envelope)
    for stamper in stampers:
        if stamper.window.holds(at) and _verifies(response, stamped, stamper):
            return at
    raise Rejected(
        f"expected a stamp by an authority in use at {at}, over this signature"
    )


def _response(stamp: bytes) -> tuple[TimeStampResponse, datetime]:
    """Read a stamp, and the time in it: the library reads what is inside late."""
    try:
        response = decode_timestamp_response(stamp)
        at = response.tst_info.gen_time
    except (ValueError, KeyError) as error:
        raise Rejected("expected an RFC 3161 time stamp") from error
    return response, at


def _stamped(response: TimeStampResponse, envelope: Envelope) -> bytes:
    """Return what the stamp's imprint is of; the signature where it is of neither."""
    imprint = response.tst_info.message_imprint.message
    algorithm = _HASHES.get(len(imprint), "sha256")
    if hashlib.new(algorithm, envelope.signature).digest() != imprint:
        for text in written_envelopes(envelope):
            if hashlib.new(algorithm, text).digest() == imprint:
                return text
    return envelope.signature


def _verifies(response: TimeStampResponse, stamped: bytes, stamper: Authority) -> bool:
    if len(stamper.certificates) < _SHORTEST_CHAIN:
        return False
    leaf, *above = stamper.certificates
    verifier = VerifierBuilder(
        tsa_certificate=leaf, intermediates=above[:-1], roots=above[-1:]
    ).build()
    try:
        if not _signed_by(response, leaf):
            return False
        verifier.verify_message(response, stamped)
        moments = [response.tst_info.gen_time]
        Authority(tuple(above)).issuer_of(leaf, TIME_STAMPING, moments)
    except _REFUSALS:
        return False
    return True


def _signed_by(response: TimeStampResponse, leaf: x509.Certificate) -> bool:
    """Tell whether the one signer that the stamp names is `leaf`."""
    signers = [
        (signer.issuer, signer.serial_number)
        for signer in response.signed_data.signer_infos
    ]
    return signers == [(leaf.issuer, leaf.serial_number)]
