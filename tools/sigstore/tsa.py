"""The time-stamping authority: signs that it saw a digest at a time.

Source:
    RFC 3161 (requests, responses, TSTInfo), RFC 5652 (SignedData), RFC 5816 (ESSCertIDv2).
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from tools.sigstore.ca import authority, distinguished, issued_by, key_usage
from tools.sigstore.encoding import sha256
from tools.sigstore.vault import Vault

_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_ECDSA_SHA256 = ObjectIdentifier("1.2.840.10045.4.3.2")
_SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
_TST_INFO = ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")
_SIGNING_TIME = ObjectIdentifier("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE_V2 = ObjectIdentifier("1.2.840.113549.1.9.16.2.47")
_POLICY = ObjectIdentifier("1.3.6.1.4.1.57264.2")
_GRANTED = 0


@asn1.sequence
class _AlgorithmIdentifier:
    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _MessageImprint:
    hash_algorithm: _AlgorithmIdentifier
    hashed_message: bytes


@asn1.sequence
class _TimeStampReq:
    version: int
    message_imprint: _MessageImprint
    policy: ObjectIdentifier | None
    nonce: int | None
    cert_req: Annotated[bool, asn1.Default(value=False)]


@asn1.sequence
class _TSTInfo:
    version: int
    policy: ObjectIdentifier
    message_imprint: _MessageImprint
    serial_number: int
    gen_time: asn1.GeneralizedTime
    nonce: int | None


@asn1.sequence
class _Attribute:
    kind: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _ESSCertIDv2:
    cert_hash: bytes


@asn1.sequence
class _SigningCertificateV2:
    certs: list[_ESSCertIDv2]


@asn1.sequence
class _IssuerAndSerialNumber:
    issuer: asn1.TLV
    serial_number: int


@asn1.sequence
class _SignerInfo:
    version: int
    sid: _IssuerAndSerialNumber
    digest_algorithm: _AlgorithmIdentifier
    signed_attributes: Annotated[asn1.SetOf[_Attribute], asn1.Implicit(0)]
    signature_algorithm: _AlgorithmIdentifier
    signature: bytes


@asn1.sequence
class _EncapsulatedContentInfo:
    content_type: ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class _SignedData:
    version: int
    digest_algorithms: asn1.SetOf[_AlgorithmIdentifier]
    content: _EncapsulatedContentInfo
    certificates: Annotated[asn1.SetOf[x509.Certificate], asn1.Implicit(0)]
    signers: asn1.SetOf[_SignerInfo]


@asn1.sequence
class _ContentInfo:
    content_type: ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


@asn1.sequence
class _StatusInfo:
    status: int


@asn1.sequence
class _TimeStampResp:
    status: _StatusInfo
    token: _ContentInfo


_WITH_SHA256 = _AlgorithmIdentifier(algorithm=_SHA256, parameters=None)
_WITH_ECDSA = _AlgorithmIdentifier(algorithm=_ECDSA_SHA256, parameters=None)


@dataclass(frozen=True, slots=True)
class StampRequest:
    """What somebody wants stamped.

    Attributes:
        digest: SHA-256 of it.
        nonce: To be repeated in the answer.
    """

    digest: bytes
    nonce: int | None = None

    @classmethod
    def parse(cls, der: bytes) -> "StampRequest":
        """Read the body of an RFC 3161 request.

        Raises:
            ValueError: It is none, or asks for another digest than SHA-256.
        """
        request = asn1.decode_der(_TimeStampReq, der)
        imprint = request.message_imprint
        if imprint.hash_algorithm.algorithm != _SHA256:
            raise ValueError("this authority stamps SHA-256 digests only")
        return cls(imprint.hashed_message, request.nonce)


class TimeStampingAuthority:
    """A root, a stamping certificate, and the stamps it gives.

    Args:
        vault: Keeps the keys.
        name: Part of the certificates' common names.
        start: When both certificates begin to be valid; aware.
        end: When they end.
        usage: Of the stamping certificate; anything but time stamping is for tests.
    """

    def __init__(
        self,
        vault: Vault,
        name: str,
        *,
        start: datetime,
        end: datetime,
        usage: ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
    ) -> None:
        self.key = vault.ecdsa("tsa", ec.SECP256R1())
        root_key = vault.ecdsa("tsa-root", ec.SECP384R1())
        self.root = vault.certificate(
            "tsa-root",
            lambda: (
                authority(f"{name}-tsa-root", root_key.public_key(), start, end)
                .add_extension(
                    x509.BasicConstraints(ca=True, path_length=0), critical=True
                )
                .sign(root_key, hashes.SHA384())
            ),
        )
        self.certificate = vault.certificate(
            "tsa", lambda: self._leaf(f"{name}-tsa", root_key, start, end, usage)
        )

    def stamp(
        self,
        request: StampRequest,
        *,
        at: datetime,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        """Answer `request` with a DER TimeStampResp.

        Args:
            request: What to stamp.
            at: The time to certify; aware, cut to the second.
            key: Signs in place of the authority's own, under its name.
        """
        at = at.astimezone(UTC).replace(microsecond=0)
        info = asn1.encode_der(
            _TSTInfo(
                version=1,
                policy=_POLICY,
                message_imprint=_MessageImprint(
                    hash_algorithm=_WITH_SHA256, hashed_message=request.digest
                ),
                serial_number=secrets.randbits(64),
                gen_time=asn1.GeneralizedTime(at),
                nonce=request.nonce,
            )
        )
        return asn1.encode_der(
            _TimeStampResp(
                status=_StatusInfo(status=_GRANTED),
                token=_ContentInfo(
                    content_type=_SIGNED_DATA,
                    content=self._signed(info, at, key or self.key),
                ),
            )
        )

    def _signed(
        self, info: bytes, at: datetime, key: ec.EllipticCurvePrivateKey
    ) -> _SignedData:
        attributes = asn1.SetOf(
            [
                _attribute(_CONTENT_TYPE, _TST_INFO),
                _attribute(_SIGNING_TIME, asn1.UTCTime(at)),
                _attribute(_MESSAGE_DIGEST, sha256(info)),
                _attribute(
                    _SIGNING_CERTIFICATE_V2,
                    _SigningCertificateV2(
                        certs=[
                            _ESSCertIDv2(
                                cert_hash=sha256(
                                    self.certificate.public_bytes(Encoding.DER)
                                )
                            )
                        ]
                    ),
                ),
            ]
        )
        signer = _SignerInfo(
            version=1,
            sid=_IssuerAndSerialNumber(
                issuer=_tlv(self.certificate.issuer.public_bytes()),
                serial_number=self.certificate.serial_number,
            ),
            digest_algorithm=_WITH_SHA256,
            signed_attributes=attributes,
            signature_algorithm=_WITH_ECDSA,
            signature=key.sign(asn1.encode_der(attributes), ec.ECDSA(hashes.SHA256())),
        )
        return _SignedData(
            version=3,
            digest_algorithms=asn1.SetOf([_WITH_SHA256]),
            content=_EncapsulatedContentInfo(content_type=_TST_INFO, content=info),
            certificates=asn1.SetOf([self.certificate]),
            signers=asn1.SetOf([signer]),
        )

    def _leaf(
        self,
        common_name: str,
        root_key: ec.EllipticCurvePrivateKey,
        start: datetime,
        end: datetime,
        usage: ObjectIdentifier,
    ) -> x509.Certificate:
        public_key = self.key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(distinguished(common_name))
            .issuer_name(self.root.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
            )
            .add_extension(issued_by(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA384())
        )


def _attribute(kind: ObjectIdentifier, value: object) -> _Attribute:
    return _Attribute(kind=kind, values=asn1.SetOf([_tlv(asn1.encode_der(value))]))


def _tlv(der: bytes) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, der)
