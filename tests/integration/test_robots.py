"""Trusted automation, limited by path: what it signs for opens the gate, and no more.

A real repository whose commits a robot makes and signs for, in a workflow of its own, as
the policy of ``payments`` says; the commands, the collector and the server as they stand.
"""

import json
import re
import shlex
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support import chart
from tests.support.author import Work, known
from tests.support.cli import Ran
from tests.support.gate import Gate, Judged, bundles, carry, documents, written
from tests.support.git import Who
from tools.sigstore import Workflow
from tools.stack.people import CI, LEE, RAVI, REPOSITORY, ROBOT, ROBOT_WORKFLOW
from tools.stack.policies import CLUSTER

_DOC = Path(__file__).parents[2] / "docs" / "robots.md"
VERSIONS = Who("versions", ROBOT)
VALUES = "charts/ledger/values.yaml"
BY_ROBOT = ("payments: signed declared=robot:versions",)


@pytest.fixture(name="work")
def _work(gate: Gate, tmp_path: Path) -> Work:
    return Work.begin(gate, tmp_path / "work")


def test_from_its_commit_to_an_admission(gate: Gate, work: Work, name: str) -> None:
    """Its own word, CI's word, and nothing outside its paths: no person is asked."""
    _bump(work)
    manifest = chart.deployment(name)
    word, said = _declare(work)

    alone = gate.apply(work.attest(manifest))
    admitted = gate.apply(work.attest(manifest, beside=[word]))

    assert alone.reasons == ("slot_open",)
    assert f"declared by robot:versions, for {ROBOT}" in said.err
    assert admitted.bases == BY_ROBOT, admitted.out
    assert gate.pod(name)  # children follow what a robot stands for


