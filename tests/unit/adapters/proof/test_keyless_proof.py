"""What a bundle with a certificate proves, and every way in which it does not."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from countersign.core.errors import Malformed, Rejected, Unavailable
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import CertificateClaims, Presence
from countersign.core.types.people import CertIdentity
from countersign.core.types.trust import TrustRoot
from countersign.wire.attestation import parse_attestation
from countersign.wire.shapes import render_time
from tests.support.proving import STATEMENT, private_root, prover, sigstore_root
from tests.support.sigstore import DANA, ISSUER, shared, stranger
from tools.sigstore import Claim, Part, Party, Rekor

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail at the first attempt to reach anything."""

    def refuse(*_: object) -> None:
        raise AssertionError("a prover reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def attest(**changes: Any) -> bytes:
    """Sign as dana, a moment ago."""
    return shared().attest(STATEMENT, **{"san": DANA, "issuer": ISSUER, **changes})


def spoil(change: Callable[[dict[str, Any]], object], **how: Any) -> bytes:
    """Change a good bundle's JSON in place."""
    document = json.loads(attest(**how))
    change(document)
    return json.dumps(document).encode()


def entry(document: dict[str, Any]) -> dict[str, Any]:
    """Look at the log entry."""
    found: dict[str, Any] = document["verificationMaterial"]["tlogEntries"][0]
    return found


def foreign_root(rekor: str) -> bytes:
    """Claim the root of another tree."""
    ours, theirs = json.loads(attest(rekor=rekor)), json.loads(attest(rekor=rekor))
    root = entry(theirs)["inclusionProof"]["rootHash"]
    entry(ours)["inclusionProof"]["rootHash"] = root
    return json.dumps(ours).encode()


def foreign_entry(rekor: str) -> bytes:
    """Show the log entry of another signing."""
    ours, theirs = json.loads(attest(rekor=rekor)), json.loads(attest(rekor=rekor))
    ours["verificationMaterial"]["tlogEntries"] = [entry(theirs)]
    return json.dumps(ours).encode()


def flipped(text: str) -> str:
    """Flip the last bit but a few of what is base64."""
    raw = bytearray(base64.b64decode(text))
    raw[-3] ^= 1
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("rekor", [*Rekor])
@pytest.mark.parametrize("stamped", [None, True])
async def test_proves_who_signed_what_and_when(
    rekor: Rekor,
    stamped: bool | None,  # noqa: FBT001  a parameter of the test
) -> None:
    """Both logs, with and without a stamp."""
    bundle = attest(rekor=rekor, stamped=stamped, at=NOW - HOUR)
    evidence = await prover(sigstore_root(shared())).prove(bundle)

    assert evidence.signer == CertIdentity("acme", ISSUER, DANA)
    assert evidence.claim == parse_attestation(STATEMENT).claim
    assert evidence.subjects == parse_attestation(STATEMENT).subjects
    assert evidence.bundle == Digest.sha256(bundle)
    assert evidence.statement == Digest.sha256(STATEMENT)
    assert evidence.signed_at == NOW - HOUR + timedelta(seconds=5)
    assert evidence.certificate == CertificateClaims()
    assert evidence.presence is Presence.NONE


async def test_reads_what_the_certificate_says_of_a_workflow() -> None:
    """The claims that collectors are pinned to."""
    claims = {
        Claim.RUNNER_ENVIRONMENT: "github-hosted",
        Claim.SOURCE_REPOSITORY: "https://git.example/acme/payments",
        Claim.SOURCE_REVISION: "9f" * 20,
        Claim.SOURCE_REF: "refs/heads/main",
        Claim.BUILD_TRIGGER: "push",
    }
    san = "https://git.example/acme/ci/.github/workflows/provenance.yml@refs/heads/main"
    bundle = attest(san=san, claims=claims)
    evidence = await prover(sigstore_root(shared())).prove(bundle)

    assert evidence.signer == CertIdentity("acme", ISSUER, san)
    assert evidence.certificate == CertificateClaims(
        runner_environment="github-hosted",
        source_repository="https://git.example/acme/payments",
        source_digest="9f" * 20,
        source_ref="refs/heads/main",
        build_trigger="push",
    )


BOTH = "v1", "v2"


def negatives() -> Iterator[Any]:
    """Bundles that prove nothing, and why."""
    forged = {
        Part.CERTIFICATE: "certificate chain",
        Part.SCT: "a promise that the CT log signed",
        Part.LOG_ENTRY: "the log entry of this",
        Part.CHECKPOINT: "a checkpoint that the log signed",
    }
    missing = {
        Part.SCT: "a promise of a CT log",
        Part.LOG_ENTRY: "an entry of a transparency log",
    }
    for rekor in BOTH:
        for part, reason in forged.items():
            bundle = attest(rekor=rekor, forged={part})
            yield pytest.param(bundle, reason, id=f"{rekor}: a forged {part}")
        for part, reason in missing.items():
            bundle = attest(rekor=rekor, without={part})
            yield pytest.param(bundle, reason, id=f"{rekor}: no {part}")
        yield pytest.param(
            attest(rekor=rekor, usage=ExtendedKeyUsageOID.CLIENT_AUTH),
            "code signing",
            id=f"{rekor}: a certificate for something else",
        )
        yield pytest.param(
            attest(rekor=rekor, at=NOW - 2 * HOUR, log_at=NOW - HOUR),
            "valid at",
            id=f"{rekor}: signed after the certificate ended",
        )
        yield pytest.param(
            attest(rekor=rekor, at=NOW - HOUR, log_at=NOW - 2 * HOUR),
            "valid at",
            id=f"{rekor}: signed before the certificate began",
        )
        yield pytest.param(
            stranger().attest(STATEMENT, san=DANA, issuer=ISSUER, rekor=rekor),
            "certificate chain|a stamp by an authority",
            id=f"{rekor}: another Sigstore of the same name",
        )
        yield pytest.param(
            spoil(
                lambda d: d["dsseEnvelope"].update(
                    payload=base64.b64encode(
                        STATEMENT.replace(b"Dana", b"Lana")
                    ).decode()
                ),
                rekor=rekor,
            ),
            "another signature for this key",
            id=f"{rekor}: another payload",
        )
        yield pytest.param(
            spoil(
                lambda d: d["dsseEnvelope"]["signatures"][0].update(
                    sig=flipped(d["dsseEnvelope"]["signatures"][0]["sig"])
                ),
                rekor=rekor,
                stamped=False if rekor == "v1" else None,
            ),
            "another signature for this key|a stamp by an authority",
            id=f"{rekor}: another signature",
        )
        yield pytest.param(
            foreign_root(rekor),
            "invalid root hash",
            id=f"{rekor}: the root of another tree",
        )
        yield pytest.param(
            foreign_entry(rekor),
            "the log entry of this signature",
            id=f"{rekor}: the log entry of another signing",
        )
    yield pytest.param(
        attest(forged={Part.PROMISE}), "inclusion promise", id="a forged promise"
    )
    yield pytest.param(
        attest(without={Part.PROMISE}), "a time promised", id="nobody says when"
    )
    yield pytest.param(
        attest(rekor="v2", without={Part.STAMP}), "a time promised", id="no stamp"
    )
    yield pytest.param(
        attest(rekor="v2", forged={Part.STAMP}),
        "a stamp by an authority",
        id="forged stamp",
    )
    yield pytest.param(
        attest(stamped=True, forged={Part.STAMP}),
        "a stamp by an authority",
        id="a forged stamp beside a good promise",
    )
    yield pytest.param(
        spoil(
            lambda d: d["verificationMaterial"].update(
                shared().stamps(b"another signature", at=NOW)
            ),
            rekor="v2",
        ),
        "a stamp by an authority",
        id="a stamp over another signature",
    )
    yield pytest.param(
        spoil(
            lambda d: d["verificationMaterial"].update(
                timestampVerificationData={
                    "rfc3161Timestamps": [{"signedTimestamp": "e30="}]
                }
            ),
            rekor="v2",
        ),
        "an RFC 3161 time stamp",
        id="a stamp that is none",
    )
    yield pytest.param(
        spoil(lambda d: entry(d).update(integratedTime=str(int(NOW.timestamp())))),
        "inclusion promise",
        id="another time than the promised",
    )
    yield pytest.param(
        spoil(
            lambda d: d["verificationMaterial"]["certificate"].update(rawBytes="MAA=")
        ),
        ".",
        id="a certificate that is none",
    )
    yield pytest.param(attest(at=NOW + HOUR), "of the past", id="signed in the future")
    yield pytest.param(
        attest(rekor="v2", at=NOW + HOUR), "of the past", id="stamped in the future"
    )
    yield pytest.param(
        attest(issuer=""), "an OIDC issuer", id="nobody vouches for the identity"
    )


@pytest.mark.parametrize(("bundle", "reason"), [*negatives()])
async def test_refuses(bundle: bytes, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Rejected, match=reason):
        await prover(sigstore_root(shared()), at=NOW + timedelta(seconds=30)).prove(
            bundle
        )


@pytest.mark.parametrize("rekor", BOTH)
@pytest.mark.parametrize("party", [*Party])
async def test_a_retired_key_no_longer_signs(rekor: str, party: Party) -> None:
    """sigstore-python alone accepts all of these but the TSA's."""
    bundle = attest(rekor=rekor, stamped=True, at=NOW - HOUR)
    retired = {party: NOW - 2 * HOUR}

    with pytest.raises(Rejected, match=r"in use at .*, saw none"):
        await prover(sigstore_root(shared(), retired=retired)).prove(bundle)


@pytest.mark.parametrize("rekor", BOTH)
async def test_what_a_key_signed_before_it_was_retired_stands(rekor: str) -> None:
    """A window ends the future of a key, not its past."""
    bundle = attest(rekor=rekor, stamped=True, at=NOW - 2 * HOUR)
    root = sigstore_root(shared(), retired=dict.fromkeys(Party, NOW - HOUR))

    assert (await prover(root).prove(bundle)).signer.trust_root == "acme"


async def test_a_promise_from_outside_of_a_ct_logs_window_does_not_count() -> None:
    """The SCT's own time is judged too, not only the signature's."""
    at = NOW - HOUR
    bundle = attest(at=at, log_at=at + timedelta(minutes=5))
    document = shared().trusted_root()
    document["ctlogs"][0]["publicKey"]["validFor"] = {
        "start": render_time(at + timedelta(minutes=1))
    }
    raw = json.dumps(document).encode()
    root = TrustRoot(name="acme", digest=Digest.sha256(raw), sigstore=raw)

    with pytest.raises(Rejected, match="certificate transparency log in use"):
        await prover(root).prove(bundle)


async def test_a_ct_log_counts_while_in_use_when_it_is_signed() -> None:
    """A leaked key of a retired one could promise in the past. Seen to fail so."""
    at = NOW - HOUR
    bundle = attest(at=at, log_at=at + timedelta(minutes=5))
    root = sigstore_root(shared(), retired={Party.CT: at + timedelta(minutes=1)})

    with pytest.raises(Rejected, match="certificate transparency log in use"):
        await prover(root).prove(bundle)


async def test_a_key_not_yet_in_use_does_not_sign() -> None:
    """The other end of the window."""
    before = shared().since - HOUR

    with pytest.raises(Rejected, match="certificate authority in use"):
        await prover(sigstore_root(shared())).prove(attest(at=before))


async def test_the_first_root_that_holds_is_named() -> None:
    """A private root beside another: each proves its own."""
    both = prover(sigstore_root(stranger(), "b"), sigstore_root(shared(), "c"))
    ours = await both.prove(attest())
    theirs = await both.prove(stranger().attest(STATEMENT, san=DANA, issuer=ISSUER))

    assert ours.signer == CertIdentity("c", ISSUER, DANA)
    assert theirs.signer == CertIdentity("b", ISSUER, DANA)


@pytest.mark.parametrize("loose_first", [True, False])
async def test_a_looser_root_speaks_in_its_own_name(*, loose_first: bool) -> None:
    """One authority under two roots, one of which asks for no log.

    Whoever takes the entry off gains nothing where the stricter root is asked for.
    """
    strict, loose = sigstore_root(shared(), "strict"), private_root(shared(), "loose")
    both = prover(*((loose, strict) if loose_first else (strict, loose)))

    def bare(document: dict[str, Any]) -> None:
        document["verificationMaterial"]["tlogEntries"] = []

    whole = await both.prove(attest(rekor=Rekor.V2))
    stripped = await both.prove(spoil(bare, rekor=Rekor.V2))
    assert whole.signer == CertIdentity("strict", ISSUER, DANA)
    assert stripped.signer == CertIdentity("loose", ISSUER, DANA)


async def test_every_root_says_why_not() -> None:
    """So that an operator sees which root was meant to hold."""
    roots = [sigstore_root(stranger(), name) for name in ("a", "b")]

    with pytest.raises(Rejected, match=r"a: .*; b: "):
        await prover(*roots).prove(attest())


async def test_without_roots_nothing_can_be_said() -> None:
    """Not a rejection: the same bundle may prove something in a moment."""
    with pytest.raises(Unavailable, match="trust root"):
        await prover().prove(attest())


async def test_an_unreadable_root_rejects() -> None:
    """Doubt denies, and names the root."""
    root = sigstore_root(shared())
    object.__setattr__(root, "sigstore", b'{"tlogs": 7}')

    with pytest.raises(Rejected, match="acme: expected a trusted root"):
        await prover(root).prove(attest())


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"x" * (1024 * 1024 + 1), id="too much"),
        pytest.param(
            shared().attest(b"{}", san=DANA, issuer=ISSUER), id="no statement"
        ),
        pytest.param(attest(payload_type="text/plain"), id="another payload type"),
        pytest.param(
            attest().replace(b"v0.3", b"v0.9"), id="a format nobody here knows"
        ),
    ],
)
async def test_what_is_no_bundle_is_malformed(bundle: bytes) -> None:
    """Before any cryptography."""
    with pytest.raises(Malformed):
        await prover(sigstore_root(shared())).prove(bundle)


async def test_a_leaf_on_another_curve_rejects_without_a_crash() -> None:
    """Whatever a library leaks is a rejection."""
    bundle = attest(rekor="v2", leaf_key=ec.generate_private_key(ec.SECP521R1()))

    with pytest.raises(Rejected):
        await prover(sigstore_root(shared())).prove(bundle)
