"""Certificates of our own, by the long-lived authorities that the chart made.

An authority is trusted for years by who cannot be told of another one at run time: the
registration, which nothing rewrites. What it signs lasts for days.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from countersign.core.errors import Malformed

_SKEW = timedelta(hours=1)  # between the clocks of a cluster's nodes
_RENEW_AT = 3  # when a third of its life is left


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a certificate is to say.

    Attributes:
        name: Common name, and, of a server, the DNS name.
        server: It is shown by a listener; else by a client.
        lasts: How long.
    """

    name: str
    server: bool
    lasts: timedelta


def read_issuer(certificate: bytes, key: bytes) -> Issuer:
    """Read an authority.

    Raises:
        Malformed: it is none, or the key is not its own.
    """
    try:
        authority = x509.load_pem_x509_certificate(certificate)
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise Malformed(f"expected an authority in PEM: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Malformed("expected an EC or RSA key of the authority")
    if private.public_key() != authority.public_key():
        raise Malformed("expected the authority's own key, saw another")
    return Issuer(authority, private)


def issue(issuer: Issuer, wanted: Wanted, at: datetime) -> tuple[bytes, bytes]:
    """Return a new certificate and its key, PEM.

    It ends with its authority, at the latest.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.name)])
    usage = (
        ExtendedKeyUsageOID.SERVER_AUTH
        if wanted.server
        else ExtendedKeyUsageOID.CLIENT_AUTH
    )
    end = min(at + wanted.lasts, issuer.certificate.not_valid_after_utc)
    # no later than now, or one that an older clock made would look newer
    begin = max(at - min(_SKEW, wanted.lasts), issuer.certificate.not_valid_before_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
    )
    if wanted.server:
        names = x509.SubjectAlternativeName([x509.DNSName(wanted.name)])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(issuer.key, SHA256())
    return (
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def usable(
    issuer: Issuer, wanted: Wanted, certificate: bytes, key: bytes, at: datetime
) -> datetime | None:
    """Return when a certificate ends; None: a new one is due, for whatever reason."""
    try:
        leaf = x509.load_pem_x509_certificate(certificate)
        private = load_pem_private_key(key, password=None)
        leaf.verify_directly_issued_by(issuer.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return None
    (name,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME) or (None,)
    if name is None or name.value != wanted.name:
        return None
    if private.public_key() != leaf.public_key():
        return None
    left = leaf.not_valid_after_utc - at
    whole = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    # one that was made to last longer than it is to last now is due, too
    if left < whole / _RENEW_AT or left > wanted.lasts + _SKEW:
        return None
    return leaf.not_valid_after_utc


def _authority_key(issuer: Issuer) -> x509.AuthorityKeyIdentifier:
    try:
        found = issuer.certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        )
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(
            issuer.key.public_key()
        )
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)
