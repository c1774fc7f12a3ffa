"""Bundles of every form that clients have written, made in memory.

A :class:`Form` says of what a bundle consists; :func:`make` signs for real and puts it
together. Tests give some of the parts themselves: what is forged is then signed, logged
and stamped like everything else.

Source:
    github.com/sigstore/protobuf-specs, sigstore_bundle.proto (what each media type may
    and must hold); github.com/sigstore/cosign, pkg/oci/static and
    specs/SIGNATURE_SPEC.md (annotations of a layer).
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tools.sigstore.ca import Identity
from tools.sigstore.encoding import INTOTO, b64, pae, sha256
from tools.sigstore.entries import EntryKind, Signed, body
from tools.sigstore.instance import VirtualSigstore
from tools.sigstore.keys import KeyKind, PrivateKey, hint, sign_message
from tools.sigstore.tsa import StampRequest

Json = dict[str, Any]

_RECENTLY = timedelta(seconds=30)
_LOG_DELAY = timedelta(seconds=5)
_ANNOTATION = "dev.sigstore.cosign"


class Media(StrEnum):
    """The media types of bundles; the last two are the same."""

    V01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    V02 = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"
    V03_OLD = "application/vnd.dev.sigstore.bundle+json;version=0.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Of what a bundle consists.

    Attributes:
        key: The kind of key that signs.
        certified: A certificate says whose; else a hint names the key.
        chained: The certificate stands in a chain, with its intermediate.
        scts: The certificate carries a promise of the CT log.
        entry: What the log took; None: nothing was logged.
        promise: The entry carries a signed time; Rekor v1 only.
        proof: The entry carries a proof of inclusion.
        stamps: Time stamps.
        media: The bundle's media type.
    """

    key: KeyKind = KeyKind.P256
    certified: bool = True
    chained: bool = False
    scts: bool = True
    entry: EntryKind | None = EntryKind.DSSE
    promise: bool = True
    proof: bool = True
    stamps: int = 0
    media: Media = Media.V03


