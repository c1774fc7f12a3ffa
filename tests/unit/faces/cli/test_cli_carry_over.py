"""``--carry-over``: what did not change keeps its evidence, and only while it holds."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from countersign.core.types.artifacts import Tree
from countersign.faces.cli.session import Exit
from countersign.usecases.inspect import carried_bundles
from countersign.wire.yaml_text import render_yaml
from tests.support.cli import NOON, Ran, Run
from tests.support.release import IMAGE, MANIFESTS, Release

CARRIERS = ("annotations", "bundleset")
MOVED = MANIFESTS.replace("eu-west-1", "us-east-1")
SECRET = """\
---
apiVersion: v1
kind: Secret
metadata: {name: ledger}
stringData: {password: hunter2}
"""


def attest(run: Run, release: Release, text: str, *more: object) -> tuple[Path, Ran]:
    """Attest `text` as CI does; return the file, and what was said."""
    (release.folder / "new.yaml").write_text(text)
    out = release.path("attested-2.yaml")
    ran = run(
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path),
        *("-f", release.path("new.yaml"), "-n", "payments", "--cluster", "prod"),
        *("--image", IMAGE, "--key", release.path("ci.key"), "--out", out, *more),
    )
    return out, ran


def sign(
    run: Run, release: Release, file: Path, to: str, *more: object, by: str = "dana"
) -> tuple[Path, Ran]:
    """Sign `file` by the rules of the folder; return the result, and what was said."""
    out = release.path(to)
    ran = run(
        *("sign-off", "-f", file, "--key", release.path(f"{by}.key"), "--out", out),
        *("--policies", release.path("policies"), "-n", "payments"),
        *("--answers", release.path("answers.yaml"), "--cluster", "prod", *more),
    )
    return out, ran


def verdict(run: Run, release: Release, file: Path, **more: object) -> Ran:
    """Judge by the folder, as admission would."""
    rules = ("--policies", release.path("policies"), "--cluster", "prod")
    return run("verify", "-f", file, *rules, **more)


@pytest.fixture(name="first")
def _first(run: Run, release: Release) -> Callable[[str], Path]:
    """Return a release that is attested and signed, by its carrier."""

    def make(carrier: str, text: str = MANIFESTS) -> Path:
        made, ran = attest(run, release, text, "--carrier", carrier)
        assert ran.code == 0, ran.err
        out, ran = sign(run, release, made, "first.yaml", "--carrier", carrier)
        assert ran.code == 0, ran.err
        return out

    return make


@pytest.mark.parametrize("carrier", CARRIERS)
def test_only_what_changed_is_attested_and_signed(
    run: Run, release: Release, first: Callable[[str], Path], carrier: str
) -> None:
    """And the whole release is admitted."""
    before = first(carrier)
    how = ("--carrier", carrier, "--carry-over", before)

    made, attested = attest(
        run, release, MOVED, *how, "--policies", release.path("policies")
    )
    done, signed = sign(run, release, made, "second.yaml", *how, "-o", "json")

    for ran in (attested, signed):
        assert "1 of 2 objects changed; 1 keep the evidence of " in ran.err
    assert "payments/ConfigMap/ledger  not compared" in signed.err
    assert "payments/Deployment/ledger  not compared" not in signed.err
    told = json.loads(signed.out)
    assert told["carriedOver"] == ["payments/Deployment/ledger"]
    assert [one["object"] for one in told["objects"]] == ["payments/ConfigMap/ledger"]
    assert verdict(run, release, done).code == Exit.DONE
    if carrier == "annotations":  # where it is live, nothing of it changes
        assert _named(done, "Deployment") == _named(before, "Deployment")
    else:
        (only,) = [t for t in _trees(done) if t["kind"] == "BundleSet"]
        assert len(only["spec"]["intents"]) == 2


@pytest.mark.parametrize("carrier", CARRIERS)
def test_nothing_changed(
    run: Run, release: Release, first: Callable[[str], Path], carrier: str
) -> None:
    """Nobody is asked, nothing is signed, and the result is what was there."""
    before = first(carrier)
    plain = release.path("ledger.yaml")

    done, ran = sign(
        run, release, plain, "second.yaml", "--carry-over", before, "--carrier", carrier
    )

    assert ran.code == Exit.DONE
    assert "0 of 2 objects changed; 2 keep" in ran.err
    assert "nothing changed, so nothing was signed" in ran.err
    assert verdict(run, release, done).code == Exit.DONE


def test_a_secret_is_the_same_by_its_values(
    run: Run, release: Release, first: Callable[..., Path]
) -> None:
    """Its salt is found again; another value is another state."""
    before = first("bundleset", MANIFESTS + SECRET)
    how = ("--carry-over", before, "--carrier", "bundleset")

    for text, count in ((MOVED + SECRET, 1), (MOVED + SECRET.replace("2", "3"), 2)):
        made, ran = attest(run, release, text, *how)
        done, signed = sign(run, release, made, "second.yaml", *how)

        assert f"{count} of 3 objects changed" in ran.err
        assert f"{count} of 3 objects changed" in signed.err
        assert verdict(run, release, done).code == Exit.DONE


# What no longer holds ---------------------------------------------------------------


def _withdrawn(release: Release) -> None:
    entry: Tree = {"kind": "key", "value": "dana"}
    _add(release, {"kind": "Revocation", "spec": {"entries": [entry]}})


def _stricter(release: Release) -> None:
    _ask(release, preset="high-blast-radius")


def _urgent(release: Release) -> None:
    door = {"role": "senior", "maxValidity": "4h", "reviewWithin": "72h"}
    _ask(release, breakGlass=door)


def _ask(release: Release, **more: Any) -> None:
    file = release.path("policies") / "all.yaml"
    trees = list(yaml.safe_load_all(file.read_text()))
    for tree in trees:
        if tree["kind"] == "ProtectionPolicy":
            tree["spec"] |= more
    file.write_text(render_yaml(trees))


def _add(release: Release, tree: Tree) -> None:
    head: Tree = {"apiVersion": "countersign.dev/v1alpha1", "metadata": {"name": "x"}}
    (release.path("policies") / "more.yaml").write_text(render_yaml([{**head, **tree}]))


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    ("change", "late", "cluster", "why"),
    [
        pytest.param(_withdrawn, 0, "prod", "slot_open", id="withdrawn"),
        pytest.param(_stricter, 0, "prod", "slot_open", id="a stricter policy"),
        pytest.param(lambda _: None, 31, "prod", "expired", id="expired"),
        pytest.param(lambda _: None, 0, "other", "wrong_cluster", id="other cluster"),
    ],
)
def test_what_no_longer_holds_is_signed_anew(
    *,
    run: Run,
    release: Release,
    first: Callable[[str], Path],
    carrier: str,
    change: Callable[[Release], None],
    late: int,
    cluster: str,
    why: str,
) -> None:
    """And it is said which, and why."""
    before = first(carrier)
    change(release)

    ran = run(
        *("sign-off", "-f", release.path("attested-2.yaml"), "--cluster", cluster),
        *("--key", release.path("ravi.key"), "--carry-over", before),
        *("--policies", release.path("policies"), "--carrier", carrier),
        *("--answers", release.path("answers.yaml"), "-n", "payments"),
        at=NOON + timedelta(days=late),
    )

    assert ran.code == Exit.DONE, ran.err
    assert "0 of 2 objects changed, 2 to be covered anew; 0 keep" in ran.err
    lost = [one for one in ran.err.splitlines() if "no longer holds" in one]
    assert len(lost) == 2
    assert all(why in one for one in lost), lost
    assert "payments/Deployment/ledger  not compared" in ran.err


@pytest.mark.parametrize(
    ("more", "late"),
    [
        pytest.param(("--cluster", "other"), 0, id="another cluster"),
        pytest.param((), 91, id="expired"),
        pytest.param(("withdrawn",), 0, id="withdrawn"),
        pytest.param(("stranger",), 0, id="of somebody whom nobody trusts"),
    ],
)
def test_provenance_that_no_longer_holds_is_made_anew(
    run: Run, release: Release, more: tuple[str, ...], late: int
) -> None:
    """For each of the clusters, and by whom policies trust."""
    before = release.path("attested.yaml")
    if more == ("withdrawn",):
        entry: Tree = {"kind": "collector", "value": "ci"}
        _add(release, {"kind": "Revocation", "spec": {"entries": [entry]}})
    if more == ("stranger",):
        file = release.path("policies") / "all.yaml"
        trees = [t for t in _trees(file) if t["kind"] != "TrustRoot"]
        (other,) = [t for t in _trees(file) if t["kind"] == "TrustRoot"]
        keys = other["spec"]["keys"]
        pems = {k["name"]: k["pem"] for k in keys}
        for key in keys:  # ci's is another one by now
            key["pem"] = pems["dev"] if key["name"] == "ci" else key["pem"]
        keys[:] = [k for k in keys if k["name"] != "dev"]
        file.write_text(render_yaml([*trees, other]))

    ran = run(
        *("attest", f"{release.base}..HEAD", "--repo", release.git.path),
        *("-f", release.path("ledger.yaml"), "-n", "payments", "--cluster", "prod"),
        *("--key", release.path("ci.key"), "--carrier", "annotations"),
        *("--carry-over", before, "--policies", release.path("policies")),
        *(more if more[:1] == ("--cluster",) else ()),
        at=NOON + timedelta(days=late),
    )

    assert ran.code == Exit.DONE, ran.err
    assert "0 of 2 objects changed, 2 to be covered anew; 0 keep" in ran.err


def test_worse_that_came_in_since_is_not_left_out(
    run: Run, release: Release, first: Callable[[str], Path]
) -> None:
    """New provenance about an unchanged object: it stays, and is judged."""
    before = first("annotations")
    again, _ = attest(run, release, MANIFESTS, "--carrier", "annotations")

    done, ran = sign(run, release, again, "second.yaml", "--carry-over", before)

    assert ran.code == Exit.DONE
    (kept,) = _carried(done, "Deployment")
    assert set(_carried(again, "Deployment")[0]) <= set(kept)


def test_an_emergency_is_not_carried_over(run: Run, release: Release) -> None:
    """It is admitted for its hour still; but a debt stays one, and somebody is asked."""
    _urgent(release)
    file = release.path("attested.yaml")
    urgent = ("--break-glass", "--incident", "INC-7", "--justification", "it flaps")
    before, ran = sign(run, release, file, "first.yaml", *urgent)
    assert ran.code == Exit.DONE, ran.err
    assert verdict(run, release, before).code == Exit.DONE

    done, ran = sign(run, release, file, "second.yaml", "--carry-over", before)

    assert ran.code == Exit.DONE, ran.err
    assert "0 of 2 objects changed, 2 to be covered anew; 0 keep" in ran.err
    assert ran.err.count("no longer holds: signed for an emergency\n") == 2
    assert verdict(run, release, done, at=NOON + timedelta(days=1)).code == Exit.DONE


def test_a_tampered_file_carries_nothing(
    run: Run, release: Release, first: Callable[[str], Path]
) -> None:
    """Evidence put on another object, or state, has that signed like any other."""
    before = first("annotations")
    trees = _trees(before)
    for tree in trees:
        if tree["kind"] == "ConfigMap":
            tree["data"]["failover"] = "evil"
    before.write_text(render_yaml(trees))
    evil = release.path("evil.yaml")
    evil.write_text(MANIFESTS.replace("eu-west-1", "evil"))

    done, ran = sign(run, release, evil, "second.yaml", "--carry-over", before)

    assert "1 of 2 objects changed; 1 keep" in ran.err
    assert "payments/ConfigMap/ledger  not compared" in ran.err
    assert verdict(run, release, done).code == Exit.DENIED  # nobody attested it


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param(("--reject",), "--reject", id="a rejection"),
        pytest.param(("--operation", "delete"), "--operation delete", id="a deletion"),
        pytest.param(("--carrier", "oci"), "--carrier oci", id="beside images"),
    ],
)
def test_goes_with_an_approval_only(
    run: Run, release: Release, flags: tuple[str, ...], said: str
) -> None:
    """What is carried over is an approval."""
    file = release.path("attested.yaml")

    _, ran = sign(run, release, file, "x.yaml", "--carry-over", file, *flags)

    assert ran.code == Exit.USAGE
    assert said in ran.err


def test_needs_policies_and_evidence(run: Run, release: Release) -> None:
    """Without, nobody can say what still holds; and a plain file holds nothing."""
    plain = release.path("ledger.yaml")
    common = ("--key", release.path("dana.key"), "--cluster", "prod", "-n", "payments")
    answers = ("--answers", release.path("answers.yaml"))

    without = run("sign-off", "-f", plain, "--carry-over", plain, *common, *answers)
    _, bare = sign(run, release, plain, "x.yaml", "--carry-over", plain)

    assert without.code == Exit.USAGE
    assert "--policies" in without.err
    assert bare.code == Exit.UNDECIDED
    assert "saw no evidence" in bare.err


def _trees(file: Path) -> list[Any]:
    return [tree for tree in yaml.safe_load_all(file.read_text()) if tree]


def _named(file: Path, kind: str) -> Tree:
    found: list[Tree] = [tree for tree in _trees(file) if tree["kind"] == kind]
    (only,) = found
    return only


def _carried(file: Path, kind: str) -> list[tuple[bytes, ...]]:
    return [carried_bundles(_named(file, kind))[1]]
