"""The certificate authority (Fulcio): binds an identity to a key for ten minutes.

Source:
    github.com/sigstore/fulcio, docs/certificate-specification.md and docs/oid-info.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.sigstore.ct import CertificateLog
from tools.sigstore.encoding import PublicKey
from tools.sigstore.vault import Vault

Tailor = Callable[[x509.CertificateBuilder], x509.CertificateBuilder]

_ARC = "1.3.6.1.4.1.57264.1"
_ISSUER_V1 = 1
_LIFETIME = timedelta(minutes=10)


class Claim(IntEnum):
    """What the identity provider said, by the last arc of its extension's OID."""

    ISSUER = 8
    BUILD_SIGNER = 9
    RUNNER_ENVIRONMENT = 11
    SOURCE_REPOSITORY = 12
    SOURCE_REVISION = 13
    SOURCE_REF = 14
    BUILD_TRIGGER = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a certificate names.

    Attributes:
        san: An e-mail address or a URI.
        issuer: The identity provider that vouches for it.
        claims: What else it said; empty for persons.
    """

    san: str
    issuer: str
    claims: Mapping[Claim, str] = field(default_factory=dict)


class CertificateAuthority:
    """A root, an intermediate, and the leaves it issues.

    Args:
        vault: Keeps the keys.
        name: Part of the certificates' common names.
        log: Promises each leaf.
        start: When root and intermediate begin to be valid; aware.
        end: When they end.
    """

    def __init__(
        self,
        vault: Vault,
        name: str,
        log: CertificateLog,
        *,
        start: datetime,
        end: datetime,
    ) -> None:
        self._log = log
        self.key = vault.ecdsa("ca", ec.SECP384R1())
        root_key = vault.ecdsa("ca-root", ec.SECP384R1())
        self.root = vault.certificate(
            "ca-root",
            lambda: (
                authority(f"{name}-root", root_key.public_key(), start, end)
                .add_extension(
                    x509.BasicConstraints(ca=True, path_length=1), critical=True
                )
                .sign(root_key, hashes.SHA384())
            ),
        )
        self.intermediate = vault.certificate(
            "ca",
            lambda: (
                authority(
                    f"{name}-intermediate",
                    self.key.public_key(),
                    start,
                    end,
                    issuer=self.root,
                )
                .add_extension(
                    x509.BasicConstraints(ca=True, path_length=0), critical=True
                )
                .add_extension(
                    x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]),
                    critical=False,
                )
                .sign(root_key, hashes.SHA384())
            ),
        )

    def issue(
        self,
        public_key: PublicKey,
        identity: Identity,
        *,
        at: datetime,
        lifetime: timedelta = _LIFETIME,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
        promised: bool = True,
        key: ec.EllipticCurvePrivateKey | None = None,
        ct_key: ec.EllipticCurvePrivateKey | None = None,
        names: Sequence[x509.GeneralName] | None = None,
        issuer: x509.Certificate | None = None,
        tailor: Tailor = lambda builder: builder,
    ) -> x509.Certificate:
        """Certify that `public_key` belongs to `identity`.

        Args:
            public_key: The signer's.
            identity: Who that is.
            at: When it begins to be valid; aware, cut to the second.
            lifetime: How long.
            usage: The extended key usage; anything but code signing is for tests.
            promised: Whether it carries an SCT.
            key: Signs in place of the authority's own, under its name.
            ct_key: Signs the SCT in place of the log's own, under its name.
            names: Stand in the certificate in place of the identity's; none at all if
                empty.
            issuer: Stands as issuer in place of the intermediate; `key` is its key.
            tailor: Changes the certificate before it is promised and signed.
        """
        at = at.replace(microsecond=0)
        signer = key or self.key
        above = issuer or self.intermediate
        builder = self._leaf(public_key, identity, above, usage)
        builder = builder.not_valid_before(at).not_valid_after(at + lifetime)
        if names is None:
            names = [_general_name(identity.san)]
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=True
            )
        builder = tailor(builder)
        if promised:
            precertificate = builder.sign(signer, hashes.SHA384())
            promise = self._log.promise(
                precertificate.tbs_certificate_bytes,
                _ecdsa(above),
                at=at,
                key=ct_key,
            )
            builder = builder.add_extension(promise, critical=False)
        return builder.sign(signer, hashes.SHA384())

    @staticmethod
    def _leaf(
        public_key: PublicKey,
        identity: Identity,
        issuer: x509.Certificate,
        usage: x509.ObjectIdentifier,
    ) -> x509.CertificateBuilder:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .add_extension(key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
            )
            .add_extension(issued_by(_ecdsa(issuer)), critical=False)
            .add_extension(
                _extension(_ISSUER_V1, identity.issuer.encode()), critical=False
            )
        )
        claims = {Claim.ISSUER: identity.issuer, **identity.claims}
        for claim, value in sorted(claims.items()):
            builder = builder.add_extension(
                _extension(claim, asn1.encode_der(value)), critical=False
            )
        return builder


def authority(
    common_name: str,
    public_key: ec.EllipticCurvePublicKey,
    start: datetime,
    end: datetime,
    *,
    issuer: x509.Certificate | None = None,
) -> x509.CertificateBuilder:
    """Begin the certificate of an authority.

    Args:
        common_name: Its subject.
        public_key: Its key.
        start: When it begins to be valid; aware.
        end: When it ends.
        issuer: Who signs it; None if it does so itself.
    """
    subject = distinguished(common_name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        )
    )
    if issuer is None:
        return builder
    return builder.add_extension(issued_by(_ecdsa(issuer)), critical=False)


def distinguished(common_name: str) -> x509.Name:
    """Name an authority."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "virtual sigstore"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def issued_by(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    """Point at the issuer's key."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def key_usage(
    *,
    digital_signature: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    """Say what a key may do."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _ecdsa(issuer: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("authorities sign with ECDSA here")
    return key


def _general_name(san: str) -> x509.GeneralName:
    if "://" in san:
        return x509.UniformResourceIdentifier(san)
    return x509.RFC822Name(san)


def _extension(arc: int, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_ARC}.{arc}"), value)
