"""``countersign explain -f``: for each policy, who met what, and what is missing."""

import json
from pathlib import Path

from countersign.faces.cli.session import Exit
from tests.support.cli import Ran, Run
from tests.support.release import Release


def _explain(run: Run, release: Release, file: Path, *more: object) -> Ran:
    policies = release.path("policies")
    rules = ("--policies", policies, "--cluster", "prod")
    return run("explain", "-f", file, *rules, *more)


def _signed(run: Run, release: Release, attested: Path, *, by: str) -> Path:
    out = release.path(f"{by}.yaml")
    ran = run(
        *("sign-off", "-f", attested, "--key", release.path(f"{by}.key")),
        *("--cluster", "prod", "--answers", release.path("answers.yaml")),
        *("--out", out),
    )
    assert ran.code == Exit.DONE, ran.err
    return out


def test_it_says_what_is_missing_who_could_and_how(
    run: Run, release: Release, attested: Path
) -> None:
    """With the anchor in the runbook and a command to run."""
    ran = _explain(run, release, attested)

    assert ran.code == Exit.DENIED
    assert "payments/Deployment/ledger: denied" in ran.out
    assert "policy payments (deny):" in ran.out
    assert "missing: senior, independent of author" in ran.out
    assert "could sign now: dana, ravi" in ran.out
    assert "may not: dev (author" in ran.out
    assert "docs/runbook.md#slot_open" in ran.out
    assert "next: ask one of dana, ravi to run: countersign sign-off" in ran.out


def test_it_says_by_whom_and_by_which_bundle(
    run: Run, release: Release, attested: Path
) -> None:
    """Of what is met."""
    file = _signed(run, release, attested, by="dana")

    ran = _explain(run, release, file, "-o", "json")

    assert ran.code == Exit.DONE, ran.out
    told = json.loads(ran.out)
    assert {one["outcome"] for one in told} == {"allowed"}
    slots = told[0]["policies"][0]["slots"]
    assert [(s["role"], s["person"], s["state"]) for s in slots] == [
        ("senior", "dana", "met")
    ]
    assert slots[0]["bundle"].startswith("sha256:")
    requirements = told[0]["policies"][0]["requirements"]
    assert {one["state"] for one in requirements} == {"met"}


def test_a_requirement_that_fails_is_missing_and_others_are_open(
    run: Run, release: Release
) -> None:
    """Nobody gets as far as its signature without evidence."""
    plain = release.path("ledger.yaml")

    ran = _explain(run, release, plain, "-n", "payments", "-o", "json")

    assert ran.code == Exit.DENIED
    policy = json.loads(ran.out)[1]["policies"][0]
    states = {one["ask"]: one["state"] for one in policy["requirements"]}
    assert policy["met"] is False
    assert states["validity"] == "open"
    assert policy["next"].startswith("let CI attest it")


def test_outside_of_every_policy(run: Run, release: Release) -> None:
    """There is nothing to explain."""
    ran = _explain(run, release, release.path("ledger.yaml"), "-n", "sandbox")

    assert ran.code == Exit.DONE
    assert "allowed: no policy applies" in ran.out


def test_manifests_or_a_decision(run: Run) -> None:
    """One of the two."""
    assert run("explain").code == Exit.USAGE
    assert run("explain", "ID", "-f", "x.yaml").code == Exit.USAGE
