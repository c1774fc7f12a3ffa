"""The stand-in issues every form, as clients write it; what it logs it verifies first."""

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.sigstore import DANA, ISSUER, Outsider, shared
from tests.support.sigstore import stranger as other
from tools.sigstore import Identity, Party
from tools.sigstore.encoding import INTOTO, b64, pae, spki
from tools.sigstore.entries import EntryKind, Signed, body
from tools.sigstore.forms import (
    KEYED,
    KEYED_V1,
    KEYLESS_V1,
    KEYLESS_V2,
    PRIVATE,
    Form,
    Media,
    Parts,
    layer,
    make,
)
from tools.sigstore.keys import (
    KeyKind,
    PrivateKey,
    hint,
    key_details,
    sign_message,
    verify_message,
)
from tools.sigstore.submissions import v1_body, v2_body
from tools.sigstore.trust_root import merged

STATEMENT = b'{"_type":"https://in-toto.io/Statement/v1"}'
MESSAGE = pae(INTOTO, STATEMENT)
PARTS = Parts(identity=Identity(san=DANA, issuer=ISSUER))
KEYS = {kind: kind.generate() for kind in KeyKind}
HASHING = [kind for kind in KeyKind if kind is not KeyKind.ED25519]
MALLORY = KeyKind.P256.generate()


def signed_by(key: PrivateKey) -> Signed:
    """Sign the statement."""
    return Signed(
        payload_type=INTOTO,
        payload=STATEMENT,
        signature=sign_message(key, MESSAGE),
        verifier=key.public_key(),
    )


def pem(key: PrivateKey) -> bytes:
    """Write the public key."""
    return key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize("kind", KeyKind)
def test_a_signature_is_verified_by_its_key_only(kind: KeyKind) -> None:
    """Each kind has its own scheme."""
    key = KEYS[kind]
    signature = sign_message(key, MESSAGE)
    verify_message(key.public_key(), signature, MESSAGE)

    with pytest.raises(InvalidSignature):
        verify_message(key.public_key(), signature, b"another")
    assert key_details(key.public_key()).startswith("PKIX_")


def test_a_hint_is_the_hash_of_the_key() -> None:
    """As clients name keys."""
    public = KEYS[KeyKind.P256].public_key()

    assert base64.b64decode(hint(public)) == hashlib.sha256(spki(public)).digest()


@pytest.mark.parametrize(
    "form",
    [
        KEYLESS_V1,
        KEYLESS_V2,
        replace(KEYLESS_V1, stamps=2),
        replace(KEYLESS_V1, promise=False, stamps=1),
        *[Form(media=media, chained=True) for media in (Media.V01, Media.V02)],
        Form(media=Media.V03_OLD),
    ],
    ids=str,
)
def test_what_an_outsider_reads_is_accepted(form: Form) -> None:
    """By sigstore-python alone."""
    bundle = make(shared(), form, STATEMENT, PARTS)

    assert Outsider(shared()).payload(json.dumps(bundle).encode()) == STATEMENT


def test_a_form_has_what_it_names_and_nothing_else() -> None:
    """A private bundle has no log entry and no promise, a key's no certificate."""
    private = make(shared(), PRIVATE, STATEMENT, PARTS)["verificationMaterial"]
    keyed = make(shared(), KEYED, STATEMENT, PARTS)["verificationMaterial"]
    leaf = x509.load_der_x509_certificate(
        base64.b64decode(private["certificate"]["rawBytes"])
    )

    assert set(private) == {"certificate", "timestampVerificationData"}
    assert set(keyed) == {"publicKey"}
    with pytest.raises(x509.ExtensionNotFound):
        leaf.extensions.get_extension_for_class(
            x509.PrecertificateSignedCertificateTimestamps
        )


def test_a_layer_holds_what_its_bundle_holds() -> None:
    """Envelope, certificate, chain, promise, stamp."""
    bundle = make(shared(), replace(KEYLESS_V1, stamps=1), STATEMENT, PARTS)
    envelope, annotations = layer(bundle, [shared().ca.intermediate])
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    promised = json.loads(annotations["dev.sigstore.cosign/bundle"])

    assert json.loads(envelope) == bundle["dsseEnvelope"]
    assert promised["Payload"]["body"] == entry["canonicalizedBody"]
    assert set(annotations) == {
        "dev.cosignproject.cosign/signature",
        "dev.sigstore.cosign/certificate",
        "dev.sigstore.cosign/chain",
        "dev.sigstore.cosign/bundle",
        "dev.sigstore.cosign/rfc3161timestamp",
    }


