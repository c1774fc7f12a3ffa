"""What we sign is what the prover proves, and failures say whose fault they are."""

import asyncio
import json
import webbrowser
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import BaseTestServer, TestServer
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from countersign.adapters.key_files import generate
from countersign.adapters.sign.config import SigstoreConfig
from countersign.adapters.sign.identity import ambient_token, browser_token
from countersign.adapters.sign.key import KeySigner, load_key
from countersign.adapters.sign.keyless import KeylessSigner
from countersign.core.errors import Malformed, Misconfigured, Rejected, Unavailable
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.core.types.evidence import CommitRange, Declaration
from countersign.core.types.people import CertIdentity, KeyIdentity
from countersign.wire.declaration import render_declaration
from tests.support.claims import NOON
from tests.support.proving import STATEMENT, key_root, prover, sigstore_root
from tests.support.sigstore import DANA, Browser, Outsider, shared, stranger
from tools.sigstore import PEOPLE, Rekor, VirtualSigstore
from tools.sigstore.service import application

NOWHERE = "http://127.0.0.1:1"
COMMIT = render_declaration(
    Declaration(
        repository="https://git.example/acme/payments",
        range=CommitRange(None, Digest(Algorithm.GIT_COMMIT, "9f" * 20)),
        declared_on=NOON,
    )
)


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    """Serve the shared Sigstore on loopback."""
    async with TestServer(application(shared())) as server:
        yield server


def config(
    server: BaseTestServer | None,
    sigstore: VirtualSigstore | None = None,
    **changes: Any,
) -> SigstoreConfig:
    """Sign with what is served, or with what is nowhere."""
    url = str(server.make_url("")).rstrip("/") if server else NOWHERE
    sigstore = sigstore or shared()
    document = sigstore.signing_config(url) | changes
    root = json.dumps(sigstore.trusted_root()).encode()
    return SigstoreConfig(root, json.dumps(document).encode())


@pytest.mark.parametrize("rekor", [*Rekor])
@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(STATEMENT, id="a sign-off"),
        pytest.param(COMMIT, id="a statement about a commit, which sigstore refuses"),
    ],
)
async def test_an_identity_signs(
    server: BaseTestServer, statement: bytes, rekor: Rekor
) -> None:
    """Proven by our prover; accepted by sigstore-python too."""
    sigstore = shared()
    document = sigstore.signing_config(str(server.make_url("")), logs=[rekor])
    root = json.dumps(sigstore.trusted_root()).encode()
    ours = SigstoreConfig(root, json.dumps(document).encode())
    signer = KeylessSigner(ours, sigstore.token(DANA) + "\n")
    bundle = await signer.sign(statement)
    evidence = await prover(sigstore_root(sigstore)).prove(bundle)

    assert signer.identity == DANA
    assert evidence.signer == CertIdentity("acme", PEOPLE, DANA)
    assert evidence.statement == Digest.sha256(statement)
    assert evidence.signed_at
    assert Outsider(sigstore).payload(bundle) == statement


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param("", "identity token", id="none"),
        pytest.param("a.b.c", "identity token", id="no token"),
        pytest.param(
            shared().token(DANA, at=datetime(2020, 1, 1, tzinfo=UTC)),
            "expired",
            id="expired",
        ),
        pytest.param(
            shared().token(DANA, at=datetime.now(UTC) + timedelta(days=1)),
            "not yet valid",
            id="not yet valid",
        ),
    ],
)
def test_a_bad_token_is_rejected_before_anything_is_asked(
    token: str, reason: str
) -> None:
    """Nothing listens where this would sign."""
    with pytest.raises(Rejected, match=reason):
        KeylessSigner(config(None), token)


async def test_who_is_refused_is_rejected(server: BaseTestServer) -> None:
    """The certificate authority believes another issuer: trying again cannot help."""
    signer = KeylessSigner(config(server), stranger().token(DANA))

    with pytest.raises(Rejected, match=r"refused \(400\).*InvalidSignature"):
        await signer.sign(STATEMENT)


async def test_a_sigstore_of_other_keys_is_not_believed(server: BaseTestServer) -> None:
    """What the services answer is checked against the trusted root."""
    document = shared().signing_config(str(server.make_url("")))
    root = json.dumps(stranger().trusted_root()).encode()
    wrong = SigstoreConfig(root, json.dumps(document).encode())

    with pytest.raises(Unavailable, match="SCT"):
        await KeylessSigner(wrong, shared().token(DANA)).sign(STATEMENT)


async def test_who_does_not_answer_is_unavailable() -> None:
    """The same call may succeed later."""
    signer = KeylessSigner(config(None), shared().token(DANA))

    with pytest.raises(Unavailable, match="did not sign"):
        await signer.sign(STATEMENT)


async def test_without_a_stamp_the_second_log_proves_no_time(
    server: BaseTestServer,
) -> None:
    """Said at once: such a bundle would be refused everywhere."""
    signer = KeylessSigner(config(server, tsaUrls=[]), shared().token(DANA))

    with pytest.raises(Unavailable, match="timestamp"):
        await signer.sign(STATEMENT)


@pytest.mark.parametrize(
    ("root", "signing"),
    [
        pytest.param(b"{}", b"{}", id="empty"),
        pytest.param(b"", b"", id="nothing"),
        pytest.param(
            json.dumps(shared().trusted_root()).encode(),
            json.dumps(shared().signing_config(NOWHERE) | {"caUrls": []}).encode(),
            id="no certificate authority",
        ),
    ],
)
def test_a_bad_configuration_is_named(root: bytes, signing: bytes) -> None:
    """Before anything is signed."""
    with pytest.raises(Misconfigured, match=r"trusted_root\.json"):
        SigstoreConfig(root, signing)


