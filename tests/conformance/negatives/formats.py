"""What is no bundle: versions mixed, JSON that readers could disagree about."""

import json
from collections.abc import Callable
from dataclasses import replace

from countersign.core.errors import Malformed
from tests.support.forging import (
    ENTRY,
    MATERIAL,
    PROOF,
    SIGNATURE,
    Json,
    Lab,
    changed,
    dropped,
    negatives,
)
from tools.sigstore.encoding import b64
from tools.sigstore.forms import KEYED, KEYLESS_V1, KEYLESS_V2, PRIVATE, Form, Media

V01 = Form(media=Media.V01, chained=True)
V02 = Form(media=Media.V02, chained=True)
V03_OLD = Form(media=Media.V03_OLD)
LOGGED = (KEYLESS_V1, KEYLESS_V2)
ALL = (V01, V02, V03_OLD, KEYLESS_V1, KEYLESS_V2, PRIVATE, KEYED)


def _text(change: Callable[[str], str | bytes]) -> Callable[[Lab, Json], bytes]:
    """Change the JSON as text."""

    def spoil(_: Lab, bundle: Json) -> bytes:
        text = change(json.dumps(bundle))
        return text if isinstance(text, bytes) else text.encode()

    return spoil


def _in_payload(change: Callable[[str], str]) -> Callable[[Lab, Json], Json]:
    """Change how base64 is written, not what it says."""
    return lambda _, b: changed(b, "dsseEnvelope", "payload", to=change)


def _in_other_digits(number: str) -> str:
    """Write a number in Arabic-Indic digits, which many readers take."""
    return "".join(chr(0x660 + int(digit)) for digit in number)


