"""Forged log entries: what the log took, and for whom."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace

from countersign.core.errors import Malformed
from tests.support.forging import (
    ENTRY,
    JUST_AFTER,
    PROOF,
    Json,
    Lab,
    Remake,
    Spoil,
    b64,
    changed,
    dropped,
    entry_of,
    negatives,
    remade,
    stranger_of,
)
from tools.sigstore.encoding import INTOTO, pae, sha256
from tools.sigstore.entries import EntryKind, Signed
from tools.sigstore.forms import (
    KEYED_V1,
    KEYED_V2,
    KEYLESS_V1,
    KEYLESS_V2,
    Form,
    Media,
)
from tools.sigstore.keys import KeyKind, sign_message

INTOTO_V1 = Form(entry=EntryKind.INTOTO)
PROMISE_ONLY = Form(media=Media.V01, chained=True, proof=False)
PROOF_ONLY = Form(promise=False, stamps=1)
KEYED_INTOTO = replace(KEYED_V1, entry=EntryKind.INTOTO)
V1 = (KEYLESS_V1, INTOTO_V1, KEYED_V1, KEYED_INTOTO)
V2 = (KEYLESS_V2, KEYED_V2)
DSSE_V2 = replace(KEYLESS_V2, entry=EntryKind.DSSE_V2)
INTOTO_OLD = Form(entry=EntryKind.INTOTO_OLD)
PROVEN = (*V1, *V2, PROOF_ONLY, DSSE_V2, INTOTO_OLD)
SIGNERS = ("spec", "signatures")
PAYLOAD_TYPE = ("spec", "content", "envelope", "payloadType")
HASHED = ("spec", "hashedRekordV002")
KEY_DETAILS = (*HASHED, "signature", "verifier", "keyDetails")
ALGORITHM = (*HASHED, "data", "algorithm")
OTHER = b'{"_type":"https://in-toto.io/Statement/v1"}'
OTHER_SIGNATURE = sign_message(stranger_of(KeyKind.P256), pae(INTOTO, OTHER))


def _told(change: Callable[[Signed], Signed]) -> Remake:
    """The log was told of something else, and took it."""
    return lambda lab, form: lab.bundle(form, noted=change)


def _noted(change: Callable[[Json], Json]) -> Remake:
    """The log wrote down something else."""
    return lambda lab, form: lab.bundle(form, body=change)


def _other_bundles_entry(lab: Lab, form: Form) -> Json:
    """An honest entry, of another signing by the same person."""
    return changed(lab.bundle(form), *ENTRY, to=entry_of(lab.bundle(form)))


def just_after() -> str:
    """Write the time of a log's that nobody could find odd."""
    return str(int(JUST_AFTER.timestamp()))


def _rebodied(change: Callable[[bytes], bytes]) -> Spoil:
    """The body as bytes; nothing that is signed goes along."""
    return lambda _, b: changed(
        b,
        *ENTRY,
        "canonicalizedBody",
        to=lambda raw: b64(change(base64.b64decode(raw))),
    )


