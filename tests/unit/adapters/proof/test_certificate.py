"""Whom a certificate names: one issuer and one owner, in one way, or nobody."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from countersign.adapters.proof.certificate import owner_of
from countersign.core.errors import Rejected

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARC = "1.3.6.1.4.1.57264.1"
ISSUER = "https://accounts.acme.example"
DANA = x509.RFC822Name("dana@acme.example")
BOTH = {1: ISSUER.encode(), 8: asn1.encode_der(ISSUER)}


def certificate(
    names: Sequence[x509.GeneralName] | None = (DANA,),
    extensions: Mapping[int, bytes] = BOTH,
) -> x509.Certificate:
    """Sign a certificate with these names and extensions below Fulcio's arc."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(minutes=10))
    )
    if names is not None:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(names), critical=True
        )
    for arc, value in extensions.items():
        oid = x509.ObjectIdentifier(f"{ARC}.{arc}")
        builder = builder.add_extension(
            x509.UnrecognizedExtension(oid, value), critical=False
        )
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param(BOTH, id="both"),
        pytest.param({8: BOTH[8]}, id="the new extension alone"),
        pytest.param({1: BOTH[1]}, id="the old extension alone"),
    ],
)
def test_the_issuer_is_read_from_either_extension(
    extensions: Mapping[int, bytes],
) -> None:
    """The new one first; sigstore-python's own policy knows the old one only."""
    assert owner_of(certificate(extensions=extensions)).issuer == ISSUER


@pytest.mark.parametrize(
    ("cert", "reason"),
    [
        pytest.param(certificate(extensions={}), "an OIDC issuer", id="no issuer"),
        pytest.param(
            certificate(extensions={1: b"https://evil.example", 8: BOTH[8]}),
            "saw two",
            id="two issuers",
        ),
        pytest.param(
            certificate(extensions={8: b"\x04\x01x"}), "text in", id="an issuer no text"
        ),
        pytest.param(
            certificate(extensions={1: b"\xff"}), "as text", id="an old issuer no text"
        ),
        pytest.param(
            certificate(extensions={**BOTH, 12: b"https://raw.example"}),
            f"{ARC}.12",
            id="a claim that is no text",
        ),
        pytest.param(certificate(None), "a subject alternative", id="no name"),
        pytest.param(
            certificate([DANA, x509.RFC822Name("ravi@acme.example")]),
            "saw 2",
            id="two names",
        ),
        pytest.param(
            certificate([x509.DNSName("acme.example")]),
            "an e-mail address or URI",
            id="a host's name",
        ),
        pytest.param(
            certificate([x509.UniformResourceIdentifier("dana@acme.example")]),
            "saw 'dana",
            id="a URI that reads as an address",
        ),
        pytest.param(
            certificate([x509.RFC822Name("https://git.example/x@main")]),
            "saw 'https",
            id="an address that reads as a URI",
        ),
    ],
)
def test_refuses(cert: x509.Certificate, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Rejected, match=reason):
        owner_of(cert)
