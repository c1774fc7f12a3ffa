"""Keys of the trust root: another key, another time, another word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.core.errors import Malformed
from countersign.core.types.time import Interval
from tests.support.forging import (
    MATERIAL,
    ME,
    Forged,
    Json,
    Lab,
    Spoil,
    b64,
    changed,
    key_of,
    negatives,
    pem_of,
    remade,
    stranger_of,
)
from tests.support.proving import key_root, key_root_within, sigstore_root
from tools.sigstore.encoding import INTOTO, pae
from tools.sigstore.entries import EntryKind, Verifier
from tools.sigstore.forms import KEYED, KEYED_V1, KEYED_V2, KEYLESS_V1, Form
from tools.sigstore.keys import KeyKind, hint, sign_message

KEYED_INTOTO = replace(KEYED_V1, entry=EntryKind.INTOTO)
KEYED_STAMPED = Form(certified=False, entry=None, stamps=1)
LOGGED = (KEYED_V1, KEYED_INTOTO, KEYED_V2)
TIMED = (*LOGGED, KEYED_STAMPED)
ALL = (KEYED, *TIMED)
KINDS = tuple(
    Form(key=kind, certified=False, entry=entry)
    for kind in (KeyKind.P384, KeyKind.ED25519, KeyKind.RSA_2048, KeyKind.RSA_4096)
    for entry in (None, EntryKind.DSSE)
)
DAY = timedelta(days=1)


def _within(start: timedelta | None, end: timedelta | None) -> Spoil:
    """The key may sign from so long ago, till so long ago."""

    def spoil(lab: Lab, bundle: Json) -> Forged:
        now = datetime.now(UTC)
        window = Interval(now + start if start else None, now + end if end else None)
        pem = pem_of(key_of(KeyKind.P256))
        keys = key_root_within("local-keys", window, P256=pem)
        return Forged(bundle, (sigstore_root(lab.sigstore), keys))

    return spoil


def _weak(bits: int) -> Spoil:
    def spoil(lab: Lab, _: Json) -> Forged:
        key = rsa.generate_private_key(65537, bits)  # to be refused
        bundle = lab.bundle(KEYED, key=key)
        return Forged(bundle, (key_root(weak=pem_of(key)),))

    return spoil


def _curve(curve: ec.EllipticCurve) -> Spoil:
    def spoil(lab: Lab, _: Json) -> Forged:
        key = ec.generate_private_key(curve)
        pem = key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        bundle = lab.bundle(KEYED, signature=_sign(key))
        return Forged(bundle, (key_root(odd=pem),))

    return spoil


def _sign(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.sign(b"anything", ec.ECDSA(hashes.SHA256()))


def _lying_hint(lab: Lab, form: Form) -> Json:
    """The hint names one key, another signed: whoever hints wrongly is not helped."""
    return lab.bundle(form, hint=hint(key_of(KeyKind.P384).public_key()))


def _for_another_key(lab: Lab, form: Form) -> Json:
    """The log took another trusted key's signature over the same statement."""
    return _logged_with(lab, form, key_of(KeyKind.P384).public_key())


def _for_certificate(lab: Lab, form: Form) -> Json:
    """The log took a signature of a certificate's owner over the same statement."""
    certificate = lab.sigstore.ca.issue(
        key_of(KeyKind.P384).public_key(), ME, at=datetime.now(UTC)
    )
    return _logged_with(lab, form, certificate)


def _logged_with(lab: Lab, form: Form, verifier: Verifier) -> Json:
    signature = sign_message(key_of(KeyKind.P384), pae(INTOTO, lab.statement))
    return lab.bundle(
        form,
        noted=lambda signed: replace(signed, verifier=verifier, signature=signature),
    )


NEGATIVES = [
    *remade(
        (*ALL, *KINDS),
        (
            "a key that nobody named",
            "key of the trust root",
            lambda lab, form: lab.bundle(form, key=stranger_of(form.key)),
        ),
    ),
    *remade(ALL, ("the hint of another key", "key of the trust root", _lying_hint)),
    *remade(
        LOGGED,
        ("logged for another trusted key", "log entry", _for_another_key),
        ("logged for the owner of a certificate", "log entry", _for_certificate),
    ),
    *negatives(
        ("a key that may not yet sign", TIMED, "valid at", _within(DAY, None)),
        ("a key that may no longer sign", TIMED, "valid at", _within(None, -DAY)),
        (
            "a key that may not yet sign, undated",
            (KEYED,),
            "may sign now",
            _within(DAY, None),
        ),
        (
            "a key that may no longer sign, undated",
            (KEYED,),
            "may sign now",
            _within(None, -DAY),
        ),
        ("an RSA key of 1024 bits", (KEYED,), "key of the trust root", _weak(1024)),
        (
            "a key on a curve of another kind",
            (KEYED,),
            "key of the trust root",
            _curve(ec.SECP256K1()),
        ),
        (
            "a certificate's bundle with a hint in its place",
            (KEYLESS_V1,),
            "key of the trust root",
            lambda _, b: changed(
                b,
                MATERIAL,
                to=lambda m: {
                    "publicKey": {"hint": "P256"},
                    "tlogEntries": m["tlogEntries"],
                },
            ),
        ),
    ),
    *negatives(
        (
            "a key itself in place of its hint",
            ALL,
            "publicKey",
            lambda _, b: changed(
                b,
                MATERIAL,
                "publicKey",
                to={"rawBytes": b64(pem_of(key_of(KeyKind.P256)))},
            ),
        ),
        (
            "both a certificate and a hint",
            ALL,
            "a certificate or a public key",
            lambda _, b: changed(b, MATERIAL, "certificate", to={"rawBytes": "AAAA"}),
        ),
        (
            "neither certificate nor hint",
            ALL,
            "a certificate or a public key",
            lambda _, b: changed(
                b,
                MATERIAL,
                to=lambda m: {k: v for k, v in m.items() if k != "publicKey"},
            ),
        ),
        error=Malformed,
    ),
]