def _loose_bits(encoded: str) -> str:
    """Set bits of the last character that decoders drop."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body, padding = encoded.rstrip("="), encoded[len(encoded.rstrip("=")) :]
    assert padding, "the payload has a length that leaves no bits"
    return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + padding


NEGATIVES = [
    *negatives(
        (
            "no promise in a bundle v0.1",
            (V01,),
            "promise of inclusion in a bundle v0.1",
            lambda _, b: dropped(b, *ENTRY, "inclusionPromise"),
        ),
        (
            "no proof in a bundle v0.2",
            (V02,),
            "proof of inclusion in a bundle v0.2",
            lambda _, b: dropped(b, *ENTRY, "inclusionProof"),
        ),
        (
            "no proof in a bundle v0.3 of the older spelling",
            (V03_OLD,),
            "proof of inclusion in a bundle v0.3",
            lambda _, b: dropped(b, *ENTRY, "inclusionProof"),
        ),
        (
            "a chain in a bundle v0.3",
            (KEYLESS_V1, KEYLESS_V2, PRIVATE),
            "saw a chain",
            lambda _, b: changed(
                b,
                MATERIAL,
                to=lambda m: {
                    **{k: v for k, v in m.items() if k != "certificate"},
                    "x509CertificateChain": {"certificates": [m["certificate"]]},
                },
            ),
        ),
        (
            "one certificate in a bundle v0.2",
            (V02,),
            "saw a certificate",
            lambda lab, _: lab.bundle(replace(V02, chained=False)),
        ),
        (
            "an empty chain",
            (V01, V02),
            "certificates",
            lambda _, b: changed(
                b, MATERIAL, "x509CertificateChain", "certificates", to=[]
            ),
        ),
        (
            "a version that is not there yet",
            ALL,
            "mediaType",
            lambda _, b: (
                b | {"mediaType": "application/vnd.dev.sigstore.bundle.v0.4+json"}
            ),
        ),
        (
            "the media type of something else",
            ALL,
            "mediaType",
            lambda _, b: b | {"mediaType": "application/json"},
        ),
        ("no media type", ALL, "mediaType", lambda _, b: dropped(b, "mediaType")),
        ("an unknown field", ALL, "more", lambda _, b: b | {"more": 1}),
        (
            "an unknown field further in",
            ALL,
            "more",
            lambda _, b: changed(b, MATERIAL, "more", to=[]),
        ),
        (
            "fields as protobuf spells them in its own files",
            ALL,
            "media",
            lambda _, b: {
                ("media_type" if name == "mediaType" else name): value
                for name, value in b.items()
            },
        ),
        (
            "a key twice",
            ALL,
            "twice",
            _text(
                lambda t: t.replace(
                    '"payloadType"', '"payload": "AA==", "payloadType"', 1
                )
            ),
        ),
        ("a byte order mark", ALL, "JSON", _text(lambda t: "\ufeff" + t)),
        ("UTF-16", ALL, "JSON", _text(lambda t: t.encode("utf-16"))),
        ("two documents", ALL, "JSON", _text(lambda t: t + t)),
        ("half a document", ALL, "JSON", _text(lambda t: t[: len(t) // 2])),
        ("nothing", ALL, "JSON", _text(lambda _: "")),
        ("a list of bundles", ALL, "bundle", _text(lambda t: f"[{t}]")),
        (
            "nested deeper than anything real",
            ALL,
            "deep",
            _text(lambda t: "[" * 100_000 + t + "]" * 100_000),
        ),
        (
            "half of a character",
            ALL,
            "half of a character",
            _text(lambda t: t.replace('"mediaType": "', '"mediaType": "\\ud800', 1)),
        ),
        (
            "more than a mebibyte",
            ALL,
            "at most 1048576 bytes",
            _text(lambda t: t + " " * 1024 * 1024),
        ),
        (
            "a NaN",
            LOGGED,
            "NaN",
            lambda _, b: changed(b, *PROOF, "treeSize", to=float("nan")),
        ),
        (
            "an index of forty digits",
            LOGGED,
            "logIndex|integer|number",
            lambda _, b: changed(b, *ENTRY, "logIndex", to="9" * 40),
        ),
        (
            "an index of forty digits, not in quotes",
            LOGGED,
            "integer beyond 64 bits",
            lambda _, b: changed(b, *ENTRY, "logIndex", to=10**40),
        ),
        (
            "an index of 2^63",
            LOGGED,
            "logIndex|integer|number",
            lambda _, b: changed(b, *ENTRY, "logIndex", to=str(2**63)),
        ),
        (
            "an index below nothing",
            LOGGED,
            "logIndex|integer|number",
            lambda _, b: changed(b, *PROOF, "logIndex", to="-1"),
        ),
        (
            "a size with a fraction",
            LOGGED,
            "treeSize|integer|number",
            lambda _, b: changed(b, *PROOF, "treeSize", to=1.5),
        ),
        (
            "a size in other digits",
            LOGGED,
            "treeSize|integer|number",
            lambda _, b: changed(b, *PROOF, "treeSize", to=_in_other_digits),
        ),
        (
            "a size with leading zeros",
            LOGGED,
            "treeSize|integer|number",
            lambda _, b: changed(b, *PROOF, "treeSize", to=lambda size: f"00{size}"),
        ),
        (
            "a time beyond the year 9999",
            (KEYLESS_V1,),
            "year 10000",
            lambda _, b: changed(b, *ENTRY, "integratedTime", to=str(2**62)),
        ),
        (
            "base64 for addresses",
            ALL,
            "base64",
            lambda _, b: changed(
                b,
                *SIGNATURE,
                to=lambda text: "_-" + text[2:],
            ),
        ),
        (
            "base64 without padding",
            ALL,
            "base64",
            lambda _, b: changed(b, *SIGNATURE, to=b64(b"12345").rstrip("=")),
        ),
        (
            "base64 with a space",
            ALL,
            "base64",
            _in_payload(lambda t: t[:4] + " " + t[4:]),
        ),
        ("base64 with a line break", ALL, "base64", _in_payload(lambda t: t + "\n")),
        (
            "base64 with bits that nobody decodes",
            ALL,
            "base64",
            lambda _, b: changed(
                b, *SIGNATURE, to=lambda _: _loose_bits(b64(b"12345"))
            ),
        ),
        (
            "base64 with something behind its padding",
            ALL,
            "base64",
            lambda _, b: changed(b, *SIGNATURE, to=b64(b"12345") + "AAAA"),
        ),
        (
            "a number in place of text",
            ALL,
            "sig",
            lambda _, b: changed(b, *SIGNATURE, to=5),
        ),
        (
            "nothing in place of the material",
            ALL,
            "verificationMaterial",
            lambda _, b: b | {"verificationMaterial": None},
        ),
        error=Malformed,
    ),
]