KEYLESS_V1 = Form()
KEYLESS_V2 = Form(entry=EntryKind.HASHED_V2, stamps=1)
PRIVATE = Form(
    entry=None, stamps=1, scts=False
)  # as GitHub's, for private repositories
KEYED = Form(certified=False, entry=None)
KEYED_V1 = Form(certified=False)
KEYED_V2 = Form(certified=False, entry=EntryKind.HASHED_V2, stamps=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a bundle is made from; what is None is made on the way.

    Attributes:
        identity: Whom the certificate names.
        at: When the certificate begins to be valid; aware.
        logged_at: When the log took the entry; five seconds later if None.
        stamped_at: When it was stamped; when it was logged if None.
        payload_type: Of the envelope.
        key: The signer's; a fresh one of the form's kind if None.
        certificate: In place of the authority's.
        signature: In place of the key's over the envelope.
        noted: What the log is told to have been signed; None for the truth.
        body: Changes what the log writes down.
        entry: Changes the entry as the bundle carries it.
        stamped: What the stamps are over; the signature if None.
        hint: Of the key; None for the one that clients write.
    """

    identity: Identity
    at: datetime = field(default_factory=lambda: datetime.now(UTC) - _RECENTLY)
    logged_at: datetime | None = None
    stamped_at: datetime | None = None
    payload_type: str = INTOTO
    key: PrivateKey | None = None
    certificate: x509.Certificate | None = None
    signature: bytes | None = None
    noted: Callable[[Signed], Signed] = lambda signed: signed
    body: Callable[[Json], Json] = lambda body: body
    entry: Callable[[Json], Json] = lambda entry: entry
    stamped: bytes | None = None
    hint: str | None = None


def make(sigstore: VirtualSigstore, form: Form, statement: bytes, parts: Parts) -> Json:
    """Sign `statement` and bundle all the proof that `form` names.

    Args:
        sigstore: Certifies, logs and stamps.
        form: Of what the bundle consists.
        statement: The payload, byte for byte.
        parts: Who signs, when; what is forged.

    Returns:
        A bundle, as JSON.
    """
    signed = _signed(sigstore, form, statement, parts)
    material = _identification(sigstore, form, signed, parts)
    logged_at = parts.logged_at or parts.at + _LOG_DELAY
    if form.entry is not None:
        entry = _entry(sigstore, form, parts.noted(signed), logged_at, parts)
        material["tlogEntries"] = [parts.entry(entry)]
    if form.stamps:
        covered = parts.stamped if parts.stamped is not None else signed.signature
        at = parts.stamped_at or logged_at
        material["timestampVerificationData"] = {
            "rfc3161Timestamps": [
                {"signedTimestamp": b64(_stamp(sigstore, covered, at))}
                for _ in range(form.stamps)
            ]
        }
    return {
        "mediaType": form.media.value,
        "verificationMaterial": material,
        "dsseEnvelope": signed.envelope(),
    }


def layer(
    bundle: Json, chain: Sequence[x509.Certificate] = ()
) -> tuple[bytes, dict[str, str]]:
    """Write `bundle` as cosign's older layer: the envelope, and its annotations.

    Args:
        bundle: With an entry that carries a promise, or with none.
        chain: The authority's certificates, root last; cosign writes them all.
    """
    material = bundle["verificationMaterial"]
    annotations = {"dev.cosignproject.cosign/signature": ""}
    if "certificate" in material:
        der = base64.b64decode(material["certificate"]["rawBytes"])
        annotations[f"{_ANNOTATION}/certificate"] = _pem(
            x509.load_der_x509_certificate(der)
        )
    if chain:
        annotations[f"{_ANNOTATION}/chain"] = "".join(_pem(above) for above in chain)
    for entry in material.get("tlogEntries", []):
        annotations[f"{_ANNOTATION}/bundle"] = json.dumps(_promised(entry))
    stamps = material.get("timestampVerificationData", {})
    for stamp in stamps.get("rfc3161Timestamps", []):
        annotations[f"{_ANNOTATION}/rfc3161timestamp"] = json.dumps(
            {"SignedRFC3161Timestamp": stamp["signedTimestamp"]}
        )
    return json.dumps(bundle["dsseEnvelope"]).encode(), annotations


def _signed(
    sigstore: VirtualSigstore, form: Form, statement: bytes, parts: Parts
) -> Signed:
    key = parts.key or form.key.generate()
    message = pae(parts.payload_type, statement)
    verifier: x509.Certificate | None = None
    if form.certified:
        verifier = parts.certificate or sigstore.ca.issue(
            key.public_key(), parts.identity, at=parts.at, promised=form.scts
        )
    return Signed(
        payload_type=parts.payload_type,
        payload=statement,
        signature=parts.signature or sign_message(key, message),
        verifier=verifier or key.public_key(),
    )


def _identification(
    sigstore: VirtualSigstore, form: Form, signed: Signed, parts: Parts
) -> Json:
    if not isinstance(signed.verifier, x509.Certificate):
        named = hint(signed.verifier) if parts.hint is None else parts.hint
        return {"publicKey": {"hint": named}}
    leaf = _raw(signed.verifier)
    if form.chained:
        chain = [leaf, _raw(sigstore.ca.intermediate)]
        return {"x509CertificateChain": {"certificates": chain}}
    return {"certificate": leaf}


def _entry(
    sigstore: VirtualSigstore, form: Form, signed: Signed, at: datetime, parts: Parts
) -> Json:
    kind = form.entry or EntryKind.DSSE
    noted = parts.body(body(kind, signed))
    if kind.second:
        entry = sigstore.rekor_v2.add(noted)
    else:
        entry = sigstore.rekor_v1.add(noted, at=at)
        if not form.promise:
            del entry["inclusionPromise"]
    if not form.proof:
        del entry["inclusionProof"]
    return entry


def _stamp(sigstore: VirtualSigstore, covered: bytes, at: datetime) -> bytes:
    return sigstore.tsa.stamp(StampRequest(sha256(covered)), at=at)


def _raw(certificate: x509.Certificate) -> Json:
    return {"rawBytes": b64(certificate.public_bytes(Encoding.DER))}


def _promised(entry: Json) -> Json:
    log_id = base64.b64decode(entry["logId"]["keyId"])
    return {
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry["logIndex"]),
            "logID": log_id.hex(),
        },
    }


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
