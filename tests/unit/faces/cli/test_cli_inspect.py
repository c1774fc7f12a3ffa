"""``countersign inspect``: what is said, what is proven, and which is which."""

import base64
import json
from pathlib import Path

import pytest

from countersign.faces.cli.session import Exit
from tests.support.cli import Run
from tests.support.release import Release


@pytest.fixture(name="signed")
def _signed(run: Run, release: Release, attested: Path, answers: Path) -> Path:
    out = release.path("signed.yaml")
    run(
        *("sign-off", "-f", attested, "--key", release.path("dana.key")),
        *("--cluster", "prod", "--answers", answers, "--out", out),
    )
    return out


def test_without_trust_nothing_is_proven(run: Run, signed: Path) -> None:
    """Each bundle once, however many objects carry it."""
    ran = run("inspect", signed)

    assert ran.code == Exit.DONE
    assert ran.out.count("NOT PROVEN: no trust roots were given") == 2
    assert "how: mixed (amazon-q 2026-03, 1 of 1 lines, 100 %)" in ran.out
    assert "topology-not-in-code: addressed: looked at it" in ran.out


def test_proves_under_given_roots(run: Run, release: Release, signed: Path) -> None:
    """And says who signed."""
    ran = run("inspect", signed, "--policies", release.path("policies"))

    assert "PROVEN: signed by ci, trust root keys" in ran.out
    assert "PROVEN: signed by dana, trust root keys" in ran.out
    assert "NOT PROVEN" not in ran.out


def test_tells_a_script(run: Run, release: Release, signed: Path) -> None:
    """What is proven has a place of its own."""
    ran = run("inspect", signed, "--policies", release.path("policies"), "-o", "json")

    first, second = json.loads(ran.out)
    assert first["kind"] == "provenance"
    assert first["proven"]["signer"] == {"trustRoot": "keys", "key": "ci"}
    assert second["proven"]["signedAt"] is None
    assert {subject["name"] for subject in second["subjects"]} >= {
        "manifest:apps/Deployment/payments/ledger"
    }


def test_a_stranger_proves_nothing(run: Run, release: Release, signed: Path) -> None:
    """Whatever name is in the bundle."""
    policies = release.path("policies") / "all.yaml"
    stranger = Release.make(release.path("stranger"))
    policies.write_bytes((stranger.path("policies") / "all.yaml").read_bytes())

    ran = run("inspect", signed, "--policies", policies.parent)

    assert ran.out.count("NOT PROVEN") == 2


def test_reads_a_bundle_file(run: Run, release: Release) -> None:
    """As ``attest`` wrote it, or as cosign 2 would have."""
    out = release.path("bundle.json")
    run(
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path),
        *("--key", release.path("ci.key"), "--cluster", "prod", "--out", out),
    )

    ran = run("inspect", out)

    assert ran.code == Exit.DONE
    assert f"in:        {out}" in ran.out
    assert f"gitCommit:{release.head}" in ran.out

    envelope = json.dumps(json.loads(out.read_text())["dsseEnvelope"]).encode()
    older = {"base64Signature": base64.b64encode(envelope).decode()}
    out.write_text(json.dumps(older))

    assert f"gitCommit:{release.head}" in run("inspect", out).out


@pytest.mark.parametrize(
    ("content", "code", "hint"),
    [
        pytest.param(None, Exit.NO_INPUT, "file", id="no file"),
        pytest.param("kind: ConfigMap\n", Exit.NO_INPUT, "no", id="no bundle in it"),
        pytest.param("{", Exit.UNDECIDED, "file", id="no JSON"),
        pytest.param('{"dsseEnvelope": 3}', Exit.UNDECIDED, "bundle", id="no bundle"),
    ],
)
def test_says_what_it_cannot_read(
    content: str | None, code: Exit, hint: str, run: Run, tmp_path: Path
) -> None:
    """With the code of the contract."""
    file = tmp_path / "file"
    if content is not None:
        file.write_text(content)

    ran = run("inspect", file)

    assert (ran.code, ran.out) == (code, "")
    assert hint in ran.err


def test_needs_a_file(run: Run) -> None:
    """Nothing is no input."""
    assert run("inspect").code == Exit.USAGE
