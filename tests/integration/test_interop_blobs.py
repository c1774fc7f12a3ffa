"""Attestations about files: what the real cosign signs we read, and the other way round.

By keys of every kind that cosign imports, and keyless; with every log, with stamps and
without.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509 import Certificate

from countersign.adapters.sign.key import KeySigner
from countersign.adapters.sign.keyless import KeylessSigner
from countersign.core.errors import Rejected
from countersign.core.types.artifacts import Digest, Subject
from countersign.core.types.change import ObjectChange
from countersign.core.types.people import CertIdentity, KeyIdentity
from countersign.core.types.trust import TrustRoot, TsaOnly
from countersign.wire.cosign import is_legacy_file, legacy_file
from countersign.wire.signoff import render_sign_off
from countersign.wire.statement import parse_statement
from tests.support.claims import SIGN_OFF
from tests.support.cosigning import (
    Cosign,
    Services,
    Signer,
    proven,
    running_cosign,
    trust,
)
from tests.support.sigstore import DANA, ISSUER
from tools.sigstore.keys import KeyKind

BLOB = b'{"the intent": "that is signed off"}'
(CHANGE,) = SIGN_OFF.changes
assert isinstance(CHANGE, ObjectChange)
CLAIM = replace(SIGN_OFF, changes=(replace(CHANGE, digest=Digest.sha256(BLOB)),))
STATEMENT = render_sign_off(CLAIM)
TYPE = parse_statement(STATEMENT).predicate_type
# Cosign 3.1 refuses what it signed itself with Ed25519 (it signs as ED25519ph and
# verifies otherwise), and with P-384 for Rekor v1 (whose client hashes with SHA-256).
SIGNED = [
    (kind, services)
    for kind, services in product(
        [KeyKind.P256, KeyKind.P384, KeyKind.RSA_2048], Services
    )
    if kind is not KeyKind.P384
    or services not in {Services.REKOR_V1, Services.REKOR_V1_STAMPED}
]
LOGGED = [Services.REKOR_V1, Services.REKOR_V1_STAMPED, Services.REKOR_V2]


@pytest.fixture(scope="module", name="cosign")
def _cosign() -> Iterator[Cosign]:
    with running_cosign() as cosign:
        (cosign.folder / "intent").write_bytes(BLOB)
        predicate = parse_statement(STATEMENT).predicate
        (cosign.folder / "predicate").write_text(json.dumps(predicate))
        yield cosign


def imported(cosign: Cosign, kind: KeyKind) -> tuple[Signer, Path]:
    """Make a key of `kind`, and have cosign import it."""
    stem = cosign.folder / kind.lower()
    pem = stem.with_suffix(".pem")
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(kind.generate().private_bytes(*form))
    cosign.run("import-key-pair", "--key", pem, "--output-key-prefix", stem).check()
    return Signer.key(stem), stem.with_suffix(".pub")


@pytest.mark.parametrize(("kind", "services"), SIGNED)
def test_reads_what_cosign_signs_with_a_key(
    cosign: Cosign, kind: KeyKind, services: Services
) -> None:
    """It is proven, says what was signed, and when if somebody trusted says so."""
    signer, public = imported(cosign, kind)
    bundle = cosign.attest_blob(
        cosign.folder / "intent",
        signer,
        services,
        *("--type", TYPE, "--predicate", cosign.folder / "predicate"),
    )

    evidence = proven(bundle, trust(cosign, public))

    assert evidence.claim == CLAIM
    assert evidence.signer == KeyIdentity("it", kind.lower())
    assert (evidence.signed_at is None) is (services is Services.NOBODY)


@pytest.mark.parametrize("keyless", [True, False])
def test_reads_the_files_of_older_versions(cosign: Cosign, *, keyless: bool) -> None:
    """Rewritten as a bundle, they prove the same."""
    key, public = imported(cosign, KeyKind.P256)
    signer = Signer.keyless(cosign, DANA, ISSUER) if keyless else key
    old = cosign.attest_blob(
        cosign.folder / "intent",
        signer,
        Services.REKOR_V1,
        *("--type", TYPE, "--predicate", cosign.folder / "predicate"),
        old=True,
    )

    evidence = proven(legacy_file(old), trust(cosign, public))

    assert is_legacy_file(old)
    assert evidence.claim == CLAIM
    assert evidence.signed_at


@pytest.mark.parametrize("services", LOGGED)
def test_reads_what_cosign_signs_keyless(cosign: Cosign, services: Services) -> None:
    """Whose certificate it is comes from the certificate."""
    evidence = proven(keyless(cosign, services), trust(cosign))

    assert evidence.claim == CLAIM
    assert evidence.signer == CertIdentity("it", ISSUER, DANA)
    assert evidence.signed_at


def test_reads_a_certificate_without_log_where_none_is_asked_for(
    cosign: Cosign,
) -> None:
    """As of private instances: the root says whether there is a log."""
    bundle = keyless(cosign, Services.STAMPED)
    sigstore = cosign.sigstore
    chains = TsaOnly(
        certificate_chain=pem(sigstore.ca.intermediate, sigstore.ca.root),
        tsa_chain=pem(sigstore.tsa.certificate, sigstore.tsa.root),
    )
    private = TrustRoot(name="it", digest=Digest.sha256(b"it"), tsa_only=chains)

    evidence = proven(bundle, private)

    assert evidence.signer == CertIdentity("it", ISSUER, DANA)
    with pytest.raises(Rejected, match="transparency log"):
        proven(bundle, trust(cosign))


def test_refuses_a_certificate_that_nobody_saw(cosign: Cosign) -> None:
    """Cosign signs so where no service is configured: nobody knows when."""
    bundle = keyless(cosign, Services.NOBODY)

    with pytest.raises(Rejected):
        proven(bundle, trust(cosign))


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize(
    "kind", [KeyKind.P256, KeyKind.P384, KeyKind.RSA_2048, KeyKind.ED25519]
)
def test_cosign_verifies_what_we_sign_with_a_key(
    cosign: Cosign, kind: KeyKind, *, stamped: bool
) -> None:
    """Whatever the key, with and without a stamp; of the right blob alone."""
    key = kind.generate()
    public = cosign.folder / "ours.pub"
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    services = Services.STAMPED if stamped else Services.NOBODY
    stamp = cosign.config(Services.REKOR_V2).stamps if stamped else None
    bundle = asyncio.run(KeySigner(key, stamp).sign(STATEMENT))

    trust = ["--key", public, *hashed(kind)]
    verified = verify(cosign, bundle, Signer([], trust), services)

    assert verified == (0, 1)


@pytest.mark.parametrize("services", [Services.REKOR_V1_STAMPED, Services.REKOR_V2])
def test_cosign_verifies_what_we_sign_keyless(
    cosign: Cosign, services: Services
) -> None:
    """By whichever log."""
    token = cosign.sigstore.token(DANA, issuer=ISSUER)
    signer = KeylessSigner(cosign.config(services), token)
    bundle = asyncio.run(signer.sign(STATEMENT))

    verified = verify(cosign, bundle, Signer.keyless(cosign, DANA, ISSUER), services)

    assert verified == (0, 1)


def test_cosign_verifies_what_speaks_of_commits_too(cosign: Cosign) -> None:
    """Digests that cosign does not know are no hindrance beside those that it does."""
    commit = Subject(
        "git+https://git.example/acme", Digest.parse(f"gitCommit:{'9f' * 20}")
    )
    key = KeyKind.P256.generate()
    public = cosign.folder / "ours.pub"
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    bundle = asyncio.run(KeySigner(key).sign(render_sign_off(CLAIM, [commit])))

    verified = verify(cosign, bundle, Signer([], ["--key", public]), Services.NOBODY)

    assert verified == (0, 1)


def hashed(kind: KeyKind) -> list[str | Path]:
    """Say what cosign does not see in a key, its own neither: the hash of P-384."""
    return ["--signature-digest-algorithm=sha384"] if kind is KeyKind.P384 else []


def keyless(cosign: Cosign, services: Services) -> bytes:
    """Have cosign sign the intent as Dana."""
    return cosign.attest_blob(
        cosign.folder / "intent",
        Signer.keyless(cosign, DANA, ISSUER),
        services,
        *("--type", TYPE, "--predicate", cosign.folder / "predicate"),
    )


def verify(
    cosign: Cosign, bundle: bytes, signer: Signer, services: Services
) -> tuple[int, int]:
    """Have cosign verify a bundle; return its codes for the right blob and another."""
    file = cosign.folder / "ours.json"
    file.write_bytes(bundle)
    other = cosign.folder / "other"
    other.write_text("another blob")
    right, wrong = (
        cosign.run(
            "verify-blob-attestation",
            *cosign.verifying(signer, services),
            *("--bundle", file, "--type", TYPE, blob),
        )
        for blob in (cosign.folder / "intent", other)
    )
    assert right.ok, right.stderr
    return right.code, wrong.code


def pem(*certificates: Certificate) -> bytes:
    """Write a chain."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
