"""sigstore-python signs keyless against the service, through its public API."""

import asyncio
import base64
import json
import signal
import subprocess
import sys
import urllib.request
import webbrowser
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestClient, TestServer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, load_pem_x509_certificate
from cryptography.x509 import SubjectAlternativeName as San
from sigstore._internal.fulcio.client import FulcioClientError
from sigstore.dsse import Statement
from sigstore.models import Bundle
from sigstore.oidc import IdentityToken, Issuer
from sigstore.sign import SigningContext

from tests.support.sigstore import (
    DANA,
    Browser,
    Outsider,
    shared,
    stranger,
    trust_config,
)
from tools.sigstore import Workflow
from tools.sigstore.service import application

STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "it", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://example.test/it",
        "predicate": {},
    }
).encode()
Client: TypeAlias = TestClient[web.Request, None]
CI = Workflow(
    file="https://git.example/acme/ci/.github/workflows/provenance.yml@refs/heads/main",
    repository="https://git.example/acme/payments",
    revision="9f" * 20,
)


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    """Serve the shared instance on loopback."""
    async with TestServer(application(shared())) as server:
        yield server


@pytest.fixture
async def client(server: BaseTestServer) -> AsyncIterator[Client]:
    """Speak plain HTTP to it."""
    client: Client = TestClient(server)
    async with client:
        yield client


def sign(url: str, token: str, rekor: int) -> Bundle:
    """Sign as a client does: configuration and token in, bundle out."""
    config = trust_config(shared(), url)
    config.force_tlog_version = rekor
    context = SigningContext.from_trust_config(config)
    with context.signer(IdentityToken(token)) as signer:
        return signer.sign_dsse(Statement(STATEMENT))


@pytest.mark.parametrize("rekor", [1, 2])
@pytest.mark.parametrize(
    ("who", "san"),
    [
        pytest.param(DANA, DANA, id="a person"),
        pytest.param(CI, CI.file, id="a workflow"),
    ],
)
async def test_a_keyless_signature_is_accepted(
    server: BaseTestServer, who: str | Workflow, san: str, rekor: int
) -> None:
    """Token in, bundle out, and it verifies: through either log, with a stamp."""
    token = shared().token(who)
    bundle = await asyncio.to_thread(sign, _url(server), token, rekor)
    outsider = Outsider(shared())

    assert outsider.payload(bundle.to_json().encode()) == STATEMENT
    assert outsider.certificate
    assert _san(outsider.certificate) == san
    assert len(_stamps(bundle)) == 1


async def test_a_stranger_is_not_certified(server: BaseTestServer) -> None:
    """The certificate authority believes tokens of its own issuer only."""
    with pytest.raises(FulcioClientError):
        await asyncio.to_thread(sign, _url(server), stranger().token(DANA), 2)


@pytest.mark.filterwarnings(
    # the client leaves its redirect server's socket to the garbage collector
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
async def test_a_browser_signs_in(server: BaseTestServer) -> None:
    """The authorization code flow, with a browser that types dana's address."""
    webbrowser.register("dana", None, Browser(), preferred=True)
    token = await asyncio.to_thread(lambda: Issuer(_url(server)).identity_token())

    assert shared().oidc.read(str(token)).san == DANA


async def test_the_minting_secret_mints(client: Client) -> None:
    """Tokens for anybody, for whoever holds the secret."""
    secret = {"Authorization": f"Bearer {shared().minting_secret}"}
    answer = await client.post("/mint", json={"email": DANA}, headers=secret)
    workflow = {"file": CI.file, "repository": CI.repository, "revision": "0" * 40}
    other = await client.post("/mint", json={"workflow": workflow}, headers=secret)
    refused = await client.post("/mint", json={"email": DANA})

    assert shared().oidc.read((await answer.json())["token"]).san == DANA
    assert shared().oidc.read((await other.json())["token"]).san == CI.file
    assert refused.status == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/api/v1/log/entries", {"kind": "rekord"}, id="another kind"),
        pytest.param("/api/v1/log/entries", {}, id="nothing for v1"),
        pytest.param("/api/v2/log/entries", {}, id="nothing for v2"),
        pytest.param("/api/v2/signingCert", {}, id="no token"),
        pytest.param("/api/v1/timestamp", {}, id="no stamp request"),
    ],
)
async def test_nonsense_is_refused(
    client: Client, path: str, body: dict[str, str]
) -> None:
    """A bad request is answered as one, not with a server error."""
    answer = await client.post(path, json=body)

    assert answer.status == 400


