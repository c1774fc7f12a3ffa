"""``countersign sign-off --break-glass``: for hours, without questions, and why."""

import io
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from countersign.core.types.change import NamespaceWindow
from countersign.core.types.evidence import Emergency, SignOff
from countersign.faces.cli.session import Exit
from countersign.wire.attestation import parse_attestation
from countersign.wire.bundle import parse_bundle
from countersign.wire.manifests import parse_manifests
from tests.support.cli import NOON, Run
from tests.support.release import Release
from tests.support.sets import key_of, read
from tests.unit.faces.cli.test_cli_sign_off import sign, sign_offs

HOUR = timedelta(hours=1)
URGENT = (
    *("--break-glass", "--incident", " INC-7 "),
    *("--justification", "the fail-over flaps"),
)


def claim_of(bundle: bytes) -> SignOff:
    """Return what a bundle says."""
    claim = parse_attestation(parse_bundle(bundle).envelope.payload).claim
    assert isinstance(claim, SignOff)
    return claim


def test_nothing_is_asked(run: Run, release: Release, attested: Path) -> None:
    """Not even on no terminal; what it holds for is short, and says why."""
    ran = sign(run, release, attested, *URGENT)

    (claim,) = sign_offs(ran.out)
    assert ran.code == Exit.DONE, ran.err
    assert claim.emergency == Emergency("INC-7", "the fail-over flaps")
    assert claim.question_set is None
    assert claim.answers == ()
    assert claim.validity.end == NOON + HOUR


def test_one_confirmation_on_a_terminal(
    run: Run, release: Release, attested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named for what it is; whoever says no signs nothing."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))

    ran = sign(run, release, attested, *URGENT, typed=True)

    assert "Sign this as break-glass for prod?" in ran.err
    assert ran.code != Exit.DONE
    assert ran.out == ""


def test_what_stands_in_the_way_is_said(
    run: Run, release: Release, attested: Path
) -> None:
    """The policy has no break-glass; questions and traces are of no interest."""
    ran = sign(run, release, attested, *URGENT, "--policies", release.path("policies"))

    assert "payments: the policy has no break-glass" in ran.err


def test_a_whole_namespace(run: Run, release: Release) -> None:
    """A set that names it, for an hour; one person is told that one is not enough."""
    out = release.path("window.yaml")

    ran = run(
        *("sign-off", *URGENT, "-n", "payments", "--cluster", "prod", "--out", out),
        *("--key", release.path("dana.key"), "-o", "json"),
    )

    assert ran.code == Exit.DONE, ran.err
    (tree,) = parse_manifests(out.read_bytes())
    (bundle,) = read(tree).bundles
    claim = claim_of(bundle)
    assert key_of(tree)[0] == "payments"
    assert claim.changes == (NamespaceWindow(namespace="payments"),)
    assert claim.validity.end == NOON + HOUR
    assert "namespace payments  anything in it" in ran.err
    assert "a second person on call runs the same, with --incident INC-7" in ran.err
    assert json.loads(ran.out)["objects"] == [{"namespace": "payments"}]


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        pytest.param(["-n", "x", "--valid", "61m"], "at most 1h", id="for long"),
        pytest.param(["-n", "x"], "--kubeconfig", id="nowhere"),
        pytest.param(["-n", "x", "Deployment/y"], "--live only", id="kinds"),
        pytest.param(["-n", "x", "--reject"], "--reject", id="a rejection"),
        pytest.param(
            ["-n", "x", "--carrier", "annotations"], "bundleset", id="on what"
        ),
        pytest.param(["-n", "x", "--live"], "saw --live", id="what runs"),
        pytest.param(["--source", "a..b"], "saw --source", id="a source"),
        pytest.param([], "--break-glass -n NAMESPACE", id="nothing"),
        pytest.param(["-n", "x", "--incident", " "], "--incident ID", id="no incident"),
    ],
)
def test_what_does_not_go_together(
    run: Run, release: Release, args: list[str], hint: str
) -> None:
    """Said before anything is read or signed."""
    key = ("--key", release.path("dana.key"), "--cluster", "prod")

    ran = run("sign-off", *URGENT, *key, *args)

    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert hint in ran.err


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(["-n", "x"], id="a namespace that nobody opens"),
        pytest.param(["-f", "x", "--incident", "INC-7"], id="an incident alone"),
    ],
)
def test_an_emergency_is_never_guessed(run: Run, args: list[str]) -> None:
    """It is said in so many words."""
    ran = run("sign-off", "--cluster", "prod", "--answers", "-", *args)

    assert (ran.code, ran.out) == (Exit.USAGE, "")


def test_a_cluster_is_named(run: Run, release: Release) -> None:
    """A namespace of which cluster?"""
    ran = run(
        *("sign-off", *URGENT, "-n", "payments", "--key", release.path("dana.key"))
    )

    assert ran.code == Exit.USAGE
    assert "--cluster NAME" in ran.err
