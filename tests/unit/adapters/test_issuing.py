"""Certificates of our own: what is issued is what is asked, and is renewed in time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.certificate_files import in_use
from countersign.adapters.issuing import Issuer, Wanted, issue, read_issuer, usable
from countersign.core.errors import Malformed

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def authority(lasts: timedelta = 3650 * DAY) -> Issuer:
    """Return an authority that began some months ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ours")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - 99 * DAY)
        .not_valid_after(NOW + lasts)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    return Issuer(made, key)


def wanted(days: float = 30, name: str = "countersign.own.svc") -> Wanted:
    """Return what a listener shows."""
    return Wanted(name=name, server=True, lasts=timedelta(days=days))


OURS = authority()
PAIR = issue(OURS, wanted(), NOW)


@given(st.floats(0, 31))
def test_is_due_when_a_third_of_its_life_is_left(days: float) -> None:
    """Neither earlier, which would be a storm, nor later, which would be an outage."""
    at = NOW + timedelta(days=days)
    end = usable(OURS, wanted(), *PAIR, at)
    whole = timedelta(days=30, hours=1)

    assert (end is None) == (NOW + 30 * DAY - at < whole / 3)


@pytest.mark.parametrize(
    ("issuer", "asked", "pair"),
    [
        pytest.param(authority(), wanted(), PAIR, id="another authority"),
        pytest.param(OURS, wanted(name="other"), PAIR, id="another name"),
        pytest.param(OURS, wanted(days=1), PAIR, id="it lasts longer than it may"),
        pytest.param(OURS, wanted(), (b"", b""), id="there is none"),
        pytest.param(OURS, wanted(), (PAIR[0], b"junk"), id="junk for a key"),
        pytest.param(
            OURS, wanted(), (PAIR[0], issue(OURS, wanted(), NOW)[1]), id="another key"
        ),
    ],
)
def test_what_does_not_fit_is_made_anew(
    issuer: Issuer, asked: Wanted, pair: tuple[bytes, bytes]
) -> None:
    """For whatever reason: a restored Secret, a new authority, somebody's hand."""
    assert usable(issuer, asked, *pair, NOW) is None
    assert usable(issuer, asked, *issue(issuer, asked, NOW), NOW) is not None


def test_none_outlives_its_authority() -> None:
    """Whoever checks the chain would refuse it anyway."""
    short = authority(2 * DAY)
    leaf = x509.load_pem_x509_certificate(issue(short, wanted(), NOW)[0])

    assert leaf.not_valid_after_utc == short.certificate.not_valid_after_utc


def test_an_authority_needs_its_own_key() -> None:
    """Else everything that it signed would be refused."""
    pem = OURS.certificate.public_bytes(Encoding.PEM)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )

    with pytest.raises(Malformed, match="own key"):
        read_issuer(pem, other)
    with pytest.raises(Malformed, match="in PEM"):
        read_issuer(b"", b"")


def written(folder: Path, pair: tuple[bytes, bytes]) -> tuple[Path, Path]:
    """Write a pair as the kubelet does."""
    folder.mkdir(exist_ok=True)
    files = folder / "tls.crt", folder / "tls.key"
    for file, content in zip(files, pair, strict=True):
        file.write_bytes(content)
    return files


def test_what_is_renewed_is_used_while_it_holds(tmp_path: Path) -> None:
    """Then what was there first is better than nothing."""
    given_ = written(tmp_path / "tls", issue(OURS, wanted(days=365), NOW))
    assert in_use(*given_) == given_

    beside = written(tmp_path / "tls-renewed", issue(OURS, wanted(), NOW))
    assert in_use(*given_) == beside

    written(tmp_path / "tls-renewed", issue(OURS, wanted(), NOW - 60 * DAY))
    assert in_use(*given_) == given_

    written(tmp_path / "tls-renewed", (b"half", b"written"))
    assert in_use(*given_) == given_
