"""The ways to sign off beside plain files: carriers, sources, what excludes what."""

import json
from pathlib import Path

import pytest

from countersign.faces.cli.session import Exit
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.manifests import parse_manifests
from tests.support.cli import Run
from tests.support.release import Release
from tests.support.sets import key_of, read
from tests.unit.faces.cli.test_cli_sign_off import sign

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: correct horse}
"""


def test_a_set_and_the_objects_in_one_file(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """The set first, then the objects as they were; a second person's has both."""
    first, second = release.path("1.yaml"), release.path("2.yaml")
    beside = ("--answers", answers, "--carrier", "bundleset")
    before = parse_manifests(attested.read_bytes())

    ran = sign(run, release, attested, *beside, "--out", first)
    again = sign(run, release, first, "--answers", answers, "--out", second, by="ravi")

    assert ran.code == again.code == Exit.DONE, ran.err + again.err
    one, *objects = parse_manifests(first.read_bytes())
    two, *same = parse_manifests(second.read_bytes())
    assert [*before] == objects == same
    assert key_of(one)[0] == "payments"
    assert read(two).bundles[:-1] == read(one).bundles
    assert read(two).intents == read(one).intents
    assert "BundleSet: evidence came in a BundleSet" in again.err


def test_a_secret_goes_beside_by_itself(
    run: Run, release: Release, answers: Path
) -> None:
    """And the person is told."""
    file = release.path("secret.yaml")
    file.write_text(SECRET)

    ran = sign(run, release, file, "-n", "payments", "--answers", answers)

    found, secret = parse_manifests(ran.out.encode())
    assert "the evidence goes into a BundleSet: there is a Secret" in ran.err
    assert "correct horse" not in json.dumps(found)
    assert b"correct horse" not in b"".join(read(found).intents)
    assert "correct horse" not in ran.err
    assert secret["stringData"] == {"password": "correct horse"}


def test_a_broken_set_is_no_evidence(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """It is said, not passed over: its evidence would be lost."""
    out = release.path("set.yaml")
    beside = ("--answers", answers, "--carrier", "bundleset", "--out", out)
    sign(run, release, attested, *beside)
    text = out.read_text()
    out.write_text(text.replace("sha256: ", "sha256: 0", 1))

    ran = sign(run, release, out, "--answers", answers)

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "BundleSet/" in ran.err


def test_approves_a_source(run: Run, release: Release, answers: Path) -> None:
    """Commit and tree are what is signed; alone, the result is a bundle."""
    out = release.path("source.json")

    ran = run(
        *("sign-off", "--source", f"{release.base}..HEAD", "--repo", release.git.path),
        *("--cluster", "prod", "--key", release.path("dana.key")),
        *("--answers", answers, "--out", out, "-o", "json"),
    )

    assert ran.code == Exit.DONE, ran.err
    statement = parse_attestation(parse_bundle(out.read_bytes()).envelope.payload)
    assert {s.digest.algorithm.value for s in statement.subjects} == {
        "gitCommit",
        "gitTree",
    }
    assert release.head in {s.digest.value for s in statement.subjects}
    assert "Fail over by itself" in ran.err
    assert json.loads(ran.out)["source"]["commitsWithMarker"] == 1


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        pytest.param(
            ["--carrier", "oci", "--decision", "D"], "beside images", id="oci"
        ),
        pytest.param(["--image", "x@y", "--live"], "one of", id="image and live"),
        pytest.param(["-f", "x", "--decision", "D"], "one of", id="two ways"),
        pytest.param(["--live", "--decision", "D"], "one of", id="two other ways"),
        pytest.param(["-f", "x", "deployments"], "--live only", id="kinds of files"),
        pytest.param(["--live"], "give -n", id="live nowhere"),
        pytest.param(["--live", "-n", "x"], "--kubeconfig", id="live without cluster"),
        pytest.param(["--decision", "D"], "--kubeconfig", id="denied without cluster"),
        pytest.param(
            ["--decision", "D", "--carrier", "annotations"], "bundleset", id="carrier"
        ),
    ],
)
def test_what_does_not_go_together(run: Run, args: list[str], hint: str) -> None:
    """Said before anything is read."""
    ran = run("sign-off", "--reject", "--cluster", "prod", *args)

    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert hint in ran.err


def test_a_deletion_needs_to_see_what_goes(
    run: Run, release: Release, attested: Path, answers: Path
) -> None:
    """It is signed for one live object."""
    ran = sign(run, release, attested, "--answers", answers, "--operation", "delete")

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "--kubeconfig" in ran.err
