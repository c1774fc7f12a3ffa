"""``countersign sign-off --source``: commits are shown, and approved as such."""

import json
from pathlib import Path

import pytest

from countersign.core.types.evidence import SignOff
from countersign.faces.cli.session import Exit
from countersign.usecases.source import MAX_SHOWN
from countersign.wire.attestation import Attestation, parse_attestation
from countersign.wire.bundle import parse_bundle
from tests.support.cli import Ran, Run
from tests.support.release import Release


def approve(run: Run, release: Release, answers: Path, *more: object) -> Ran:
    """Sign off the release's last commit as dana."""
    return run(
        *("sign-off", "--source", f"{release.base}..HEAD"),
        *("--repo", release.git.path, "--key", release.path("dana.key")),
        *("--cluster", "prod", "--answers", answers, *more),
    )


def read(bundle: str) -> Attestation:
    """Return what a bundle says."""
    return parse_attestation(parse_bundle(bundle.encode()).envelope.payload)


def test_shows_the_difference_and_names_the_end(
    run: Run, release: Release, answers: Path
) -> None:
    """Commit and tree are all that is signed."""
    ran = approve(run, release, answers)

    said = read(ran.out)
    tree = release.git.git("rev-parse", "HEAD^{tree}")
    assert ran.code == Exit.DONE, ran.err
    assert isinstance(said.claim, SignOff)
    assert said.claim.changes == ()
    assert {str(s.digest) for s in said.subjects} == {
        f"gitCommit:{release.head}",
        f"gitTree:{tree}",
    }
    for line in (
        "-  failover: none",
        "+  failover: eu-west-1",
        "mark of assistance: trailer: ai-assisted: amazon-q/2026-03",
        f"everything in the repository at {release.head[:12]}",
    ):
        assert line in ran.err


def test_names_the_provenance_the_reviewer_saw(
    run: Run, release: Release, answers: Path
) -> None:
    """Who approves knows how it was made."""
    made = release.path("made.json")
    run(
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path),
        *("--key", release.path("ci.key"), "--cluster", "prod", "--out", made),
    )
    claim = read(approve(run, release, answers, "--provenance", made).out).claim

    assert isinstance(claim, SignOff)
    assert len(claim.inputs) == 1


def test_says_how_much_it_does_not_show(
    run: Run, release: Release, answers: Path
) -> None:
    """A bounded screen, and where the rest is."""
    release.git.write("big", "\n".join(map(str, range(MAX_SHOWN))))
    release.git.commit("Grow")
    ran = approve(run, release, answers)

    assert ran.code == Exit.DONE, ran.err
    assert "NOT shown: " in ran.err
    assert "git diff" in ran.err


def test_source_cannot_move_the_cursor(
    run: Run, release: Release, answers: Path
) -> None:
    """What turns the direction of writing is spelt out."""
    release.git.write("trojan", "\u202e\x1b[2K\n")
    release.git.commit("Add")
    ran = approve(run, release, answers)

    assert "\u202e" not in ran.err
    assert "\x1b" not in ran.err
    assert "\\u{202e}" in ran.err


@pytest.mark.parametrize(
    "span", [pytest.param("nowhere", id="no revision"), "HEAD..HEAD"]
)
def test_says_what_is_no_range(
    span: str, run: Run, release: Release, answers: Path
) -> None:
    """As attest does."""
    ran = approve(run, release, answers, "--source", span)

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")


def test_tells_a_script_what_was_approved(
    run: Run, release: Release, answers: Path
) -> None:
    """Beside the result in its file."""
    ran = approve(
        run, release, answers, "--out", release.path("source.json"), "-o", "json"
    )

    assert f"gitCommit:{release.head}" in json.loads(ran.out)["source"]["subjects"]