def test_the_documented_commands(
    gate: Gate, work: Work, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of docs/robots.md, one after the other, and what they write is admitted."""
    _bump(work)
    where = ("--repo", work.git.path, "--repo-uri", REPOSITORY)
    signers = (("--identity-token", _token(work)), ("--key", gate.stack.key(CI)))
    monkeypatch.chdir(tmp_path)
    Path("deploy.yaml").write_text(written([chart.config_map(name)]))
    blocks = re.findall(
        r"^```sh\n(.*?)^```$", _DOC.read_text(), re.MULTILINE | re.DOTALL
    )

    for block, signer in zip(blocks, signers, strict=True):
        told = block.replace("$BASE", work.base).replace("prod-eu", CLUSTER)
        words = shlex.split(told)
        done = gate.cli(*words[1:], *where, *signer)
        assert done.code == 0, done.err

    assert gate.apply(Path("release.yaml").read_text()).bases == BY_ROBOT


def test_a_person_beside_it(gate: Gate, work: Work, name: str) -> None:
    """Whoever took part declares, the robot too; and neither speaks for the other."""
    _bump(work)
    work.commit("by hand")
    machine, said = _declare(work)
    lee, _ = work.declare()
    manifest = chart.config_map(name)

    alone = gate.apply(work.attest(manifest, beside=[machine]))
    himself = gate.apply(work.attest(manifest, beside=[lee]))
    admitted = gate.apply(work.attest(manifest, beside=[machine, lee]))

    assert "lee@acme.example had a part in it, too" in said.err
    _doubted(alone, "lee@acme.example had a part too")
    _doubted(himself, f"{ROBOT} had a part too")
    assert admitted.bases == (
        "payments: signed declared=lee, declared=robot:versions",
    ), admitted.out


def test_what_it_may_not_touch_takes_a_senior(
    gate: Gate, work: Work, name: str
) -> None:
    """The robot is told at once, the gate denies, and nobody has to be added to sign."""
    _bump(work)
    _bump(work, "deploy/region")
    word, said = _declare(work)
    text = work.attest(chart.config_map(name), beside=[word])

    denied = gate.apply(text)
    signed = gate.apply(gate.sign(text))

    assert "not enough where it touched deploy/region" in said.err
    _doubted(denied, "the robot touched deploy/region, outside its paths")
    assert signed.admitted, signed.out


@pytest.mark.parametrize("trick", ["renamed in", "a link", "a folder deeper", "case"])
def test_ways_out_of_its_paths(gate: Gate, work: Work, name: str, trick: str) -> None:
    """What a robot that was taken over would try."""
    why = "outside its paths"
    if trick == "renamed in":
        work.git.write("deploy/region", "eu\n" * 9)
        work.git.commit("Begin", author=known(LEE))
        (work.git.path / "charts/ledger").mkdir(parents=True)
        work.git.git("mv", "deploy/region", VALUES)
        work.git.commit("Move", author=VERSIONS)
        why = "the robot touched deploy/region, outside its paths"
    elif trick == "a link":
        link = work.git.path / "charts/x/values.yaml"
        link.parent.mkdir(parents=True)
        link.symlink_to("../../deploy/region")
        work.git.git("add", "--all")
        work.git.commit("Link", author=VERSIONS)
        why = "does not tell all that"
    elif trick == "a folder deeper":
        _bump(work, "charts/ledger/templates/values.yaml")
    else:
        _bump(work, "Charts/ledger/values.yaml")
    word, _ = _declare(work)

    denied = gate.apply(work.attest(chart.config_map(name), beside=[word]))

    _doubted(denied, why)


def test_who_commits_under_its_address(gate: Gate, work: Work, name: str) -> None:
    """Git lets anybody; a person's key does not sign for it, nor its absence for anyone."""
    _bump(work)
    manifest = chart.config_map(name)
    _, refused = work.declare(check=False)
    forged, _ = work.declare(environ={"COUNTERSIGN_POLICIES": ""})
    silent = gate.apply(work.attest(manifest))
    signed = gate.apply(work.attest(manifest, beside=[forged]))
    _bump(work, committer=known(RAVI))
    word, _ = _declare(work)

    committed = gate.apply(work.attest(manifest, beside=[word]))

    assert refused.code == 1
    assert silent.reasons == ("slot_open",)
    _doubted(signed, "somebody without a part in the change")
    _doubted(committed, "ravi@acme.example had a part too")


def test_whose_word_is_none(gate: Gate, work: Work, name: str) -> None:
    """Another workflow, another repository, another range."""
    _bump(work)
    manifest = chart.config_map(name)
    fork = f"{REPOSITORY}-fork"
    words = {
        "the roster does not know the signer": _declare(
            work, workflow=ROBOT_WORKFLOW.replace("versions", "other"), checked=False
        )[0],
        "the roster does not know the signer, or": _declare(
            work, repository=fork, checked=False
        )[0],
        "the robot may not speak of": _declare(work, about=fork, checked=False)[0],
    }
    judged = {why: _carrying(gate, work, manifest, word) for why, word in words.items()}
    old, _ = _declare(work)
    _bump(work)

    replayed = _carrying(gate, work, manifest, old)

    for why, denied in judged.items():
        _doubted(denied, why)
    _doubted(replayed, "no provenance here speaks of just its range")


def _carrying(gate: Gate, work: Work, manifest: chart.Tree, word: Path) -> Judged:
    """Apply what carries CI's provenance and a word that ``attest`` would refuse."""
    tree = documents(work.attest(manifest))[0]
    carry(tree, [*bundles(tree), json.loads(word.read_text())])
    return gate.apply(written([tree]))


def _doubted(judged: Judged, why: str) -> None:
    """Check that it was denied, and that the word is told not to count, and why."""
    assert set(judged.reasons) == {"slot_open", "declaration_rejected"}, judged.out
    also = [line for line in judged.out.splitlines() if "the declaration of" in line]
    assert any(why in line for line in also), judged.out


def _bump(work: Work, path: str = VALUES, *, committer: Who | None = None) -> str:
    """Have the robot commit another version."""
    before = work.git.git("rev-parse", "HEAD")
    work.git.write(path, f"version: {before}\n")
    return work.git.commit("Raise the version", author=VERSIONS, committer=committer)


def _declare(
    work: Work,
    *,
    span: str = "",
    workflow: str = ROBOT_WORKFLOW,
    repository: str = REPOSITORY,
    about: str = REPOSITORY,
    checked: bool = True,
) -> tuple[Path, Ran]:
    """Have the robot's workflow, or another one, sign for the range."""
    token = _token(work, workflow, repository)
    out = work.gate.folder / f"{uuid4()}.json"
    done = work.gate.cli(
        *("attest", span or work.span, "--declare-human", "--yes"),
        *("--repo", work.git.path, "--repo-uri", about),
        *("--identity-token", token, "--out", out),
        at=None,
        **({} if checked else {"COUNTERSIGN_POLICIES": ""}),
    )
    assert done.code == 0 or checked, done.err
    return out, done


def _token(
    work: Work, workflow: str = ROBOT_WORKFLOW, repository: str = REPOSITORY
) -> Path:
    """Return the file with what a run of a workflow identifies itself by."""
    head = work.git.git("rev-parse", "HEAD")
    run = Workflow(file=workflow, repository=repository, revision=head)
    token = work.gate.folder / "robot.token"
    token.write_text(work.gate.stack.sigstore.token(run))
    return token
