"""``countersign attest --declare-human``, and what travels beside a provenance."""

import io
import json
from pathlib import Path

import pytest

from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import CommitRange, Declaration, Provenance
from countersign.faces.cli.session import Exit
from countersign.wire.annotations import read_annotations
from countersign.wire.attestation import Attestation, parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.manifests import parse_manifests
from countersign.wire.resources.objects import bundle_set
from tests.support.cli import Ran, Run
from tests.support.git import DEV, Who
from tests.support.release import IMAGE, Release

REPOSITORY = "https://git.example/acme/payments"


@pytest.fixture(name="human")
def _human(release: Release) -> Release:
    """Return a release whose last commit is dev's own, on top of the base."""
    release.git.git("checkout", "--quiet", "-B", "work", release.base)
    release.git.write("ledger.yaml", "by hand")
    release.git.commit("Set it by hand\n\nIt was wrong.")
    return release


def declare(
    run: Run, release: Release, *more: object, by: str = "dev", **given: object
) -> Ran:
    """Declare the release's last commit."""
    span = given.pop("span", f"{release.base}..HEAD")
    return run(
        *("attest", span, "--declare-human", "--repo", release.git.path),
        *("--key", release.path(f"{by}.key"), *more),
        **given,
    )


def attest(run: Run, release: Release, *more: object) -> Ran:
    """Have ci attest the last commit."""
    return run(
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path),
        *("--key", release.path("ci.key"), "--cluster", "prod", *more),
    )


def read(bundle: bytes | str) -> Attestation:
    """Return what a bundle says."""
    raw = bundle.encode() if isinstance(bundle, str) else bundle
    return parse_attestation(parse_bundle(raw).envelope.payload)


def policies(release: Release) -> tuple[str, Path]:
    """Return the option that names the release's rules."""
    return "--policies", release.path("policies")


def test_signs_the_range_and_names_commit_and_tree(run: Run, human: Release) -> None:
    """What it speaks for is shown before, beside the result."""
    ran = declare(run, human, "--yes")

    head = human.git.git("rev-parse", "HEAD")
    tree = human.git.git("rev-parse", "HEAD^{tree}")
    said = read(ran.out)
    assert ran.code == Exit.DONE, ran.err
    assert isinstance(said.claim, Declaration)
    assert said.claim.repository == REPOSITORY
    assert said.claim.range == CommitRange(
        Digest.parse(f"gitCommit:{human.base}"), Digest.parse(f"gitCommit:{head}")
    )
    assert {str(s.digest) for s in said.subjects} == {
        f"gitCommit:{head}",
        f"gitTree:{tree}",
    }
    assert f"{head[:12]} {DEV.email}: Set it by hand" in ran.err
    assert "It was wrong" not in ran.err
    assert "not checked whether you are one of them" in ran.err


