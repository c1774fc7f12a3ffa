"""``countersign keys generate``."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from countersign.faces.cli.session import Exit
from tests.support.cli import Run

PASSWORD = "COUNTERSIGN_PASSWORD"


@pytest.mark.parametrize(
    ("password", "needed"),
    [("hunter2", b"hunter2"), ("", None)],
    ids=["with", "without"],
)
def test_writes_a_pair_with_or_without_passphrase(
    password: str, needed: bytes | None, run: Run, tmp_path: Path
) -> None:
    """The private key is PKCS#8, nobody else may read it, and the two belong together."""
    ran = run("keys", "generate", tmp_path / "dana", environ={PASSWORD: password})

    private, public = tmp_path / "dana.key", tmp_path / "dana.pub"
    assert ran.code == Exit.DONE
    assert str(private) in ran.out
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" in private.read_bytes()
    key = load_pem_private_key(private.read_bytes(), needed)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == load_pem_public_key(public.read_bytes())


def test_keeps_the_dots_of_a_name(run: Run, tmp_path: Path) -> None:
    """``dana.lee`` is a name, not a name with a suffix."""
    run("keys", "generate", tmp_path / "dana.lee", environ={PASSWORD: ""})

    assert {f.name for f in tmp_path.iterdir()} == {"dana.lee.key", "dana.lee.pub"}


@pytest.mark.parametrize("there", ["dana.key", "dana.pub"])
def test_overwrites_nothing(there: str, run: Run, tmp_path: Path) -> None:
    """A key that is gone cannot sign any more."""
    (tmp_path / there).write_text("precious")

    ran = run("keys", "generate", tmp_path / "dana", environ={PASSWORD: ""})

    assert ran.code == Exit.UNDECIDED
    assert there in ran.err
    assert [f.name for f in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


def test_asks_nobody_who_is_not_there(run: Run, tmp_path: Path) -> None:
    """Without a terminal the passphrase comes from the environment or not at all."""
    ran = run("keys", "generate", tmp_path / "dana")

    assert ran.code == Exit.USAGE
    assert PASSWORD in ran.err
    assert not list(tmp_path.iterdir())


def test_says_where_it_cannot_write(run: Run, tmp_path: Path) -> None:
    """The folder must be there."""
    ran = run("keys", "generate", tmp_path / "no" / "dana", environ={PASSWORD: ""})

    assert ran.code == Exit.UNDECIDED
    assert "could not write" in ran.err
