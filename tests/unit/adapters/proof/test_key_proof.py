"""What a bundle signed by a named key proves, and every way in which it does not."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.adapters.signatures import PrivateKey, fingerprint, sign
from countersign.core.errors import Rejected
from countersign.core.types.people import KeyIdentity
from countersign.core.types.time import Interval
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import render_key_bundle
from countersign.wire.envelope import Envelope, signed_bytes
from tests.support.proving import (
    STATEMENT,
    key_root,
    key_root_within,
    prover,
    sigstore_root,
)
from tests.support.sigstore import DANA, ISSUER, shared, stranger
from tools.sigstore import Party
from tools.sigstore.encoding import sha256
from tools.sigstore.tsa import StampRequest

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
P256 = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


def pem(key: Any) -> bytes:
    """Write the public half."""
    public: bytes = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return public


class Halved:
    """A key of which only the public half is known."""

    def __init__(self, numbers: rsa.RSAPublicNumbers) -> None:
        self._numbers = numbers

    def public_key(self) -> rsa.RSAPublicKey:
        """Return it."""
        return self._numbers.public_key()


def signed(
    key: PrivateKey = P256, hint: str = "dana", stamped: datetime | None = None
) -> bytes:
    """Sign the statement, and have it stamped."""
    signature = sign(key, signed_bytes(STATEMENT))
    stamps = [stamp(signature, stamped)] if stamped else []
    return render_key_bundle(Envelope(STATEMENT, signature), hint, stamps)


def stamp(signature: bytes, at: datetime) -> bytes:
    """Have the shared Sigstore stamp it."""
    return shared().tsa.stamp(StampRequest(sha256(signature)), at=at)


def spoil(change: Callable[[dict[str, Any]], object], **how: Any) -> bytes:
    """Change a good bundle's JSON in place."""
    document = json.loads(signed(**how))
    change(document)
    return json.dumps(document).encode()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _entries() -> Any:
    bundle = json.loads(shared().attest(STATEMENT, san=DANA, issuer=ISSUER))
    return bundle["verificationMaterial"]["tlogEntries"]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(P256, id="P-256"),
        pytest.param(ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), id="Ed25519"),
        pytest.param(RSA, id="RSA-PSS"),
    ],
)
@pytest.mark.parametrize("hint", ["dana", "fingerprint", "", "who knows"])
async def test_proves_which_key_signed(key: PrivateKey, hint: str) -> None:
    """By name, by fingerprint, and without a hint that helps."""
    hint = fingerprint(key.public_key()) if hint == "fingerprint" else hint
    root = key_root("local-keys", ravi=pem(OTHER), dana=pem(key))
    evidence = await prover(root).prove(signed(key, hint))

    assert evidence.signer == KeyIdentity("local-keys", "dana")
    assert evidence.claim == parse_attestation(STATEMENT).claim
    assert evidence.certificate is None
    assert evidence.signed_at is None


@pytest.mark.parametrize(
    "scheme",
    [
        pytest.param(padding.PKCS1v15(), id="PKCS 1"),
        pytest.param(padding.PSS(padding.MGF1(hashes.SHA256()), 32), id="PSS"),
        pytest.param(padding.PSS(padding.MGF1(hashes.SHA256()), 20), id="PSS, salted"),
    ],
)
async def test_rsa_keys_sign_in_two_ways(
    scheme: padding.PKCS1v15 | padding.PSS,
) -> None:
    """Cosign in the older; nothing in the key says which."""
    signature = RSA.sign(signed_bytes(STATEMENT), scheme, hashes.SHA256())
    bundle = render_key_bundle(Envelope(STATEMENT, signature), "rsa")

    evidence = await prover(key_root(rsa=pem(RSA))).prove(bundle)

    assert evidence.signer == KeyIdentity("local-keys", "rsa")


async def test_a_stamp_of_any_root_says_when() -> None:
    """Keys come without a time-stamping authority of their own."""
    roots = (sigstore_root(shared()), key_root(dana=pem(P256)))
    evidence = await prover(*roots).prove(signed(stamped=NOW - HOUR))

    assert evidence.signer == KeyIdentity("local-keys", "dana")
    assert evidence.signed_at == NOW - HOUR


@pytest.mark.parametrize("first", [True, False])
async def test_a_broken_root_takes_no_other_word_away(*, first: bool) -> None:
    """And says nothing itself. Seen to fail when all of them had to be readable."""
    broken = sigstore_root(shared(), "broken")
    object.__setattr__(broken, "sigstore", b'{"tlogs": 7}')
    keys = key_root(dana=pem(P256))
    roots = [sigstore_root(shared()), keys]
    roots.insert(0 if first else 2, broken)
    evidence = await prover(*roots).prove(signed(stamped=NOW - HOUR))

    assert evidence.signed_at == NOW - HOUR
    with pytest.raises(Rejected, match="in use at"):
        await prover(broken, keys).prove(signed(stamped=NOW))


async def test_a_stamper_counts_while_in_use() -> None:
    """Its certificate outlives its use. Seen to fail with the window unasked."""
    root = sigstore_root(shared(), retired={Party.TSA: NOW - 2 * HOUR})
    proof = prover(root, key_root(dana=pem(P256)))

    assert (await proof.prove(signed(stamped=NOW - 3 * HOUR))).signed_at
    with pytest.raises(Rejected, match="in use at"):
        await proof.prove(signed(stamped=NOW - HOUR))


