"""Authorities that a trust root names, and that may not do what they did."""

import copy
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.forging import (
    Forged,
    Json,
    Lab,
    Remake,
    keys_root,
    remade,
)
from tests.support.proving import private_root, sigstore_root
from tools.sigstore import VirtualSigstore
from tools.sigstore.ca import authority, key_usage
from tools.sigstore.forms import KEYLESS_V1, KEYLESS_V2, PRIVATE, Form
from tools.sigstore.tsa import TimeStampingAuthority
from tools.sigstore.vault import Vault

STAMPED = (KEYLESS_V2, PRIVATE)
ALL = (KEYLESS_V1, *STAMPED)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Certificate | None = None,
    signer: ec.EllipticCurvePrivateKey | None = None,
    ca: bool = True,
    path_length: int | None = None,
    purpose: x509.ObjectIdentifier | None = None,
    signs: bool = True,
    end: datetime | None = None,
    critical: bool = False,
) -> x509.Certificate:
    """Make the certificate of an authority, all right but for what is wished."""
    start = datetime.now(UTC) - 30 * DAY
    builder = authority(
        "an authority", key.public_key(), start, end or start + 99 * DAY, issuer=issuer
    ).add_extension(
        x509.BasicConstraints(ca=ca, path_length=path_length if ca else None),
        critical=True,
    )
    if purpose is not None:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([purpose]), critical=False
        )
    if critical:
        builder = builder.add_extension(
            x509.NameConstraints([x509.DNSName("acme.example")], None), critical=True
        )
    if not signs:
        builder._extensions = [
            extension
            for extension in builder._extensions
            if not isinstance(extension.value, x509.KeyUsage)
        ]
        builder = builder.add_extension(
            key_usage(digital_signature=True), critical=True
        )
    return builder.sign(signer or key, hashes.SHA256())


def _issuing(
    root: x509.Certificate | None = None,
    above: Json | None = None,
    **wishes: Any,
) -> Remake:
    """Bundles by an authority with such a certificate, which the trust root names."""

    def spoil(lab: Lab, form: Form) -> Forged:
        key = ec.generate_private_key(ec.SECP256R1())
        above_key = ec.generate_private_key(ec.SECP256R1())
        upper = _certificate(above_key, **(above or {}))
        given: Json = {"issuer": upper, "signer": above_key} | wishes
        sigstore = copy.copy(lab.sigstore)
        sigstore.ca = copy.copy(lab.sigstore.ca)
        sigstore.ca.key = key
        sigstore.ca.root = root or upper
        sigstore.ca.intermediate = _certificate(key, **given)
        return _trusting(sigstore, form)

    return spoil


def _deep(lab: Lab, form: Form) -> Forged:
    """Three certificates; the last says that there are but two."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    root = _certificate(keys[0], path_length=0)
    middle = _certificate(keys[1], issuer=root, signer=keys[0], path_length=0)
    sigstore = copy.copy(lab.sigstore)
    sigstore.ca = copy.copy(lab.sigstore.ca)
    sigstore.ca.key, sigstore.ca.intermediate, sigstore.ca.root = keys[1], middle, root
    return _trusting(sigstore, form)


def _stamping(**wishes: Any) -> Remake:
    """Stamps by an authority with such a certificate, which the trust root names."""

    def spoil(lab: Lab, form: Form) -> Forged:
        sigstore = copy.copy(lab.sigstore)
        start = datetime.now(UTC) - 30 * DAY
        given: Json = {"start": start, "end": start + 99 * DAY} | wishes
        sigstore.tsa = TimeStampingAuthority(Vault(), "acme", **given)
        return _trusting(sigstore, form)

    return spoil


def _sister(lab: Lab, form: Form) -> Forged:
    """Another authority under the same root, which the trust root does not name."""
    start = datetime.now(UTC) - 30 * DAY
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder))
        named, sister = copy.copy(lab.sigstore), copy.copy(lab.sigstore)
        named.tsa = TimeStampingAuthority(
            vault, "acme", start=start, end=start + 99 * DAY
        )
        for kept in (*Path(folder).glob("tsa.*"),):
            kept.unlink()
        sister.tsa = TimeStampingAuthority(
            vault, "acme", start=start, end=start + 99 * DAY
        )
    assert sister.tsa.root == named.tsa.root
    return Forged(Lab(sister).bundle(form), _trusting(named, form).roots)


def _trusting(sigstore: VirtualSigstore, form: Form) -> Forged:
    private = form.certified and form.entry is None
    root = private_root(sigstore) if private else sigstore_root(sigstore)
    return Forged(Lab(sigstore).bundle(form), (root, keys_root()))


def _stranger() -> x509.Certificate:
    return _certificate(ec.generate_private_key(ec.SECP256R1()))


_ENDED = datetime.now(UTC) - HOUR

NEGATIVES = [
    *remade(
        ALL,
        (
            "an authority that is none",
            "to be an authority's",
            _issuing(ca=False),
        ),
        (
            "an authority that may not sign certificates",
            "may sign certificates",
            _issuing(signs=False),
        ),
        (
            "an authority for another purpose",
            "authority for code signing",
            _issuing(purpose=ExtendedKeyUsageOID.SERVER_AUTH),
        ),
        (
            "an authority for certain names only",
            "restricted by the extension",
            _issuing(critical=True),
        ),
        ("an authority whose certificate ended", "valid at", _issuing(end=_ENDED)),
        (
            "an authority below one whose certificate ended",
            "valid at",
            _issuing(above={"end": _ENDED}),
        ),
        (
            "an authority below one that did not issue it",
            "issued by the next",
            _issuing(root=_stranger()),
        ),
        ("an authority below two of which one has none below", "path length", _deep),
    ),
    *remade(
        STAMPED,
        (
            "a stamp by who may not stamp",
            "stamp",
            _stamping(usage=ExtendedKeyUsageOID.CODE_SIGNING),
        ),
        ("a stamp by another under the same root", "stamp by an authority", _sister),
        ("a stamp by whose certificate ended", "stamp", _stamping(end=_ENDED)),
    ),
]