def test_asks_at_a_terminal(
    run: Run, human: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No is no: nothing is signed."""
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = declare(run, human, interactive=True)

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "Sign that no AI had a hand in this?" in ran.err
    assert "nothing was written" in ran.err


def test_needs_somebody_to_agree(run: Run, human: Release) -> None:
    """A script says so with --yes."""
    ran = declare(run, human)

    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "--yes" in ran.err


def test_shows_the_marks_and_refuses(run: Run, release: Release) -> None:
    """A trailer belies the word."""
    ran = declare(run, release, "--yes")

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "mark of assistance: trailer: ai-assisted: amazon-q/2026-03" in ran.err
    assert "1 of 1 commits" in ran.err


def test_a_commit_message_cannot_move_the_cursor(run: Run, human: Release) -> None:
    """What hides on a terminal is spelt out."""
    human.git.write("x", "y")
    human.git.commit("Fix \x1b[2K\u202eit")
    ran = declare(run, human, "--yes")

    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
    assert "Fix \\u{001b}[2K\\u{202e}it" in ran.err


def test_says_for_whom_it_counts(run: Run, human: Release) -> None:
    """The roster knows dev's address; no policy takes the word of a senior."""
    ran = declare(run, human, "--yes", *policies(human))

    assert ran.code == Exit.DONE, ran.err
    assert f"declared by dev, for {DEV.email}" in ran.err
    assert "no policy here counts a declaration by dev" in ran.err


def test_says_who_has_to_declare_too(run: Run, human: Release) -> None:
    """A word is for one's own commits."""
    human.git.write("x", "y")
    human.git.commit("More", author=Who("Ravi", "ravi@example.com"))
    ran = declare(run, human, "--yes", *policies(human))

    assert ran.code == Exit.DONE, ran.err
    assert "not enough alone: ravi@example.com had a part in it, too" in ran.err


@pytest.mark.parametrize(
    ("by", "hint"),
    [
        pytest.param("dana", "nobody declares for others", id="another's commits"),
        pytest.param("ci", "expected an identity of a roster", id="no person"),
    ],
)
def test_nobody_declares_for_others(
    by: str, hint: str, run: Run, human: Release
) -> None:
    """Checked with the identity that is proven, before anything is written."""
    out = human.path("word.json")
    ran = declare(run, human, "--yes", "--out", out, *policies(human), by=by)

    assert ran.code == Exit.UNDECIDED
    assert hint in ran.err
    assert not out.exists()


def test_commits_out_of_sight_cannot_be_spoken_for(
    run: Run, human: Release, tmp_path: Path
) -> None:
    """A shallow clone shows less than there is."""
    cut = tmp_path / "cut"
    human.git.git("clone", "--quiet", "--depth=1", f"file://{human.git.path}", str(cut))
    ran = run(
        *("attest", "HEAD", "--declare-human", "--yes", "--repo", cut),
        *("--repo-uri", REPOSITORY, "--key", human.path("dev.key")),
    )

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert "--unshallow" in ran.err


def test_tells_a_script_what_was_signed(run: Run, human: Release) -> None:
    """Digest and range."""
    out = human.path("word.json")
    ran = declare(run, human, "--yes", "--out", out, "-o", "json")

    told = json.loads(ran.out)
    assert told["bundle"] == str(Digest.sha256(out.read_bytes()))
    assert told["range"]["fromID"] == human.base
    assert told["declaredOn"] == "2026-11-22T12:00:00Z"


@pytest.mark.parametrize(
    "more",
    [
        ["-f", "x.yaml"],
        ["--image", IMAGE],
        ["--declaration", "x.json"],
        ["--carrier", "annotations"],
    ],
)
def test_a_word_is_about_commits_alone(
    more: list[str], run: Run, human: Release
) -> None:
    """Not about manifests or images."""
    ran = declare(run, human, "--yes", *more)

    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "--declare-human" in ran.err


@pytest.mark.parametrize("carrier", ["annotations", "bundleset"])
def test_a_declaration_travels(carrier: str, run: Run, human: Release) -> None:
    """On the objects, or in a set before them."""
    word, out = human.path("word.json"), human.path("release.yaml")
    declare(run, human, "--yes", "--out", word)
    ran = attest(
        run,
        human,
        *("-f", human.path("ledger.yaml"), "-n", "payments"),
        *("--carrier", carrier, "--declaration", word, "--out", out),
    )

    assert ran.code == Exit.DONE, ran.err
    first, *rest = parse_manifests(out.read_bytes())
    if carrier == "bundleset":
        bundles, intents = bundle_set(first)
        assert str(first["metadata"]["name"]).startswith("provenance-payments-")  # type: ignore[index, call-overload]
        assert len(intents) == len(rest)
        assert "countersign.dev/" not in json.dumps(rest)
    else:
        bundles = read_annotations(first["metadata"]["annotations"]).bundles  # type: ignore[index, call-overload, arg-type]
    assert [type(read(raw).claim) for raw in bundles] == [Declaration, Provenance]


def test_a_set_that_is_given_is_kept(run: Run, human: Release) -> None:
    """A second attestation, of another repository, adds to the first."""
    first, second = human.path("first.yaml"), human.path("second.yaml")
    attest(
        run,
        human,
        *("-f", human.path("ledger.yaml"), "-n", "payments"),
        *("--carrier", "bundleset", "--out", first),
    )
    ran = attest(
        run,
        human,
        "-f",
        first,
        "--carrier",
        "bundleset",
        "--out",
        second,
        "--image",
        IMAGE,
    )
    refused = attest(run, human, "-f", first, "--carrier", "annotations")

    assert ran.code == Exit.DONE, ran.err
    before, after = (
        bundle_set(parse_manifests(f.read_bytes())[0]) for f in (first, second)
    )
    assert after[0][: len(before[0])] == before[0]
    assert len(after[0]) == len(before[0]) + 1
    assert after[1] == before[1]
    assert refused.code == Exit.USAGE
    assert "--carrier bundleset" in refused.err


def test_sets_alone_bring_no_object(run: Run, human: Release) -> None:
    """What was denied stays as it is, and its evidence goes before it.

    Seen to fail with the objects after the sets.
    """
    out = human.path("evidence.yaml")
    alone = ("-f", human.path("ledger.yaml"), "-n", "payments", "--sets-only")
    ran = attest(run, human, *alone, "--out", out)
    refused = attest(run, human, *alone, "--carrier", "annotations")

    assert ran.code == Exit.DONE, ran.err
    assert [tree["kind"] for tree in parse_manifests(out.read_bytes())] == ["BundleSet"]
    assert refused.code == Exit.USAGE
    assert "--sets-only" in refused.err


def test_the_salt_of_a_secret_stays(run: Run, human: Release) -> None:
    """Two statements about one Secret are about the same digest."""
    secret, first = human.path("secret.yaml"), human.path("first.yaml")
    secret.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: payments}\n"
        "stringData: {password: hunter2}\n"
    )
    carrier = ("--carrier", "bundleset", "--out")
    attest(run, human, "-f", secret, *carrier, first)
    ran = attest(run, human, "-f", first, *carrier, human.path("second.yaml"))

    before, after = (
        bundle_set(parse_manifests(human.path(f).read_bytes())[0])
        for f in ("first.yaml", "second.yaml")
    )
    assert ran.code == Exit.DONE, ran.err
    assert after[1] == before[1]
    assert b"hunter2" not in b"".join((*after[0], *after[1]))


@pytest.mark.parametrize(
    ("span", "repository", "hint"),
    [
        pytest.param(
            "HEAD", REPOSITORY, "declare what is attested", id="another range"
        ),
        pytest.param("", f"{REPOSITORY}-2", f"saw {REPOSITORY}-2", id="another repo"),
    ],
)
def test_what_would_be_of_no_use_does_not_travel(
    span: str, repository: str, hint: str, run: Run, human: Release
) -> None:
    """Said while it is easily mended."""
    word = human.path("word.json")
    declare(
        run,
        human,
        *("--yes", "--out", word, "--repo-uri", repository),
        span=span or f"{human.base}..HEAD",
    )
    ran = attest(
        run,
        human,
        *("-f", human.path("ledger.yaml"), "-n", "payments"),
        *("--carrier", "annotations", "--declaration", word),
    )

    assert (ran.code, ran.out) == (Exit.UNDECIDED, "")
    assert hint in ran.err


def test_a_declaration_needs_a_carrier(run: Run, human: Release) -> None:
    """A bundle alone takes nothing with it."""
    ran = attest(run, human, "--declaration", "word.json")

    assert ran.code == Exit.USAGE
    assert "--carrier" in ran.err