@pytest.mark.parametrize(
    ("who", "subject"),
    [
        pytest.param(DANA, DANA, id="a person"),
        pytest.param(CI, CI.claims()["sub"], id="a workflow"),
    ],
)
async def test_a_key_is_certified_for_who_holds_it(
    client: Client, who: str | Workflow, subject: str
) -> None:
    """Cosign sends no certificate request: it signs the token's subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    headers = {"Authorization": f"Bearer {shared().token(who)}"}

    def wish(over: str) -> dict[str, object]:
        proof = key.sign(over.encode(), ec.ECDSA(hashes.SHA256()))
        form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_key().public_bytes(*form).decode()
        shown = {"algorithm": "ECDSA", "content": pem}
        signed = base64.b64encode(proof).decode()
        return {"publicKeyRequest": {"publicKey": shown, "proofOfPossession": signed}}

    path = "/api/v2/signingCert"
    held = await client.post(path, json=wish(subject), headers=headers)
    stolen = await client.post(path, json=wish("somebody else"), headers=headers)
    chain = (await held.json())["signedCertificateEmbeddedSct"]["chain"]
    leaf = load_pem_x509_certificate(chain["certificates"][0].encode())

    assert leaf.public_key() == key.public_key()
    assert stolen.status == 400


async def test_a_wrong_signature_is_not_logged(client: Client) -> None:
    """Both logs check what they take."""
    bundle = json.loads(shared().attest(STATEMENT, san=DANA, issuer="https://x"))
    certificate = bundle["verificationMaterial"]["certificate"]["rawBytes"]
    pem = _pem(certificate)
    envelope = bundle["dsseEnvelope"] | {"payload": "e30="}
    v1 = {
        "kind": "dsse",
        "apiVersion": "0.0.1",
        "spec": {
            "proposedContent": {"envelope": json.dumps(envelope), "verifiers": [pem]}
        },
    }
    v2 = {
        "hashedRekordRequestV002": {
            "digest": base64.b64encode(b"x" * 32).decode(),
            "signature": {
                "content": envelope["signatures"][0]["sig"],
                "verifier": {"x509Certificate": {"rawBytes": certificate}},
            },
        }
    }
    for path, body in (
        ("/api/v1/log/entries", v1),
        ("/api/v2/log/entries", v2),
    ):
        answer = await client.post(path, json=body)

        assert answer.status == 400
        assert "InvalidSignature" in (await answer.json())["message"]


async def test_discovery_leads_to_the_keys(
    server: BaseTestServer, client: Client
) -> None:
    """A relying party can check the tokens."""
    document = await client.get("/.well-known/openid-configuration")
    keys = await client.get("/keys")

    assert (await document.json())["jwks_uri"] == f"{_url(server)}/keys"
    assert await keys.json() == shared().oidc.jwks()


def test_the_program_serves_what_it_wrote(tmp_path: Path) -> None:
    """Two starts, one trust root; SIGTERM ends it cleanly."""
    roots = []
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-m", "tools.sigstore", "--dir", tmp_path, "--rekor=v1"],
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout
            url = program.stdout.readline().strip()
            with urllib.request.urlopen(f"{url}/healthz") as answer:  # noqa: S310  our own
                assert answer.read() == b"ok"
            roots.append((tmp_path / "trusted_root.json").read_bytes())
            config = json.loads((tmp_path / "signing_config.json").read_bytes())
            program.send_signal(signal.SIGTERM)

            assert program.wait(10) == 0
            assert [log["url"] for log in config["rekorTlogUrls"]] == [url]

    assert roots[0] == roots[1]


def _url(server: BaseTestServer) -> str:
    return str(server.make_url("")).rstrip("/")


def _san(certificate: Certificate) -> str:
    (name,) = certificate.extensions.get_extension_for_class(San).value
    assert isinstance(name.value, str)
    return name.value


def _stamps(bundle: Bundle) -> list[object]:
    document = json.loads(bundle.to_json())
    material = document["verificationMaterial"]
    return list(material["timestampVerificationData"]["rfc3161Timestamps"])


def _pem(der: str) -> str:
    pem = f"-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n"
    return base64.b64encode(pem.encode()).decode()
