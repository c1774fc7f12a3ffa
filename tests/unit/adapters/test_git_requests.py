"""Commits of a pull request that only its head still shows."""

from pathlib import Path

import pytest

from countersign.adapters.git import GitRepository
from countersign.core.types.artifacts import Json
from countersign.core.types.evidence import Assistance
from countersign.provenance.commits import Gap, Unseen
from countersign.provenance.derive import Derivation, derive
from countersign.provenance.pull_request import read_request
from countersign.provenance.registry import known_agents
from tests.support.git import GitFolder, Who

CLAUDE = "Part\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n"
ANN = Who("Ann", "ann@example.com")
NOWHERE = "0" * 40


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> GitFolder:
    folder = GitFolder.init(tmp_path / "repo")
    folder.write("ledger", "one\n")
    folder.commit("Begin")
    return folder


def topic(folder: GitFolder, message: str = CLAUDE) -> str:
    """Commit on a branch beside; return the commit."""
    folder.git("checkout", "-q", "-b", "topic")
    folder.write("ledger", "one\ntwo\n")
    made = folder.commit(message, author=ANN)
    folder.git("checkout", "-q", "main")
    return made


def derived(folder: GitFolder, head: str, span: str = "HEAD~1..") -> Derivation:
    """Return what is derived of a range that merged the request that ends at `head`."""
    return derive(GitRepository(folder.path).history(span, head), known_agents())


@pytest.mark.parametrize("noted", [True, False], ids=["fetched", "of a branch"])
def test_a_squash_without_a_number(folder: GitFolder, *, noted: bool) -> None:
    """The forge's file names the head; what its commits say is the squash's own."""
    head = topic(folder)
    folder.git("merge", "-q", "--squash", head)
    folder.commit("Mine")
    if noted:
        folder.git("branch", "-q", "-D", "topic")
        folder.git("update-ref", "refs/pull/7/head", head)

    found = derived(folder, head)

    assert found.complete
    assert found.assistance is Assistance.MIXED
    assert ANN.email in {one.id for one in found.contributors}
    assert derived(folder, "").assistance is Assistance.UNKNOWN


def test_a_request_that_was_merged(folder: GitFolder) -> None:
    """Its commits are in the range as they are, each once."""
    head = topic(folder)
    who = ("-c", "user.name=x", "-c", "user.email=x")
    folder.git(*who, "merge", "-q", "--no-ff", "-m", "Merge", head)

    found = derived(folder, head)

    assert [one.commit.merged for one in found.commits] == [(), ()]
    assert found.assistance is Assistance.MIXED


def test_a_request_that_goes_on(folder: GitFolder) -> None:
    """What is not yet in what is attested is no part of it."""
    folder.write("ledger", "by hand\n")
    folder.commit("By hand")
    head = topic(folder)

    assert derived(folder, head).assistance is Assistance.UNKNOWN


@pytest.mark.parametrize("kind", ["missing", "no commit"])
def test_a_head_that_is_gone(folder: GitFolder, kind: str) -> None:
    """Its branch was deleted, and the clone fetched no requests: it may hide anything."""
    folder.commit("By hand")
    head = NOWHERE if kind == "missing" else folder.git("rev-parse", "HEAD:ledger")

    assert derived(folder, head).unseen == (Unseen(Gap.PULL_REQUEST, head),)


@pytest.mark.parametrize(
    "document",
    [
        {"head": {"ref": "x", "sha": NOWHERE}},
        {"pull_request": {"head": {"ref": "x", "sha": NOWHERE}}},
        {"headRefName": "x", "headRefOid": NOWHERE},
        {"source_branch": "x", "sha": NOWHERE},
        {"object_attributes": {"source_branch": "x", "last_commit": {"id": NOWHERE}}},
    ],
    ids=["GitHub's API", "GitHub's event", "gh", "GitLab's API", "GitLab's event"],
)
def test_each_form_names_the_head(document: Json) -> None:
    """As each forge writes it."""
    assert read_request(document).head == NOWHERE


@pytest.mark.parametrize("head", ["main", "HEAD", "9f", "--all", 7, None, "G" * 40])
def test_what_names_no_commit_is_no_head(head: Json) -> None:
    """Nothing that git would look up as something else."""
    assert read_request({"head": {"ref": "x", "sha": head}}).head == ""
