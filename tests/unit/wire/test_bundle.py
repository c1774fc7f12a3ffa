"""Bundles are read within bounds, in one spelling, before any cryptography."""

import base64
import copy
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.wire.bundle import (
    MAX_BUNDLE,
    MAX_CHAIN,
    MAX_STAMPS,
    parse_bundle,
    render_key_bundle,
)
from countersign.wire.envelope import Envelope, signed_bytes
from countersign.wire.tlog import MAX_PROOF
from tests.support.sigstore import DANA, ISSUER, shared

PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
V1 = shared().attest(PAYLOAD, san=DANA, issuer=ISSUER, stamped=True)
V2 = shared().attest(PAYLOAD, san=DANA, issuer=ISSUER, rekor="v2")
CHAINED = "application/vnd.dev.sigstore.bundle+json;version=0.%d"
KEYED = render_key_bundle(Envelope(PAYLOAD, b"signature"), "dana", [b"stamp"])

envelopes = st.builds(Envelope, st.binary(max_size=40), st.binary(max_size=40))


def spoil(change: Callable[[dict[str, Any]], object], raw: bytes = V1) -> bytes:
    """Change a bundle's JSON in place."""
    document = json.loads(raw)
    change(document)
    return json.dumps(document).encode()


def material(document: dict[str, Any]) -> dict[str, Any]:
    """Look at the verification material."""
    found: dict[str, Any] = document["verificationMaterial"]
    return found


def entry(document: dict[str, Any]) -> dict[str, Any]:
    """Look at the log entry."""
    found: dict[str, Any] = material(document)["tlogEntries"][0]
    return found


def stamps(document: dict[str, Any]) -> list[Any]:
    """Look at the stamps."""
    found: list[Any] = material(document)["timestampVerificationData"][
        "rfc3161Timestamps"
    ]
    return found


def older(
    version: int, change: Callable[[dict[str, Any]], object] = lambda _: None
) -> bytes:
    """Write the bundle in an older format, then change it."""

    def rewrite(document: dict[str, Any]) -> None:
        leaf = material(document).pop("certificate")
        material(document)["x509CertificateChain"] = {"certificates": [leaf]}
        document["mediaType"] = CHAINED % version
        change(document)

    return spoil(rewrite)


def chain(document: dict[str, Any]) -> list[Any]:
    """Look at the chain."""
    found: list[Any] = material(document)["x509CertificateChain"]["certificates"]
    return found


@pytest.mark.parametrize("version", [1, 2])
def test_older_formats_say_the_same(version: int) -> None:
    """Of a chain only the signer's certificate counts."""
    other = {"rawBytes": "AAAA"}
    bundle = parse_bundle(older(version, lambda d: chain(d).append(other)))
    new = parse_bundle(V1)

    assert bundle.certificate == new.certificate
    assert (bundle.envelope, bundle.log_entry) == (new.envelope, new.log_entry)


def test_the_third_format_has_two_names() -> None:
    """The older of them is still written."""
    raw = spoil(lambda d: d.update(mediaType=CHAINED % 3))

    assert parse_bundle(raw).certificate == parse_bundle(V1).certificate


def test_the_first_format_does_without_a_proof() -> None:
    """The promise is all that it needs."""
    raw = older(1, lambda d: entry(d).pop("inclusionProof"))
    found = parse_bundle(raw).log_entry

    assert found
    assert found.promise
    assert found.proof is None


@pytest.mark.parametrize("version", [1, 2])
def test_older_formats_hold_keys(version: int) -> None:
    """As npm publishes them."""
    raw = spoil(lambda d: d.update(mediaType=CHAINED % version), KEYED)

    assert parse_bundle(raw).key_hint == "dana"


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        pytest.param({}, "", id="no hint"),
        pytest.param({"hint": None}, "", id="null is nothing"),
        pytest.param({"hint": "dana"}, "dana", id="a hint"),
    ],
)
def test_what_is_left_out_is_empty(raw: dict[str, Any], hint: str) -> None:
    """As protobuf's JSON mapping has it."""
    bundle = spoil(lambda d: material(d).update(publicKey=raw), KEYED)

    assert parse_bundle(bundle).key_hint == hint


