"""Forged certificates: whose the signature is said to be."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.forging import (
    MATERIAL,
    ME,
    Json,
    Lab,
    b64,
    changed,
    negatives,
    remade,
    stranger_of,
)
from tests.support.sigstore import DANA
from tests.support.sigstore import stranger as other_sigstore
from tools.sigstore import Claim, Identity
from tools.sigstore.ca import CertificateAuthority, Tailor, authority, key_usage
from tools.sigstore.forms import KEYLESS_V1, KEYLESS_V2, PRIVATE, Form, Media
from tools.sigstore.keys import KeyKind
from tools.sigstore.vault import stranger

PROMISED = (KEYLESS_V1, KEYLESS_V2)
ALL = (*PROMISED, PRIVATE)
CHAINED = Form(media=Media.V02, chained=True)
CERTIFICATE = (MATERIAL, "certificate", "rawBytes")
HOUR = timedelta(hours=1)
_CHAIN = "certificate chain"


def _recently() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def _issued(lab: Lab, form: Form, **wishes: Any) -> Json:
    """Sign with a certificate that the authority issued as wished."""
    key = form.key.generate()
    identity = wishes.pop("identity", ME)
    authority_ = wishes.pop("ca", lab.sigstore.ca)
    wishes = {"at": _recently(), "promised": form.scts} | wishes
    certificate = authority_.issue(key.public_key(), identity, **wishes)
    return lab.bundle(form, key=key, at=wishes["at"], certificate=certificate)


def _named(*names: x509.GeneralName) -> Any:
    return lambda lab, form: _issued(lab, form, names=names)


def _extended(oid: str, *, critical: bool) -> Any:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00")
    return lambda builder: builder.add_extension(extension, critical=critical)


def _without(kind: type[x509.ExtensionType]) -> Tailor:
    """Take an extension out that every certificate of Fulcio's has."""

    def tailor(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        builder._extensions = [
            extension
            for extension in builder._extensions
            if not isinstance(extension.value, kind)
        ]
        return builder

    return tailor


def _for_certificates_only(
    builder: x509.CertificateBuilder,
) -> x509.CertificateBuilder:
    usage = key_usage(key_cert_sign=True)
    return _without(x509.KeyUsage)(builder).add_extension(usage, critical=True)


def _as_authority(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    return builder.add_extension(constraints, critical=True)


def _by_leaf(lab: Lab, form: Form) -> Json:
    """Whoever has a certificate issues another in somebody else's name."""
    mallory = ec.generate_private_key(ec.SECP256R1())
    leaf = lab.sigstore.ca.issue(
        mallory.public_key(),
        Identity(san="mallory@acme.example", issuer=ME.issuer),
        at=_recently(),
    )
    bundle = _issued(lab, form, issuer=leaf, key=mallory)
    return _with_chain(bundle, leaf)


def _below(lab: Lab, form: Form) -> Json:
    """An authority below one whose path length allows none."""
    key = ec.generate_private_key(ec.SECP384R1())
    start = lab.sigstore.since
    below = (
        authority(
            "below",
            key.public_key(),
            start,
            start.replace(year=start.year + 9),
            issuer=lab.sigstore.ca.intermediate,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(lab.sigstore.ca.key, hashes.SHA384())
    )
    return _with_chain(_issued(lab, form, issuer=below, key=key), below)


def _with_chain(bundle: Json, above: x509.Certificate) -> Json:
    material = bundle[MATERIAL]
    if "x509CertificateChain" in material:
        certificates = material["x509CertificateChain"]["certificates"]
        certificates[1:] = [{"rawBytes": b64(_der(above))}]
    return bundle


def _self_signed(lab: Lab, form: Form) -> Json:
    key = ec.generate_private_key(ec.SECP256R1())
    return _issued(lab, form, key=key)


def _renamed(lab: Lab, form: Form) -> Json:
    """The authority's key, under a name that the trust root does not know."""
    start = lab.sigstore.since
    renamed = (
        authority(
            "another",
            lab.sigstore.ca.key.public_key(),
            start,
            start.replace(year=start.year + 9),
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(lab.sigstore.ca.key, hashes.SHA384())
    )
    return _issued(lab, form, issuer=renamed)


def _foreign(lab: Lab, form: Form) -> Json:
    """All by a Sigstore that nobody here trusts."""
    return replace(lab, sigstore=other_sigstore()).bundle(form)


def _foreign_ct(lab: Lab, form: Form) -> Json:
    """Promised by a CT log that the trust root does not know."""
    ca = CertificateAuthority.__new__(CertificateAuthority)
    ca.__dict__.update(lab.sigstore.ca.__dict__, _log=other_sigstore().ct)
    return _issued(lab, form, ca=ca)


def _borrowed_promise(lab: Lab, form: Form) -> Json:
    """The CT log's promise of another certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    other = lab.sigstore.ca.issue(key.public_key(), ME, at=_recently())
    found = other.extensions.get_extension_for_class(
        x509.PrecertificateSignedCertificateTimestamps
    )
    return _issued(
        lab,
        form,
        promised=False,
        tailor=lambda b: b.add_extension(
            x509.UnrecognizedExtension(found.oid, found.value.public_bytes()),
            critical=False,
        ),
    )


def _promised_twice(lab: Lab, form: Form) -> Json:
    """The CT log promised it, and it says so twice."""

    def twice(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        ca = lab.sigstore.ca
        body = builder.sign(ca.key, hashes.SHA384()).tbs_certificate_bytes
        found = lab.sigstore.ct.promise(body, ca.key.public_key(), at=_recently())
        listed = asn1.decode_der(bytes, found.value)[2:]
        both = (2 * len(listed)).to_bytes(2) + 2 * listed
        return builder.add_extension(
            x509.UnrecognizedExtension(found.oid, asn1.encode_der(both)),
            critical=False,
        )

    return _issued(lab, form, promised=False, tailor=twice)


def _swapped(lab: Lab, form: Form) -> Json:
    """Another certificate of the same person, for another key."""
    key = ec.generate_private_key(ec.SECP256R1())
    other = lab.sigstore.ca.issue(
        key.public_key(), ME, at=_recently(), promised=form.scts
    )
    return changed(lab.bundle(form), *CERTIFICATE, to=b64(_der(other)))


def _reissued(lab: Lab, form: Form) -> Json:
    """Another certificate for the same key: who is it, then?"""
    key = form.key.generate()
    other = lab.sigstore.ca.issue(
        key.public_key(), replace(ME, san="mallory@acme.example"), at=_recently()
    )
    return changed(lab.bundle(form, key=key), *CERTIFICATE, to=b64(_der(other)))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _weak(lab: Lab, form: Form) -> Json:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505  to be refused
    certificate = lab.sigstore.ca.issue(
        key.public_key(), ME, at=_recently(), promised=form.scts
    )
    return lab.bundle(form, key=key, certificate=certificate)


NEGATIVES = [
    *remade(
        ALL,
        (
            "logged and stamped after the certificate ended",
            "valid at",
            lambda lab, f: lab.bundle(
                f, at=_recently() - 2 * HOUR, logged_at=_recently() - HOUR
            ),
        ),
        (
            "logged and stamped before the certificate began",
            "valid at",
            lambda lab, f: lab.bundle(
                f, at=_recently() - HOUR, logged_at=_recently() - 2 * HOUR
            ),
        ),
        (
            "issued for another purpose",
            "code signing",
            lambda lab, f: _issued(lab, f, usage=ExtendedKeyUsageOID.CLIENT_AUTH),
        ),
        (
            "issued for time stamping",
            "code signing",
            lambda lab, f: _issued(lab, f, usage=ExtendedKeyUsageOID.TIME_STAMPING),
        ),
        (
            "issued for no purpose",
            "code signing",
            lambda lab, f: _issued(lab, f, tailor=_without(x509.ExtendedKeyUsage)),
        ),
        (
            "issued for no use of the key",
            "digital signatures",
            lambda lab, f: _issued(lab, f, tailor=_without(x509.KeyUsage)),
        ),
        (
            "issued for signing certificates",
            "digital signatures",
            lambda lab, f: _issued(lab, f, tailor=_for_certificates_only),
        ),
        ("no name", "subject alternative name", _named()),
        (
            "two names",
            "one subject alternative name, saw 2",
            _named(x509.RFC822Name(DANA), x509.RFC822Name("mallory@acme.example")),
        ),
        (
            "a host's name",
            "e-mail address or URI",
            _named(x509.DNSName("acme.example")),
        ),
        (
            "an address that is a URI",
            "e-mail address or URI",
            _named(x509.RFC822Name("https://acme.example/dana@acme.example")),
        ),
        (
            "a URI that is an address",
            "e-mail address or URI",
            _named(x509.UniformResourceIdentifier(DANA)),
        ),
        (
            "two issuers of the identity",
            "one OIDC issuer",
            lambda lab, f: _issued(
                lab,
                f,
                identity=replace(ME, claims={Claim.ISSUER: "https://evil.example"}),
            ),
        ),
        (
            "no issuer of the identity",
            "OIDC issuer",
            lambda lab, f: _issued(
                lab, f, identity=Identity(san=DANA, issuer="", claims={})
            ),
        ),
        (
            "signed by a stranger in the authority's name",
            _CHAIN,
            lambda lab, f: _issued(lab, f, key=stranger(lab.sigstore.ca.key)),
        ),
        ("signed by a key of the signer's", _CHAIN, _self_signed),
        ("issued under another name of the authority", _CHAIN, _renamed),
        ("issued by another's certificate", _CHAIN, _by_leaf),
        ("issued below an authority that has none below", _CHAIN, _below),
        (
            "restricted by what nobody understands",
            "restricted by the extension|critical",
            lambda lab, f: _issued(
                lab, f, tailor=_extended("1.3.6.1.4.1.57264.9.9", critical=True)
            ),
        ),
        (
            "an authority's certificate",
            "signer's certificate, saw an authority's",
            lambda lab, f: _issued(lab, f, tailor=_as_authority),
        ),
        ("an RSA key of 1024 bits", "RSA key of", _weak),
        (
            "a curve that nobody here verifies with",
            "P-256 or P-384",
            lambda lab, f: lab.bundle(
                f,
                key=stranger_of(KeyKind.P521),
            ),
        ),
        ("of another Sigstore of the same name", f"{_CHAIN}|stamp", _foreign),
    ),
    *remade(
        PROMISED,
        (
            "no promise of a CT log",
            "promise of a CT log",
            lambda lab, f: lab.bundle(replace(f, scts=False)),
        ),
        (
            "a promise that a stranger signed in the CT log's name",
            "promise that the CT log signed",
            lambda lab, f: _issued(lab, f, ct_key=stranger(lab.sigstore.ct.key)),
        ),
        ("two promises", "one promise of a CT log, saw 2", _promised_twice),
        ("a promise of another CT log", "CT log of the trust root", _foreign_ct),
        (
            "a promise of another certificate",
            "promise that the CT log signed",
            _borrowed_promise,
        ),
        ("another person's certificate for the same key", "log entry", _reissued),
    ),
    *remade(
        ALL, ("another certificate of the same person", "signature|log entry", _swapped)
    ),
    *remade(
        (CHAINED,),
        ("issued by another's certificate, which is in the chain", _CHAIN, _by_leaf),
        ("issued below an authority that has none below, in the chain", _CHAIN, _below),
    ),
    *negatives(
        (
            "a byte behind the certificate",
            ALL,
            "certificate",
            lambda _, b: changed(
                b, *CERTIFICATE, to=lambda raw: b64(base64.b64decode(raw) + b"\0")
            ),
        ),
        (
            "half a certificate",
            ALL,
            "certificate",
            lambda _, b: changed(
                b, *CERTIFICATE, to=lambda raw: b64(base64.b64decode(raw)[:300])
            ),
        ),
    ),
]
