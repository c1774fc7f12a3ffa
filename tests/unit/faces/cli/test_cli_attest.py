"""``countersign attest``, on a real repository."""

import hashlib
import json
from collections.abc import Mapping

import pytest

from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Contributor, Part, Provenance
from countersign.faces.cli.session import Exit
from countersign.wire.attestation import Attestation, parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.manifests import parse_manifests
from tests.support.cli import Ran, Run
from tests.support.release import DIGEST, IMAGE, Release


def attest(
    run: Run,
    release: Release,
    *more: object,
    environ: Mapping[str, str] | None = None,
    span: str = "",
) -> Ran:
    """Attest the release's last commit with ci's key."""
    return run(
        "attest",
        span or f"{release.base}..HEAD",
        *("--repo", release.git.path, "--key", release.path("ci.key")),
        *("--cluster", "prod", *more),
        environ=environ,
    )


def read(bundle: bytes | str) -> Attestation:
    """Return what a bundle says."""
    raw = bundle.encode() if isinstance(bundle, str) else bundle
    return parse_attestation(parse_bundle(raw).envelope.payload)


def test_writes_a_bundle_to_standard_output(run: Run, release: Release) -> None:
    """And tells the person what it found, beside it."""
    ran = attest(run, release, "--image", IMAGE)

    said = read(ran.out)
    assert ran.code == Exit.DONE
    assert isinstance(said.claim, Provenance)
    assert said.claim.repository == "https://git.example/acme/payments"
    assert said.claim.tools == ("amazon-q 2026-03",)
    assert said.claim.complete
    digests = {str(subject.digest) for subject in said.subjects}
    assert {DIGEST, f"gitCommit:{release.head}"} <= digests
    assert "provenance: mixed (amazon-q 2026-03, 1 of 1 lines, 100 %)" in ran.err
    assert "1 commit, 1 with a mark" in ran.err
    assert "made by dev@example.com" in ran.err


def test_carries_the_bundle_in_the_manifests(run: Run, release: Release) -> None:
    """A file to apply as it is; each object knows its namespace."""
    out = release.path("attested.yaml")
    ran = attest(
        run,
        release,
        *("-f", release.path("ledger.yaml"), "-n", "payments"),
        *("--carrier", "annotations", "--out", out, "-o", "json"),
    )

    summary = json.loads(ran.out)
    first, second = parse_manifests(out.read_bytes())
    assert summary["assistance"] == "mixed"
    assert summary["lines"] == {"ai": 1, "human": 0, "unknown": 0}
    assert [o["metadata"]["namespace"] for o in (first, second)] == ["payments"] * 2  # type: ignore[index, call-overload]
    assert all("countersign.dev/bundles" in str(o) for o in (first, second))


@pytest.mark.parametrize("carrier", ["annotations", ""])
def test_a_secret_needs_a_carrier(carrier: str, run: Run, release: Release) -> None:
    """Its digest is salted, and the salt must not get lost."""
    secret = release.path("secret.yaml")
    secret.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: payments}\n"
        "stringData: {password: hunter2}\n"
    )
    more = ("--carrier", carrier) if carrier else ()

    ran = attest(run, release, "-f", secret, *more)

    assert ran.code == (Exit.DONE if carrier else Exit.USAGE)
    assert ("--carrier" in ran.err) is not bool(carrier)


def test_reads_the_ci(run: Run, release: Release) -> None:
    """Who pushed and who opened the request count as authors."""
    event = release.path("event.json")
    event.write_text(json.dumps({"pull_request": {"user": {"login": "R", "id": 7}}}))
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "acme/payments",
        "GITHUB_WORKFLOW_REF": "acme/ci/.github/workflows/p.yml@refs/heads/main",
        "GITHUB_ACTOR": "lee",
        "GITHUB_ACTOR_ID": "12",
        "GITHUB_EVENT_PATH": str(event),
    }

    claim = read(attest(run, release, environ=environ).out).claim

    assert isinstance(claim, Provenance)
    assert claim.repository == "https://github.com/acme/payments"
    assert claim.collector.endswith("/acme/ci/.github/workflows/p.yml@refs/heads/main")
    assert {
        Contributor(Part.PUSHER, "12+lee@users.noreply.github.com"),
        Contributor(Part.OPENER, "7+r@users.noreply.github.com"),
    } <= claim.contributors


def test_an_event_nobody_can_read_is_no_silence(run: Run, release: Release) -> None:
    """It may name an author."""
    event = release.path("event.json")
    event.write_text("{")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}

    ran = attest(run, release, environ=environ)

    assert ran.code == Exit.UNDECIDED
    assert "GITHUB_EVENT_PATH" in ran.err


def test_takes_options_from_the_environment(run: Run, release: Release) -> None:
    """For scripts, under the names of the contract."""
    environ = {
        "COUNTERSIGN_KEY": str(release.path("ci.key")),
        "COUNTERSIGN_CLUSTER": "prod test",
        "COUNTERSIGN_COLLECTOR": "our ci",
        "COUNTERSIGN_REPO_URI": "https://git.example/renamed",
    }

    ran = run("attest", "HEAD", "--repo", release.git.path, environ=environ)

    claim = read(ran.out).claim
    assert isinstance(claim, Provenance)
    assert claim.clusters == {"prod", "test"}
    assert claim.collector == "our ci"
    assert claim.repository == "https://git.example/renamed"