def _dsse(signed: Signed, key: PrivateKey) -> dict[str, Any]:
    envelope = json.dumps(signed.envelope())
    content = {"envelope": envelope, "verifiers": [b64(pem(key))]}
    return {
        "kind": "dsse",
        "apiVersion": "0.0.1",
        "spec": {"proposedContent": content},
    }


def _intoto(signed: Signed, key: PrivateKey) -> dict[str, Any]:
    envelope = signed.envelope()
    signature = {"publicKey": b64(pem(key)), "sig": b64(b64(signed.signature).encode())}
    proposed = body(EntryKind.INTOTO, signed)
    proposed["spec"]["content"]["envelope"] = {
        "payloadType": INTOTO,
        "payload": b64(envelope["payload"].encode()),
        "signatures": [signature],
    }
    return proposed


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize(
    ("entry", "propose"), [(EntryKind.DSSE, _dsse), (EntryKind.INTOTO, _intoto)]
)
def test_the_first_log_takes_what_verifies(
    kind: KeyKind, entry: EntryKind, propose: Any
) -> None:
    """And writes down what a bundle made in memory would hold."""
    key = KEYS[kind]
    signed = signed_by(key)

    assert v1_body(propose(signed, key)) == body(entry, signed)
    with pytest.raises(InvalidSignature):
        v1_body(propose(replace(signed, payload=b"another"), key))


@pytest.mark.parametrize("kind", HASHING)
def test_logs_take_hashes_whose_signature_verifies(kind: KeyKind) -> None:
    """Both logs, and not in another's name."""
    signed = signed_by(KEYS[kind])
    first = body(EntryKind.HASHED, signed)
    second = body(EntryKind.HASHED_V2, signed)["spec"]["hashedRekordV002"]
    request = {"digest": second["data"]["digest"], "signature": second["signature"]}
    forged = body(EntryKind.HASHED, replace(signed, verifier=MALLORY.public_key()))

    assert v1_body(first) == first
    assert v2_body({"hashedRekordRequestV002": request}) == body(
        EntryKind.HASHED_V2, signed
    )
    if kind is KeyKind.P256:
        with pytest.raises(InvalidSignature):
            v1_body(forged)


def test_a_signature_over_no_hash_is_in_no_record_of_hashes() -> None:
    """Ed25519 signs messages."""
    with pytest.raises(ValueError, match="no hash"):
        body(EntryKind.HASHED, signed_by(KEYS[KeyKind.ED25519]))


def test_the_first_log_takes_no_other_kind() -> None:
    """It says which it takes."""
    with pytest.raises(ValueError, match=r"rekord 0\.0\.1"):
        v1_body({"kind": "rekord", "apiVersion": "0.0.1", "spec": {}})


def test_a_promise_is_over_what_the_entry_says() -> None:
    """Whoever has the key can promise something else; nobody else can."""
    bundle = make(shared(), KEYED_V1, STATEMENT, PARTS)
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    again = shared().rekor_v1.promise(entry)["signedEntryTimestamp"]
    said = {
        "body": entry["canonicalizedBody"],
        "integratedTime": int(entry["integratedTime"]),
        "logIndex": int(entry["logIndex"]),
        "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
    }

    verify_message(
        shared().rekor_v1.key.public_key(), base64.b64decode(again), rfc8785.dumps(said)
    )


def test_trusted_roots_are_merged_in_order() -> None:
    """As after a rotation."""
    mine, others = shared().trusted_root(), other().trusted_root()
    both = merged(mine, others)

    assert both["tlogs"] == mine["tlogs"] + others["tlogs"]
    assert both["mediaType"] == mine["mediaType"]


def test_windows_have_the_ends_that_are_wished() -> None:
    """Of one party, not of others."""
    at = shared().since.replace(year=shared().since.year + 1)
    root = shared().trusted_root({Party.CA: at}, {Party.TSA: at})
    window = root["certificateAuthorities"][0]["validFor"]

    assert window["end"] == root["timestampAuthorities"][0]["validFor"]["start"]
    assert "end" not in root["tlogs"][0]["publicKey"]["validFor"]