async def test_the_earliest_stamp_counts() -> None:
    """Anybody can have an old signature stamped again; it existed by the first."""
    signature = sign(P256, signed_bytes(STATEMENT))
    stamps = [stamp(signature, NOW), stamp(signature, NOW - HOUR)]
    bundle = render_key_bundle(Envelope(STATEMENT, signature), "dana", stamps)
    evidence = await prover(sigstore_root(shared()), key_root(dana=pem(P256))).prove(
        bundle
    )

    assert evidence.signed_at == NOW - HOUR


@pytest.mark.parametrize(
    ("bundle", "reason"),
    [
        pytest.param(signed(OTHER), "a key of the trust root", id="another key"),
        pytest.param(
            signed(OTHER, hint=""), "a key of the trust root", id="no hint, another key"
        ),
        pytest.param(
            signed(hint="ravi"),
            "a key of the trust root",
            id="a hint at another's key: hints are believed before keys are tried",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"].update(payload=_b64(STATEMENT + b" "))),
            "a key of the trust root",
            id="another payload",
        ),
        pytest.param(
            spoil(lambda d: d["dsseEnvelope"]["signatures"][0].update(sig="")),
            "a key of the trust root",
            id="an empty signature",
        ),
        pytest.param(
            render_key_bundle(Envelope(STATEMENT, sign(P256, STATEMENT)), "dana"),
            "a key of the trust root",
            id="a signature over the payload alone",
        ),
        pytest.param(
            spoil(lambda d: d["verificationMaterial"].update(tlogEntries=_entries())),
            "the log entry of this signature",
            id="the log entry of another signing",
        ),
        pytest.param(
            render_key_bundle(
                Envelope(STATEMENT, sign(P256, signed_bytes(STATEMENT))),
                "dana",
                [stamp(b"another signature", NOW)],
            ),
            "a stamp by an authority",
            id="a stamp over another signature",
        ),
        pytest.param(
            render_key_bundle(
                Envelope(STATEMENT, signature := sign(P256, signed_bytes(STATEMENT))),
                "dana",
                [stranger().tsa.stamp(StampRequest(sha256(signature)), at=NOW)],
            ),
            "a stamp by an authority",
            id="a stamp by somebody else",
        ),
        pytest.param(
            signed(stamped=shared().since - HOUR),
            "a stamp by an authority",
            id="a stamp from before the authority was in use",
        ),
        pytest.param(
            signed(stamped=NOW + HOUR), "of the past", id="a stamp of the future"
        ),
    ],
)
async def test_refuses(bundle: bytes, reason: str) -> None:
    """Each for its own reason."""
    root = key_root(
        ravi=pem(ed25519.Ed25519PrivateKey.generate()), dana=pem(P256), rsa=pem(RSA)
    )

    with pytest.raises(Rejected, match=reason):
        await prover(sigstore_root(shared()), root, at=NOW).prove(bundle)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(ec.generate_private_key(ec.SECP521R1()), id="P-521"),
        pytest.param(ec.generate_private_key(ec.SECP256K1()), id="secp256k1"),
        pytest.param(
            rsa.generate_private_key(65537, 1024),  # noqa: S505  that is the point
            id="RSA of 1024 bits",
        ),
        pytest.param(
            rsa.RSAPublicNumbers(65537, RSA.public_key().public_numbers().n ** 4),
            id="RSA of 8192 bits",
        ),
        pytest.param(
            rsa.RSAPublicNumbers(3, RSA.public_key().public_numbers().n),
            id="RSA with a small exponent",
        ),
        pytest.param(
            rsa.RSAPublicNumbers(2**61 - 1, RSA.public_key().public_numbers().n),
            id="RSA with a large exponent",
        ),
    ],
)
async def test_a_key_of_another_kind_proves_nothing(key: Any) -> None:
    """Nobody verifies with it, whatever it signed."""
    if isinstance(key, rsa.RSAPublicNumbers):
        key = Halved(key)
    with pytest.raises(Rejected, match="a key of the trust root"):
        await prover(key_root(dana=pem(key))).prove(signed())


async def test_an_unreadable_key_does_not_spoil_the_others() -> None:
    """A trust root may name keys of kinds that a later version reads."""
    root = key_root(ssh=b"", dana=pem(P256))

    assert (await prover(root).prove(signed())).signer == KeyIdentity(root.name, "dana")


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(Interval(end=NOW - HOUR), id="ended"),
        pytest.param(Interval(start=NOW + HOUR), id="not begun"),
    ],
)
async def test_an_undated_signature_needs_a_key_that_may_sign_now(
    window: Interval,
) -> None:
    """Nobody trusted says that it was made while the key was valid."""
    root = key_root_within("local-keys", window, dana=pem(P256))

    with pytest.raises(Rejected, match="may sign now"):
        await prover(root, at=NOW).prove(signed())


async def test_a_dated_signature_outlives_its_key() -> None:
    """Signed while the key was valid, as the stamp says."""
    ended = Interval(end=NOW - HOUR)
    roots = (
        sigstore_root(shared()),
        key_root_within("local-keys", ended, dana=pem(P256)),
    )
    proof = prover(*roots, at=NOW)

    assert (await proof.prove(signed(stamped=NOW - 2 * HOUR))).signed_at
    with pytest.raises(Rejected, match="valid at"):
        await proof.prove(signed(stamped=NOW - HOUR / 2))


async def test_a_key_needs_a_root_with_keys() -> None:
    """A certificate authority says nothing of keys."""
    with pytest.raises(Rejected, match="a trust root with keys"):
        await prover(sigstore_root(shared())).prove(signed())


async def test_a_certificate_needs_a_root_with_authorities() -> None:
    """And the other way round."""
    bundle = shared().attest(STATEMENT, san=DANA, issuer=ISSUER)

    with pytest.raises(Rejected, match="with certificate authorities"):
        await prover(key_root(dana=pem(P256))).prove(bundle)