def test_an_index_that_is_left_out_is_zero() -> None:
    """The first entry of a log, as protobuf for Go writes it."""

    def first(document: dict[str, Any]) -> None:
        del entry(document)["logIndex"]
        del entry(document)["inclusionProof"]["logIndex"]
        del entry(document)["inclusionProof"]["hashes"]

    found = parse_bundle(spoil(first)).log_entry

    assert found
    assert found.proof
    assert (found.index, found.proof.index, found.proof.hashes) == (0, 0, ())


def test_reads_a_bundle_of_the_first_log() -> None:
    """A certificate, a promised time, a stamp."""
    bundle = parse_bundle(V1)

    assert bundle.raw == V1
    assert bundle.envelope.payload == PAYLOAD
    assert bundle.certificate
    assert bundle.key_hint is None
    assert bundle.log_entry
    assert bundle.log_entry.integrated_at
    assert len(bundle.stamps) == 1


def test_reads_a_bundle_of_the_second_log() -> None:
    """Which says nothing about time itself."""
    bundle = parse_bundle(V2)

    assert bundle.log_entry
    assert bundle.log_entry.integrated_at is None
    assert len(bundle.stamps) == 1


def test_a_time_that_nothing_promises_is_no_time() -> None:
    """Without the promise the integrated time is anybody's word."""
    bundle = parse_bundle(spoil(lambda d: entry(d).pop("inclusionPromise")))

    assert bundle.log_entry
    assert bundle.log_entry.integrated_at is None


@given(
    envelopes,
    st.text(max_size=20),
    st.lists(st.binary(max_size=9), max_size=4, unique=True),
)
def test_a_key_bundle_survives(
    envelope: Envelope, hint: str, responses: list[bytes]
) -> None:
    """Seen to fail with stamps left out."""
    bundle = parse_bundle(render_key_bundle(envelope, hint, responses))

    assert bundle.envelope == envelope
    assert (bundle.key_hint, bundle.certificate) == (hint, None)
    assert bundle.stamps == tuple(responses)
    assert bundle.log_entry is None


