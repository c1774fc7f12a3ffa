"""Trusted automation, limited by path: what it signs for opens the gate, and no more.

A real repository whose commits a robot makes and signs for, in a workflow of its own, as
the policy of ``payments`` says; the commands, the collector and the server as they stand.
"""

from pathlib import Path

import pytest

from tests.support import chart
from tests.support.author import Work
from tests.support.cli import Ran
from tests.support.gate import Gate
from tests.support.git import Who
from tools.sigstore import Workflow
from tools.stack.people import REPOSITORY, ROBOT, ROBOT_WORKFLOW

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
    stack, head = work.gate.stack, work.git.git("rev-parse", "HEAD")
    run = Workflow(file=workflow, repository=repository, revision=head)
    token, out = work.gate.folder / "robot.token", work.gate.folder / "robot.json"
    token.write_text(stack.sigstore.token(run))
    done = work.gate.cli(
        *("attest", span or work.span, "--declare-human", "--yes"),
        *("--repo", work.git.path, "--repo-uri", about),
        *("--identity-token", token, "--out", out),
        at=None,
        **({} if checked else {"COUNTERSIGN_POLICIES": ""}),
    )
    assert done.code == 0 or checked, done.err
    return out, done
