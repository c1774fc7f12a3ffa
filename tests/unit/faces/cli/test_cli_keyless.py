"""Signing without keys: the CI's token, and a person's, at a Sigstore on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from countersign.faces.cli.session import Exit
from tests.support.cli import Run
from tests.support.release import Release
from tests.support.sigstore import DANA, shared, stranger
from tools.sigstore import PEOPLE, Workflow
from tools.sigstore.service import application

SAN = "https://git.example/acme/ci/.github/workflows/provenance.yml@refs/heads/main"


@pytest.fixture(name="sigstore")
async def _sigstore(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Serve a Sigstore, and return the environment that points to it."""
    async with TestServer(application(shared())) as server:
        url = str(server.make_url("")).rstrip("/")
        files = {
            "COUNTERSIGN_TRUSTED_ROOT": shared().trusted_root(),
            "COUNTERSIGN_SIGNING_CONFIG": shared().signing_config(url),
        }
        for name, document in files.items():
            (tmp_path / name).write_text(json.dumps(document))
        yield {name: str(tmp_path / name) for name in files}


def token(release: Release, who: str | Workflow) -> Path:
    """Write an identity token."""
    path = release.path("token")
    path.write_text(shared().token(who) + "\n")
    return path


async def test_ci_and_a_person_sign_without_keys(
    run: Run, release: Release, answers: Path, sigstore: dict[str, str]
) -> None:
    """Each as who they are; the log says when."""
    now = datetime.now(UTC)
    ci = Workflow(
        file=SAN, repository="https://git.example/acme/payments", revision=release.head
    )
    attested, signed = release.path("a.yaml"), release.path("s.yaml")

    made = await asyncio.to_thread(
        run,
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path),
        *("-f", release.path("ledger.yaml"), "-n", "payments", "--cluster", "prod"),
        *("--identity-token", token(release, ci), "--carrier", "annotations"),
        *("--out", attested),
        environ=sigstore,
        at=now,
    )
    approved = await asyncio.to_thread(
        run,
        *("sign-off", "-f", attested, "--identity-token", token(release, DANA)),
        *("--cluster", "prod", "--answers", answers, "--out", signed),
        environ=sigstore,
        at=now,
    )
    seen = await asyncio.to_thread(
        run, "inspect", signed, "-o", "json", environ=sigstore, at=datetime.now(UTC)
    )

    assert (made.code, approved.code) == (Exit.DONE, Exit.DONE), made.err + approved.err
    assert f"verified: {SAN}" in approved.err
    first, second = json.loads(seen.out)
    assert first["proven"]["signer"]["san"] == SAN
    assert second["proven"]["signer"] == {
        "trustRoot": "COUNTERSIGN_TRUSTED_ROOT",
        "issuer": PEOPLE,
        "san": DANA,
    }
    assert second["proven"]["signedAt"]
    assert f"reviewer: {DANA}" in second["says"]


async def test_a_key_gets_a_stamp(
    run: Run, release: Release, sigstore: dict[str, str]
) -> None:
    """Where the signing config names a time-stamping authority."""
    ran = await asyncio.to_thread(
        run,
        *("attest", "HEAD", "--repo", release.git.path, "--cluster", "prod"),
        *("--key", release.path("ci.key")),
        environ=sigstore,
        at=datetime.now(UTC),
    )

    assert "rfc3161Timestamps" in ran.out


async def test_a_token_of_strangers_is_refused(
    run: Run, release: Release, sigstore: dict[str, str]
) -> None:
    """And nothing is written."""
    path = release.path("token")
    path.write_text(stranger().token(DANA))

    ran = await asyncio.to_thread(
        run,
        *("attest", "HEAD", "--repo", release.git.path, "--cluster", "prod"),
        *("--identity-token", path),
        environ=sigstore,
        at=datetime.now(UTC),
    )

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "refused" in ran.err


def test_a_token_that_is_none_is_named_before_anything_else(
    run: Run, release: Release, tmp_path: Path
) -> None:
    """Before a reviewer answers questions for nothing."""
    for name in ("root", "config", "token"):
        (tmp_path / name).write_text("junk")

    ran = run(
        *("attest", "HEAD", "--repo", release.git.path, "--cluster", "prod"),
        *("--identity-token", tmp_path / "token", "--trusted-root", tmp_path / "root"),
        *("--signing-config", tmp_path / "config"),
    )

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "trusted_root.json" in ran.err
