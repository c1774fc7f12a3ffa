"""cosign's older forms become bundles that say the same, or nothing."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.wire.bundle import MEDIA_TYPE_V01, parse_bundle
from countersign.wire.cosign import (
    BUNDLE,
    CERTIFICATE,
    MAX_ANNOTATION,
    STAMP,
    is_legacy_file,
    legacy_attestation,
    legacy_file,
)
from countersign.wire.envelope import Envelope, signed_bytes, written_envelopes
from tests.support.proving import STATEMENT
from tests.support.sigstore import DANA, ISSUER, shared
from tools.sigstore import Identity
from tools.sigstore.forms import Form, Parts, layer, make

FULL = make(
    shared(),
    Form(stamps=1),
    STATEMENT,
    Parts(identity=Identity(san=DANA, issuer=ISSUER)),
)
CHAIN = [shared().ca.intermediate, shared().ca.root]
ENVELOPE, ANNOTATIONS = layer(FULL, CHAIN)


def annotated(key: str, **changes: Any) -> dict[str, str]:
    """Change fields of one annotation."""
    return ANNOTATIONS | {key: json.dumps(json.loads(ANNOTATIONS[key]) | changes)}


def local(**changes: Any) -> bytes:
    """Write cosign's older file, as ``NewLegacyBundleFromProtoBundleComponents`` does."""
    document = {
        "base64Signature": base64.b64encode(ENVELOPE).decode(),
        "cert": base64.b64encode(ANNOTATIONS[CERTIFICATE].encode()).decode(),
        "rekorBundle": json.loads(ANNOTATIONS[BUNDLE]),
    }
    return json.dumps(document | changes).encode()


def test_a_layer_says_what_its_bundle_says() -> None:
    """Envelope, certificate, entry with its promise, stamp; no proof of inclusion."""
    new = parse_bundle(json.dumps(FULL).encode())
    old = parse_bundle(legacy_attestation(ENVELOPE, ANNOTATIONS))

    assert json.loads(old.raw)["mediaType"] == MEDIA_TYPE_V01
    assert old.envelope == new.envelope
    assert (old.certificate, old.key_hint) == (new.certificate, None)
    assert old.stamps == new.stamps
    assert old.log_entry
    assert new.log_entry
    assert old.log_entry.proof is None
    assert old.log_entry.promise == new.log_entry.promise
    assert old.log_entry.integrated_at == new.log_entry.integrated_at
    assert old.log_entry.body == new.log_entry.body
    assert (old.log_entry.kind, old.log_entry.version) == ("dsse", "0.0.1")


@pytest.mark.parametrize("empty", [{}, dict.fromkeys(ANNOTATIONS, "")])
def test_a_layer_alone_is_signed_by_a_key(empty: dict[str, str]) -> None:
    """Cosign writes empty annotations, too, and reads them as none."""
    bundle = parse_bundle(legacy_attestation(ENVELOPE, empty))

    assert (bundle.certificate, bundle.key_hint) == (None, "")
    assert (bundle.log_entry, bundle.stamps) == (None, ())


def test_the_first_certificate_is_the_signers() -> None:
    """As cosign reads it; those of the authority are nobody's word here."""
    both = ANNOTATIONS[CERTIFICATE] + CHAIN[0].public_bytes(Encoding.PEM).decode()
    bundle = parse_bundle(legacy_attestation(ENVELOPE, {CERTIFICATE: both}))

    assert bundle.certificate == parse_bundle(json.dumps(FULL).encode()).certificate


def test_a_file_says_what_a_layer_says() -> None:
    """But for the stamp, for which it has no place."""
    file = parse_bundle(legacy_file(local()))
    beside = parse_bundle(
        legacy_attestation(
            ENVELOPE, {key: ANNOTATIONS[key] for key in (CERTIFICATE, BUNDLE)}
        )
    )

    assert file == beside
    assert is_legacy_file(local())
    assert not is_legacy_file(json.dumps(FULL).encode())
    assert not is_legacy_file(b"kind: ConfigMap")
    assert not is_legacy_file(b'{"data": {"base64Signature": ""}}')
    assert not is_legacy_file(b'{"base64Signature"')