def test_a_shallow_clone_says_so(run: Run, release: Release) -> None:
    """And what to do about it."""
    clone = release.path("clone")
    release.git.git(
        "clone", "-q", "--depth=1", f"file://{release.git.path}", str(clone)
    )
    uri = ("--repo-uri", "https://git.example/x")

    ran = attest(run, release, "--repo", clone, *uri, span="HEAD")

    claim = read(ran.out).claim
    assert isinstance(claim, Provenance)
    assert not claim.complete
    assert "--unshallow" in ran.err


@pytest.mark.parametrize(
    ("more", "code", "hint"),
    [
        pytest.param(["--image", "ledger:1"], Exit.USAGE, "a tag", id="a tag"),
        pytest.param(["-o", "json"], Exit.USAGE, "--out", id="two results"),
        pytest.param(["--carrier", "annotations"], Exit.USAGE, "-f", id="no manifests"),
        pytest.param(["--valid", "soon"], Exit.USAGE, "30d", id="no duration"),
        pytest.param(["--valid", "0d"], Exit.USAGE, "above zero", id="no time"),
        pytest.param(["--key", "/nowhere"], Exit.UNDECIDED, "/nowhere", id="no key"),
        pytest.param(["--repo", "/"], Exit.UNDECIDED, "--repo", id="no repository"),
        pytest.param(["-f", "/nowhere"], Exit.NO_INPUT, "/nowhere", id="no file"),
        pytest.param(
            ["--key", "k", "--identity-token", "t"],
            Exit.USAGE,
            "both",
            id="two signers",
        ),
    ],
)
def test_says_what_it_expected(
    more: list[str], code: Exit, hint: str, run: Run, release: Release
) -> None:
    """With the code of the contract."""
    ran = attest(run, release, *more)

    assert (ran.code, ran.out) == (code, "")
    assert hint in ran.err


@pytest.mark.parametrize(
    ("span", "code", "hint"),
    [
        ("HEAD..HEAD", Exit.UNDECIDED, "it starts where it ends"),
        ("HEAD..HEAD~1", Exit.UNDECIDED, "The older one comes first, OLD..NEW"),
        ("nowhere", Exit.UNDECIDED, "'nowhere'"),
        ("a...b", Exit.UNDECIDED, "BASE..TARGET"),
    ],
)
def test_says_what_is_no_range(
    span: str, code: Exit, hint: str, run: Run, release: Release
) -> None:
    """And names what it saw."""
    ran = attest(run, release, span=span)

    assert (ran.code, ran.out) == (code, "")
    assert hint in ran.err


def test_needs_a_cluster(run: Run, release: Release) -> None:
    """It could be used nowhere."""
    ran = run("attest", "HEAD", "--repo", release.git.path)

    assert ran.code == Exit.USAGE
    assert "--cluster" in ran.err


def test_the_command_line_wins_over_the_environment(run: Run, release: Release) -> None:
    """A key in the environment does not sign for a token on the command line."""
    environ = {"COUNTERSIGN_KEY": str(release.path("ci.key"))}
    more = ("--cluster", "prod", "--identity-token", release.path("no.token"))

    ran = run("attest", "HEAD", "--repo", release.git.path, *more, environ=environ)

    assert ran.code == Exit.UNDECIDED
    assert "no.token" in ran.err


def test_needs_somebody_to_sign(run: Run, release: Release) -> None:
    """A key, or a Sigstore."""
    ran = run("attest", "HEAD", "--repo", release.git.path, "--cluster", "prod")

    assert ran.code == Exit.UNDECIDED
    assert "--key FILE" in ran.err


def test_the_digest_it_prints_is_that_of_the_file(run: Run, release: Release) -> None:
    """What a sign-off names, an audit finds."""
    out = release.path("bundle.json")
    ran = attest(run, release, "--out", out, "-o", "json")

    assert json.loads(ran.out)["bundle"] == str(Digest.sha256(out.read_bytes()))


def test_says_when_an_object_carries_a_lot(run: Run, release: Release) -> None:
    """An API server refuses more than 256 KiB, and kubectl stores them twice."""
    big = release.path("big.yaml")
    noise = "".join(hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(2000))
    big.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: payments}\n"
        f"data: {{a: '{noise}'}}\n"
    )

    ran = attest(run, release, "-f", big, "--carrier", "annotations")

    assert ran.code == Exit.DONE
    assert "ConfigMap/x is larger" in ran.err
    assert "--server-side" in ran.err


def test_reads_a_file_about_the_request(run: Run, release: Release) -> None:
    """Outside of CI somebody has to say which request it is."""
    file = release.path("request.json")
    request = {"head": {"ref": "codex/fix"}, "user": {"login": "R", "id": 7}}
    file.write_text(json.dumps(request))

    ran = attest(run, release, "--pull-request", file)

    assert ran.code == Exit.DONE
    assert "codex" in ran.err
    claim = read(ran.out).claim
    assert isinstance(claim, Provenance)
    opener = Contributor(Part.OPENER, "7+r@users.noreply.github.com")
    assert opener in claim.contributors


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_another_file_is_no_request(run: Run, release: Release, text: str) -> None:
    """To read nothing from it would be taken for nothing there."""
    file = release.path("request.json")
    file.write_text(text)

    ran = attest(run, release, "--pull-request", file)

    assert ran.code == Exit.UNDECIDED
    assert "pull request" in ran.err


def test_notes_that_nobody_fetched(run: Run, release: Release) -> None:
    """It says what to do, so that the next time they are."""
    release.git.git("config", "--unset-all", "remote.origin.fetch")

    ran = attest(run, release, "-o", "json", "--out", release.path("out.json"))

    assert "remote.origin.fetch" in ran.err
    assert json.loads(ran.out)["unseen"] == [{"reason": "notesNotFetched", "where": ""}]
