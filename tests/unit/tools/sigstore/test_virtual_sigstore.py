"""What the virtual Sigstore signs is accepted by sigstore-python, and what it spoils is not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support import sigstore as support
from tests.support.sigstore import DANA, ISSUER, Outsider
from tools.sigstore import PEOPLE, Claim, Part, Rekor, VirtualSigstore, Workflow

STATEMENT = b'{"_type":"https://in-toto.io/Statement/v1"}'
CI = Workflow(
    file="https://git.example/acme/ci/.github/workflows/provenance.yml@refs/heads/main",
    repository="https://git.example/acme/payments",
    revision="9f" * 20,
)


@pytest.fixture
def outsider() -> Outsider:
    """Trust the shared instance."""
    return Outsider(support.shared())


@pytest.mark.parametrize("rekor", [*Rekor])
@pytest.mark.parametrize("stamped", [None, True])
def test_a_bundle_is_accepted(
    outsider: Outsider,
    rekor: Rekor,
    stamped: bool | None,  # noqa: FBT001  a parameter of the test
) -> None:
    """Both logs, with and without a stamp."""
    bundle = support.shared().attest(
        STATEMENT, san=DANA, issuer=ISSUER, rekor=rekor, stamped=stamped
    )

    assert outsider.payload(bundle) == STATEMENT


def test_a_later_entry_of_a_grown_log_is_accepted() -> None:
    """Inclusion proofs hold at every size of the tree."""
    sigstore = VirtualSigstore()
    outsider = Outsider(sigstore)
    bundles = [
        sigstore.attest(STATEMENT, san=DANA, issuer=ISSUER, rekor=rekor)
        for _ in range(5)
        for rekor in Rekor
    ]

    assert {outsider.payload(bundle) for bundle in bundles} == {STATEMENT}


FORGED = {
    Part.CERTIFICATE: "certificate chain",
    Part.SCT: "SCT verify failed",
    Part.LOG_ENTRY: "does not match bundle|inconsistent with other materials",
    Part.CHECKPOINT: "checkpoint: invalid signature",
    Part.PROMISE: "invalid inclusion promise",
    Part.STAMP: "not enough sources of verified time",
}
MISSING = {
    Part.CERTIFICATE: "certificate must be set",
    Part.SCT: "does not contain a signed certificate timestamp",
    Part.LOG_ENTRY: "expected exactly one log entry",
    Part.CHECKPOINT: "with checkpoint",
    Part.PROMISE: "inclusion promise or signed timestamp",
    Part.STAMP: "inclusion promise or signed timestamp",
}
PRESENT = [
    (rekor, part)
    for rekor, absent in ((Rekor.V1, Part.STAMP), (Rekor.V2, Part.PROMISE))
    for part in Part
    if part is not absent
]


@pytest.mark.parametrize(("rekor", "part"), PRESENT)
def test_a_forged_part_is_refused(outsider: Outsider, rekor: Rekor, part: Part) -> None:
    """Whoever has not the key cannot vouch for the part."""
    bundle = support.shared().attest(
        STATEMENT, san=DANA, issuer=ISSUER, rekor=rekor, forged={part}
    )

    with pytest.raises(Exception, match=FORGED[part]):
        outsider.payload(bundle)


@pytest.mark.parametrize(("rekor", "part"), PRESENT)
def test_a_missing_part_is_refused(
    outsider: Outsider, rekor: Rekor, part: Part
) -> None:
    """No part can be left out."""
    bundle = support.shared().attest(
        STATEMENT, san=DANA, issuer=ISSUER, rekor=rekor, without={part}
    )

    with pytest.raises(Exception, match=MISSING[part]):
        outsider.payload(bundle)


@pytest.mark.parametrize(
    ("rekor", "part"), [(Rekor.V1, Part.STAMP), (Rekor.V2, Part.PROMISE)]
)
def test_what_a_bundle_lacks_cannot_be_spoiled(rekor: Rekor, part: Part) -> None:
    """A test that spoils nothing would prove nothing."""
    with pytest.raises(ValueError, match=part):
        support.shared().attest(
            STATEMENT, san=DANA, issuer=ISSUER, rekor=rekor, forged={part}
        )


def test_a_certificate_for_another_use_is_refused(outsider: Outsider) -> None:
    """Only code signing certificates sign statements."""
    bundle = support.shared().attest(
        STATEMENT, san=DANA, issuer=ISSUER, usage=ExtendedKeyUsageOID.CLIENT_AUTH
    )

    with pytest.raises(Exception, match="code signing"):
        outsider.payload(bundle)


def test_a_signature_logged_after_the_certificate_ended_is_refused(
    outsider: Outsider,
) -> None:
    """Ten minutes are ten minutes."""
    at = datetime.now(UTC) - timedelta(hours=2)
    bundle = support.shared().attest(
        STATEMENT, san=DANA, issuer=ISSUER, at=at, log_at=at + timedelta(hours=1)
    )

    with pytest.raises(Exception, match="valid at"):
        outsider.payload(bundle)


def test_a_bundle_of_another_instance_is_refused(outsider: Outsider) -> None:
    """The same names prove nothing without the keys."""
    bundle = support.stranger().attest(STATEMENT, san=DANA, issuer=ISSUER)

    with pytest.raises(Exception, match="certificate chain"):
        outsider.payload(bundle)


def test_claims_stand_in_the_certificate(outsider: Outsider) -> None:
    """A workflow's claims arrive at the arcs that verifiers read."""
    identity = support.shared().oidc.read(support.shared().token(CI))
    bundle = support.shared().attest(
        STATEMENT, san=identity.san, issuer=identity.issuer, claims=identity.claims
    )
    outsider.payload(bundle)
    certificate = outsider.certificate
    assert certificate

    assert _extension(certificate, Claim.SOURCE_REPOSITORY) == CI.repository
    assert _extension(certificate, Claim.SOURCE_REVISION) == CI.revision
    assert _extension(certificate, Claim.SOURCE_REF) == "refs/heads/main"
    assert _extension(certificate, Claim.BUILD_TRIGGER) == "push"
    assert _extension(certificate, Claim.RUNNER_ENVIRONMENT) == "github-hosted"
    assert _extension(certificate, Claim.ISSUER) == identity.issuer


