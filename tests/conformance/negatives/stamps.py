"""Forged time stamps: when a signature existed."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from countersign.core.errors import Malformed
from tests.support.forging import (
    JUST_AFTER,
    STAMP,
    Json,
    Lab,
    b64,
    changed,
    negatives,
    signature_of,
    stamps_of,
)
from tests.support.sigstore import stranger as other_sigstore
from tools.sigstore.encoding import sha256
from tools.sigstore.forms import (
    KEYED_V2,
    KEYLESS_V2,
    PRIVATE,
    Form,
)
from tools.sigstore.tsa import StampRequest
from tools.sigstore.vault import stranger

STAMPED_V1 = Form(stamps=1)
KEYED_STAMPED = Form(certified=False, entry=None, stamps=1)
ALL = (KEYLESS_V2, STAMPED_V1, PRIVATE, KEYED_V2, KEYED_STAMPED)
CERTIFIED = (KEYLESS_V2, STAMPED_V1, PRIVATE)
HOUR = timedelta(hours=1)

Spoil = Callable[[Lab, Json], Json]


def _stamped(stamp: Callable[[Lab, bytes], bytes]) -> Spoil:
    """Another stamp in place of the one."""
    return lambda lab, b: changed(
        b, *STAMP, "signedTimestamp", to=b64(stamp(lab, sha256(signature_of(b))))
    )


def _beside(stamp: Callable[[Lab, bytes], bytes]) -> Spoil:
    """Another stamp beside the right one."""
    return lambda lab, b: changed(
        b,
        *STAMP[:-1],
        to=[
            *stamps_of(b),
            {"signedTimestamp": b64(stamp(lab, sha256(signature_of(b))))},
        ],
    )


def _by_stranger(lab: Lab, digest: bytes) -> bytes:
    tsa = lab.sigstore.tsa
    return tsa.stamp(StampRequest(digest), at=JUST_AFTER, key=stranger(tsa.key))


def _by_other(_: Lab, digest: bytes) -> bytes:
    """An authority of the same name, with other certificates."""
    return other_sigstore().tsa.stamp(StampRequest(digest), at=JUST_AFTER)


def _over_other(lab: Lab, _: bytes) -> bytes:
    return lab.sigstore.tsa.stamp(StampRequest(sha256(b"another")), at=JUST_AFTER)


def _early(lab: Lab, digest: bytes) -> bytes:
    return lab.sigstore.tsa.stamp(StampRequest(digest), at=JUST_AFTER - HOUR)


def _late(lab: Lab, digest: bytes) -> bytes:
    return lab.sigstore.tsa.stamp(StampRequest(digest), at=datetime.now(UTC) + HOUR)


def _before_the_authority(lab: Lab, digest: bytes) -> bytes:
    at = lab.sigstore.since - timedelta(days=1)
    return lab.sigstore.tsa.stamp(StampRequest(digest), at=at)


def _flipped(at: int) -> Spoil:
    def flip(text: str) -> str:
        data = bytearray(base64.b64decode(text))
        data[at] ^= 1
        return b64(bytes(data))

    return lambda _, b: changed(b, *STAMP, "signedTimestamp", to=flip)


NEGATIVES = [
    *negatives(
        ("a stamp over another signature", ALL, "stamp", _stamped(_over_other)),
        ("a stamp by a stranger in the name", ALL, "stamp", _stamped(_by_stranger)),
        ("a stamp by another of the same name", ALL, "stamp", _stamped(_by_other)),
        (
            "a stamp of a time before the authority",
            ALL,
            "stamp",
            _stamped(_before_the_authority),
        ),
        ("a bit of a stamp's signature flipped", ALL, "stamp", _flipped(-3)),
        (
            "no stamp in a stamp",
            ALL,
            "stamp",
            lambda _, b: changed(b, *STAMP, "signedTimestamp", to=b64(b"0")),
        ),
        (
            "a byte behind a stamp",
            ALL,
            "stamp",
            lambda _, b: changed(
                b,
                *STAMP,
                "signedTimestamp",
                to=lambda raw: b64(base64.b64decode(raw) + b"\0"),
            ),
        ),
        (
            "a stranger's stamp beside the right one",
            ALL,
            "stamp",
            _beside(_by_stranger),
        ),
        (
            "a stamp over another signature beside the right one",
            ALL,
            "stamp",
            _beside(_over_other),
        ),
        (
            "stamped before the certificate began",
            CERTIFIED,
            "valid at",
            _stamped(_early),
        ),
        ("stamped after the certificate ended", CERTIFIED, "valid at", _stamped(_late)),
        (
            "stamped once more after the certificate ended",
            CERTIFIED,
            "valid at",
            _beside(_late),
        ),
        (
            "stamped in the future",
            (KEYED_STAMPED,),
            "signature of the past",
            _stamped(_late),
        ),
        (
            "certified, logged and stamped in the future",
            CERTIFIED,
            "signature of the past",
            lambda lab, b: lab.bundle(_form(b), at=datetime.now(UTC) + HOUR),
        ),
    ),
    *negatives(
        (
            "five stamps",
            ALL,
            "at most 4 stamps",
            lambda lab, b: changed(
                b,
                *STAMP[:-1],
                to=[
                    {"signedTimestamp": b64(_by_stranger(lab, sha256(b"")))}
                    for _ in range(5)
                ],
            ),
        ),
        (
            "a stamp twice",
            ALL,
            "each stamp once",
            lambda _, b: changed(b, *STAMP[:-1], to=stamps_of(b) * 2),
        ),
        error=Malformed,
    ),
]


def _form(bundle: Json) -> Form:
    entries = bundle["verificationMaterial"].get("tlogEntries")
    if not entries:
        return PRIVATE
    return STAMPED_V1 if "inclusionPromise" in entries[0] else KEYLESS_V2