def test_the_ci_offers_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitLab's way, which needs no network."""
    monkeypatch.setenv("GITLAB_CI", "true")
    token = shared().token(DANA)
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", token)
    for other in ("GITHUB_ACTIONS", "BUILDKITE", "CIRCLECI"):
        monkeypatch.delenv(other, raising=False)

    assert ambient_token() == token


def test_a_ci_without_token_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job forgot to ask for one."""
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.delenv("SIGSTORE_ID_TOKEN", raising=False)
    for other in ("GITHUB_ACTIONS", "BUILDKITE", "CIRCLECI"):
        monkeypatch.delenv(other, raising=False)

    with pytest.raises(Rejected, match="SIGSTORE_ID_TOKEN"):
        ambient_token()


@pytest.mark.filterwarnings(
    # the client leaves its redirect server's socket to the garbage collector
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
async def test_a_person_logs_in_with_a_browser(server: BaseTestServer) -> None:
    """And signs with what came of it."""
    webbrowser.register("dana", None, Browser(), preferred=True)
    ours = config(server)
    token = await asyncio.to_thread(browser_token, ours)

    assert KeylessSigner(ours, token).identity == DANA


def test_an_identity_provider_that_is_away_is_unavailable() -> None:
    """Nobody can log in."""
    with pytest.raises(Unavailable, match="identity provider"):
        browser_token(config(None))


def test_a_config_without_identity_provider_is_named() -> None:
    """There is nowhere to log in."""
    with pytest.raises(Misconfigured, match="OIDC"):
        browser_token(config(None, oidcUrls=[]))


KEYS = [
    pytest.param(ec.generate_private_key(ec.SECP256R1()), id="P-256"),
    pytest.param(ec.generate_private_key(ec.SECP384R1()), id="P-384"),
    pytest.param(ed25519.Ed25519PrivateKey.generate(), id="Ed25519"),
    pytest.param(rsa.generate_private_key(65537, 2048), id="RSA"),
]


def private(key: Any, passphrase: bytes = b"") -> bytes:
    """Write the private half as PKCS#8 PEM."""
    locked: KeySerializationEncryption = NoEncryption()
    if passphrase:
        locked = BestAvailableEncryption(passphrase)
    raw: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    return raw


def public(key: Any) -> bytes:
    """Write the public half."""
    raw: bytes = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return raw


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("passphrase", ["", "correct horse"])
async def test_a_key_signs(key: Any, passphrase: str) -> None:
    """Read from a file as it is, or unlocked."""
    signer = KeySigner(load_key(private(key, passphrase.encode()), passphrase))
    bundle = await signer.sign(STATEMENT)
    evidence = await prover(key_root(dana=public(key))).prove(bundle)

    assert evidence.signer == KeyIdentity("local-keys", "dana")
    assert evidence.statement == Digest.sha256(STATEMENT)
    assert evidence.signed_at is None


async def test_a_generated_pair_signs(tmp_path: Path) -> None:
    """What `keys generate` writes, this reads."""
    secret, open_ = generate(tmp_path / "dana", "correct horse")
    signer = KeySigner(load_key(secret.read_bytes(), "correct horse"))
    root = key_root(dana=open_.read_bytes())

    assert (await prover(root).prove(await signer.sign(STATEMENT))).signer == (
        KeyIdentity("local-keys", "dana")
    )


async def test_a_key_is_stamped(server: BaseTestServer) -> None:
    """Where the signing config names a time-stamping authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = KeySigner(key, config(server).stamps)
    roots = (sigstore_root(shared()), key_root(dana=public(key)))
    evidence = await prover(*roots).prove(await signer.sign(STATEMENT))

    assert evidence.signed_at
    assert abs(evidence.signed_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_key_is_not_signed_unstamped_by_accident() -> None:
    """An authority that is asked for and away is an error, not a missing time."""
    key = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(Unavailable, match="time-stamping authority"):
        await KeySigner(key, config(None).stamps).sign(STATEMENT)


@pytest.mark.parametrize(
    ("pem", "passphrase", "reason"),
    [
        pytest.param(
            private(ed25519.Ed25519PrivateKey.generate(), b"right"),
            "wrong",
            "the right passphrase",
            id="a wrong passphrase",
        ),
        pytest.param(
            private(ed25519.Ed25519PrivateKey.generate(), b"right"),
            "",
            "a passphrase",
            id="no passphrase",
        ),
        pytest.param(b"", "", "PKCS#8", id="nothing"),
        pytest.param(
            public(ed25519.Ed25519PrivateKey.generate()),
            "",
            "PKCS#8",
            id="the public half",
        ),
        pytest.param(
            private(ec.generate_private_key(ec.SECP521R1())), "", "P-384", id="P-521"
        ),
        pytest.param(
            private(dsa.generate_private_key(2048)),
            "",
            "private Ed25519",
            id="DSA",
        ),
    ],
)
def test_a_key_that_cannot_sign_is_named(
    pem: bytes, passphrase: str, reason: str
) -> None:
    """Each for its own reason, none with a byte of the key."""
    with pytest.raises(Malformed, match=reason):
        load_key(pem, passphrase)


def test_a_passphrase_for_an_open_key_is_ignored() -> None:
    """It may be set for other keys."""
    key = ed25519.Ed25519PrivateKey.generate()

    assert load_key(private(key), "for another").public_key() == key.public_key()