def test_the_same_folder_is_the_same_instance(tmp_path: Path) -> None:
    """Restarts keep trust roots, tokens and bundles valid."""
    before = VirtualSigstore(tmp_path, name="acme")
    bundle = before.attest(STATEMENT, san=DANA, issuer=ISSUER)
    after = VirtualSigstore(tmp_path)

    assert after.trusted_root() == before.trusted_root()
    assert after.oidc.read(before.token(DANA)).san == DANA
    assert Outsider(after).payload(bundle) == STATEMENT


def test_kept_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    """Throw-away keys are still nobody else's."""
    VirtualSigstore(tmp_path)

    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_a_key_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    """A muddled folder is reported, not used."""
    VirtualSigstore(tmp_path)
    (tmp_path / "rekor-v2.key").rename(tmp_path / "ct.key")

    with pytest.raises(TypeError, match=r"ct\.key"):
        VirtualSigstore(tmp_path)


def test_a_token_names_the_person() -> None:
    """An e-mail address becomes the SAN."""
    identity = support.shared().oidc.read(support.shared().token(DANA))

    assert (identity.san, identity.issuer, identity.claims) == (DANA, PEOPLE, {})


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(support.stranger().token(DANA), id="of another instance"),
        pytest.param(
            support.shared().token(DANA, at=datetime(2020, 1, 1, tzinfo=UTC)),
            id="expired",
        ),
        pytest.param(
            support.shared().token(DANA, at=datetime.now(UTC) + timedelta(days=1)),
            id="not yet valid",
        ),
        pytest.param(support.shared().token(DANA)[:-8] + "AAAAAAAA", id="tampered"),
        pytest.param("", id="none"),
    ],
)
def test_a_bad_token_names_nobody(token: str) -> None:
    """Tokens hold for one issuer and a while."""
    with pytest.raises(jwt.InvalidTokenError):
        support.shared().oidc.read(token)


def _extension(certificate: x509.Certificate, claim: Claim) -> str:
    oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{claim}")
    value = certificate.extensions.get_extension_for_oid(oid).value
    assert isinstance(value, x509.UnrecognizedExtension)
    return asn1.decode_der(str, value.value)


def test_a_leaf_key_may_be_given(outsider: Outsider) -> None:
    """So that tests can sign twice with one key."""
    key = ec.generate_private_key(ec.SECP256R1())
    outsider.payload(
        support.shared().attest(STATEMENT, san=DANA, issuer=ISSUER, leaf_key=key)
    )

    assert outsider.certificate
    assert outsider.certificate.public_key() == key.public_key()