@pytest.mark.parametrize(
    ("annotations", "reason"),
    [
        pytest.param({CERTIFICATE: "-"}, "certificate in PEM", id="no certificate"),
        pytest.param({CERTIFICATE: "\udc80"}, "in PEM", id="no text"),
        pytest.param({BUNDLE: "{"}, "JSON", id="no JSON"),
        pytest.param({BUNDLE: "\udc80"}, "JSON", id="no JSON text"),
        pytest.param({BUNDLE: "{}"}, "SignedEntryTimestamp", id="no promise"),
        pytest.param({STAMP: "{}"}, "SignedRFC3161Timestamp", id="no stamp"),
        pytest.param({STAMP: "[]"}, "rfc3161timestamp", id="a list"),
        pytest.param(annotated(BUNDLE, more=1), "more", id="an unknown field"),
        pytest.param(
            {BUNDLE: " " * (MAX_ANNOTATION + 1)}, "at most", id="an annotation too long"
        ),
        *(
            pytest.param(
                annotated(
                    BUNDLE,
                    Payload=json.loads(ANNOTATIONS[BUNDLE])["Payload"] | {field: value},
                ),
                field,
                id=f"{field} is {value!r:.20}",
            )
            for field, value in [
                ("logIndex", -1),
                ("logIndex", "1"),
                ("integratedTime", True),
                ("integratedTime", 1.5),
                ("logID", "ab"),
                ("logID", "AB" * 32),
                ("body", "!"),
                ("body", {}),
            ]
        ),
        pytest.param(
            annotated(
                BUNDLE,
                Payload=json.loads(ANNOTATIONS[BUNDLE])["Payload"] | {"body": "e30="},
            ),
            "body of the log entry",
            id="a body of no kind",
        ),
    ],
)
def test_refuses(annotations: dict[str, str], reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Malformed, match=reason):
        legacy_attestation(ENVELOPE, annotations)


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="no envelope"),
        pytest.param(ENVELOPE.replace(b"in-toto", b"another"), id="another type"),
        pytest.param(
            ENVELOPE.replace(b'"payload"', b'"payload": "", "payload"'),
            id="two payloads",
        ),
        pytest.param(b" " * 1024 * 1024 + ENVELOPE, id="too large"),
    ],
)
def test_refuses_what_holds_no_attestation(envelope: bytes) -> None:
    """In the same form cosign keeps signatures over anything."""
    with pytest.raises(Malformed):
        legacy_attestation(envelope, ANNOTATIONS)
    with pytest.raises(Malformed):
        legacy_file(local(base64Signature=base64.b64encode(envelope).decode()))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(json.dumps(FULL).encode(), id="a bundle"),
        pytest.param(local(base64Signature="!"), id="no base64"),
        pytest.param(local(cert="/w=="), id="a certificate that is no text"),
        pytest.param(local(rekorBundle={}), id="an empty entry"),
    ],
)
def test_refuses_another_file(raw: bytes) -> None:
    """What is no file of cosign's is none."""
    with pytest.raises(Malformed):
        legacy_file(raw)


junk = (
    st.none()
    | st.integers()
    | st.text(max_size=8)
    | st.binary(max_size=9).map(lambda raw: base64.b64encode(raw).decode())
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


@given(
    st.sampled_from([BUNDLE, STAMP, CERTIFICATE]),
    st.text() | st.builds(json.dumps, st.dictionaries(st.text(), junk)),
)
def test_only_malformed_escapes(key: str, text: str) -> None:
    """Whatever stands in an annotation. Seen to fail with PEM errors left to leak."""
    with suppress(Malformed):
        parse_bundle(legacy_attestation(ENVELOPE, ANNOTATIONS | {key: text}))


def test_envelopes_are_written_as_cosign_writes_them() -> None:
    """As go-securesystemslib marshals it, and as cosign 3.1 was seen to."""
    envelope = Envelope(b"{}", b"sig")
    second = (
        b'{"payloadType":"application/vnd.in-toto+json","payload":"e30=",'
        b'"signatures":[{"keyid":"","sig":"c2ln"}]}'
    )
    third = (
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json",'
        b'"signatures":[{"sig":"c2ln"}]}'
    )

    assert {second, third} <= set(written_envelopes(envelope))
    assert all(
        base64.b64decode(json.loads(text)["payload"]) == envelope.payload
        for text in written_envelopes(envelope)
    )
    assert signed_bytes(envelope.payload).endswith(b" 2 {}")


def test_the_certificates_of_the_chain_are_left_out() -> None:
    """Authorities come from trust roots."""
    (certificate,) = json.loads(legacy_attestation(ENVELOPE, ANNOTATIONS))[
        "verificationMaterial"
    ]["x509CertificateChain"]["certificates"]
    leaf = x509.load_der_x509_certificate(base64.b64decode(certificate["rawBytes"]))

    assert leaf.issuer == CHAIN[0].subject
