"""What a verified certificate says of its owner.

Source:
    github.com/sigstore/fulcio, docs/oid-info.md and docs/certificate-specification.md.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat import asn1

from countersign.core.errors import Rejected
from countersign.core.types.evidence import CertificateClaims

_ARC = "1.3.6.1.4.1.57264.1"
_ISSUER_V1 = 1  # raw bytes
_ISSUER = 8  # from here on DER UTF8Strings
_RUNNER_ENVIRONMENT = 11
_SOURCE_REPOSITORY = 12
_SOURCE_DIGEST = 13
_SOURCE_REF = 14
_BUILD_TRIGGER = 20


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a certificate names: exact issuer and SAN, and what else the issuer said."""

    issuer: str
    san: str
    claims: CertificateClaims


def owner_of(certificate: x509.Certificate) -> Owner:
    """Read whom `certificate` names.

    Raises:
        Rejected: it names nobody, several, or in a way that could be mistaken for
            another: an address that is a URI, two issuers.
    """
    return Owner(
        issuer=_issuer(certificate),
        san=_san(certificate),
        claims=CertificateClaims(
            runner_environment=_text(certificate, _RUNNER_ENVIRONMENT) or "",
            source_repository=_text(certificate, _SOURCE_REPOSITORY) or "",
            source_digest=_text(certificate, _SOURCE_DIGEST) or "",
            source_ref=_text(certificate, _SOURCE_REF) or "",
            build_trigger=_text(certificate, _BUILD_TRIGGER) or "",
        ),
    )


def _issuer(certificate: x509.Certificate) -> str:
    legacy = _raw(certificate, _ISSUER_V1)
    issuer = _text(certificate, _ISSUER)
    if issuer is None and legacy is not None:
        return _utf8(legacy)
    if not issuer:
        raise Rejected("expected an OIDC issuer in the certificate")
    if legacy is not None and legacy != issuer.encode():
        raise Rejected("expected one OIDC issuer in the certificate, saw two")
    return issuer


def _san(certificate: x509.Certificate) -> str:
    try:
        names = list(
            certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            ).value
        )
    except x509.ExtensionNotFound as error:
        raise Rejected("expected a subject alternative name") from error
    if len(names) != 1:
        raise Rejected(f"expected one subject alternative name, saw {len(names)}")
    name = names[0]
    if not isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        raise Rejected("expected an e-mail address or URI as subject alternative name")
    is_uri = isinstance(name, x509.UniformResourceIdentifier)
    if is_uri != ("://" in name.value):
        raise Rejected(f"expected an e-mail address or URI, saw {name.value[:200]!r}")
    return name.value


def _text(certificate: x509.Certificate, arc: int) -> str | None:
    raw = _raw(certificate, arc)
    if raw is None:
        return None
    try:
        return asn1.decode_der(str, raw)
    except ValueError as error:
        raise Rejected(f"expected text in the extension {_ARC}.{arc}") from error


def _raw(certificate: x509.Certificate, arc: int) -> bytes | None:
    try:
        value = certificate.extensions.get_extension_for_oid(
            x509.ObjectIdentifier(f"{_ARC}.{arc}")
        ).value
    except x509.ExtensionNotFound:
        return None
    if not isinstance(value, x509.UnrecognizedExtension):
        raise Rejected(f"expected bytes in the extension {_ARC}.{arc}")
    return value.value


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Rejected("expected an OIDC issuer as text") from error