NEGATIVES = [
    *remade(
        PROVEN,
        (
            "logged with another payload",
            "log entry of this",
            _told(lambda signed: replace(signed, payload=OTHER)),
        ),
        (
            "logged with another signature",
            "log entry of this (signature|envelope)",
            _told(lambda signed: replace(signed, signature=OTHER_SIGNATURE)),
        ),
        (
            "logged for another key",
            "log entry of this signer",
            _told(
                lambda signed: replace(
                    signed, verifier=stranger_of(KeyKind.P256).public_key()
                )
            ),
        ),
        ("the entry of another signing", "log entry of this", _other_bundles_entry),
        (
            "an entry with something more in it",
            "log entry: more",
            _noted(lambda body: changed(body, "spec", "more", to=1)),
        ),
        (
            "an entry of a kind that nobody knows",
            "log entry of a known kind",
            _noted(lambda body: body | {"kind": "rekord", "apiVersion": "0.0.1"}),
        ),
    ),
    *remade(
        (KEYLESS_V1, KEYED_V1),
        (
            "an entry with two signers",
            "one signer",
            _noted(lambda body: changed(body, *SIGNERS, to=lambda found: found * 2)),
        ),
        (
            "an entry with no signer",
            "one signer",
            _noted(lambda body: changed(body, *SIGNERS, to=[])),
        ),
    ),
    *remade(
        (INTOTO_V1, KEYED_INTOTO),
        (
            "an entry of another type of payload",
            "payload type",
            _noted(lambda body: changed(body, *PAYLOAD_TYPE, to="text/plain")),
        ),
    ),
    *remade(
        V2,
        (
            "an entry for another kind of key",
            "log entry of this kind of key",
            _noted(lambda body: changed(body, *KEY_DETAILS, to="PKIX_ED25519")),
        ),
        (
            "an entry of a hash of another length",
            "64 bytes of sha512",
            _noted(lambda body: changed(body, *ALGORITHM, to="SHA2_512")),
        ),
    ),
    *negatives(
        (
            "the entry said to be of another kind",
            PROVEN,
            "one kind of log entry",
            lambda _, b: changed(b, *ENTRY, "kindVersion", "kind", to="rekord"),
        ),
        (
            "the entry said to be of another version",
            PROVEN,
            "one kind of log entry",
            lambda _, b: changed(b, *ENTRY, "kindVersion", "version", to="0.0.9"),
        ),
        (
            "the body's keys in another order",
            PROVEN,
            "inclusion|root",
            _rebodied(
                lambda raw: json.dumps(dict(reversed(json.loads(raw).items()))).encode()
            ),
        ),
        (
            "a key twice in the body",
            PROVEN,
            "twice",
            _rebodied(lambda raw: b'{"kind":"x",' + raw[1:]),
        ),
        (
            "an entry of a log that the trust root does not know",
            PROVEN,
            "transparency log of the trust root",
            lambda _, b: changed(
                b, *ENTRY, "logId", "keyId", to=b64(sha256(b"another"))
            ),
        ),
        (
            "no entry where logs are trusted",
            (KEYLESS_V1,),
            "entry of a transparency log",
            lambda _, b: changed(b, "verificationMaterial", "tlogEntries", to=[]),
        ),
        (
            "no entry in a stamped bundle where logs are trusted",
            (KEYLESS_V2,),
            "entry of a transparency log",
            lambda _, b: dropped(b, "verificationMaterial", "tlogEntries"),
        ),
        (
            "neither promise nor stamp",
            (KEYLESS_V1, INTOTO_V1),
            "time",
            lambda _, b: dropped(b, *ENTRY, "inclusionPromise"),
        ),
        (
            "no stamp with a log that knows no time",
            (KEYLESS_V2,),
            "time",
            lambda _, b: dropped(
                b, "verificationMaterial", "timestampVerificationData"
            ),
        ),
        (
            "a time put into an entry of a log that knows none",
            (KEYLESS_V2,),
            "promise",
            lambda _, b: dropped(
                changed(
                    changed(b, *ENTRY, "integratedTime", to=just_after()),
                    *ENTRY,
                    "inclusionPromise",
                    to={"signedEntryTimestamp": b64(sha256(b""))},
                ),
                "verificationMaterial",
                "timestampVerificationData",
            ),
        ),
    ),
    *negatives(
        (
            "two log entries",
            PROVEN,
            "one log entry",
            lambda _, b: changed(
                b,
                "verificationMaterial",
                "tlogEntries",
                to=lambda found: found * 2,
            ),
        ),
        (
            "a proof that is too long",
            PROVEN,
            "at most 64 hashes",
            lambda _, b: changed(b, *PROOF, "hashes", to=[b64(sha256(b""))] * 65),
        ),
        (
            "no checkpoint",
            PROVEN,
            "checkpoint",
            lambda _, b: dropped(b, *PROOF, "checkpoint"),
        ),
        (
            "no proof in a bundle v0.3",
            PROVEN,
            "proof of inclusion",
            lambda _, b: dropped(b, *ENTRY, "inclusionProof"),
        ),
        (
            "a log entry without kind",
            PROVEN,
            "kindVersion",
            lambda _, b: dropped(b, *ENTRY, "kindVersion"),
        ),
        error=Malformed,
    ),
]