def test_the_signed_bytes_are_dsses() -> None:
    """The example of the specification, with in-toto's type."""
    assert signed_bytes(b"hello world") == (
        b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
    )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"x" * (MAX_BUNDLE + 1), "at most", id="a bundle too large"),
        pytest.param(b"[]", "bundle: ", id="no object"),
        pytest.param(
            V1.replace(b'"payload":', b'"payload":"","payload":', 1),
            "'payload' twice",
            id="two payloads",
        ),
        pytest.param(
            spoil(lambda d: d.update(mediaType=CHAINED % 4)),
            "mediaType",
            id="a format nobody here knows",
        ),
        pytest.param(
            spoil(
                lambda d: material(d).update(
                    x509CertificateChain={"certificates": [material(d)["certificate"]]}
                )
            ),
            "one certificate in a bundle v0.3",
            id="a chain beside the certificate",
        ),
        pytest.param(
            spoil(lambda d: d.update(mediaType=CHAINED % 2)),
            "a chain in a bundle v0.2",
            id="one certificate in an older format",
        ),
        pytest.param(
            older(1, lambda d: chain(d).clear()),
            "1 to 8 certificates, saw 0",
            id="an empty chain",
        ),
        pytest.param(
            older(1, lambda d: chain(d).extend(chain(d) * MAX_CHAIN)),
            "1 to 8 certificates, saw 9",
            id="a chain too long",
        ),
        pytest.param(
            older(1, lambda d: entry(d).pop("inclusionPromise")),
            "a promise of inclusion",
            id="the first format without a promise",
        ),
        pytest.param(
            older(2, lambda d: entry(d).pop("inclusionProof")),
            "a proof of inclusion in a bundle v0.2",
            id="the second format without a proof",
        ),
        pytest.param(
            spoil(lambda d: entry(d).pop("inclusionProof")),
            "a proof of inclusion in a bundle v0.3",
            id="the third format without a proof",
        ),
        pytest.param(
            spoil(lambda d: stamps(d)[0].update(signedTimestamp="AAAA" * 10923)),
            "stamps of at most",
            id="a stamp too large",
        ),
        pytest.param(
            spoil(lambda d: material(d)["certificate"].update(rawBytes="AAAA" * 10923)),
            "a certificate of at most",
            id="a certificate too large",
        ),
        pytest.param(
            spoil(lambda d: stamps(d).extend(stamps(d))),
            "each stamp once",
            id="a stamp twice",
        ),
        pytest.param(
            spoil(lambda d: d.update(extra=1)), "extra", id="an unknown field"
        ),
        pytest.param(
            spoil(lambda d: d.update(dsse_envelope=d["dsseEnvelope"])),
            "dsse_envelope",
            id="a second spelling",
        ),
        pytest.param(
            spoil(lambda d: d.update(messageSignature=d.pop("dsseEnvelope"))),
            "dsseEnvelope",
            id="a signature over a blob",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"].update(payloadType="text/plain")),
            "payload type",
            id="another payload type",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"].update(signatures=[])),
            "one signature, saw 0",
            id="no signature",
        ),
        pytest.param(
            spoil(
                lambda d: d["dsseEnvelope"].update(
                    signatures=d["dsseEnvelope"]["signatures"] * 2
                )
            ),
            "one signature, saw 2",
            id="two signatures",
        ),
        pytest.param(
            spoil(lambda d: material(d).pop("certificate")),
            "certificate or a public key",
            id="neither certificate nor key",
        ),
        pytest.param(
            spoil(lambda d: material(d).update(publicKey={"hint": "dana"})),
            "certificate or a public key",
            id="certificate and key",
        ),
        pytest.param(
            spoil(
                lambda d: material(d).update(
                    tlogEntries=[entry(d), copy.deepcopy(entry(d))]
                )
            ),
            "one log entry, saw 2",
            id="two log entries",
        ),
        pytest.param(
            spoil(lambda d: stamps(d).extend(stamps(d) * MAX_STAMPS)),
            f"at most {MAX_STAMPS} stamps",
            id="a stamp too many",
        ),
        pytest.param(
            spoil(
                lambda d: entry(d)["inclusionProof"].update(
                    hashes=["AAAA"] * (MAX_PROOF + 1)
                )
            ),
            f"at most {MAX_PROOF} hashes",
            id="a proof too long",
        ),
        pytest.param(
            spoil(lambda d: entry(d)["inclusionProof"].pop("checkpoint")),
            "checkpoint",
            id="no checkpoint",
        ),
        pytest.param(
            spoil(lambda d: entry(d).update(integratedTime="999999999999")),
            "year 10000",
            id="a time beyond time",
        ),
        pytest.param(
            spoil(lambda d: entry(d).update(logIndex="+1")),
            "whole number",
            id="a number with a sign",
        ),
        pytest.param(
            spoil(lambda d: entry(d).update(logIndex=1)),
            "whole number",
            id="a number as a number",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"].update(payload="e3_=")),
            "base64",
            id="base64 for URLs",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"].update(payload="e30")),
            "base64",
            id="base64 without padding",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"].update(payload="e31=")),
            "base64",
            id="base64 with bits left over",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"].update(payload="e3\n0=")),
            "base64",
            id="base64 in two lines",
        ),
    ],
)
def test_refuses(raw: bytes, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Malformed, match=reason):
        parse_bundle(raw)


@given(st.binary(max_size=80))
def test_only_malformed_escapes_bytes(raw: bytes) -> None:
    """Whatever stands in an annotation."""
    with pytest.raises(Malformed):
        parse_bundle(raw)


@given(
    st.sampled_from([V1, V2, KEYED, older(1)]),
    st.data(),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.binary(max_size=6).map(lambda b: base64.b64encode(b).decode())
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
def test_only_malformed_escapes_a_spoiled_field(
    raw: bytes, data: st.DataObject, junk: Any
) -> None:
    """Any one place of a bundle replaced by anything."""
    document = json.loads(raw)
    holder, key = data.draw(st.sampled_from(list(_places(document))))
    holder[key] = junk
    with suppress(Malformed):
        parse_bundle(json.dumps(document).encode())


def _places(node: Any) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in list(items):
        yield node, key
        if isinstance(child, dict | list):
            yield from _places(child)
