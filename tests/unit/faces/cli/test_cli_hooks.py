"""``countersign hooks`` on a repository."""

import json
from pathlib import Path

import pytest

from countersign.provenance.hook_script import HOOKS, hook_script
from tests.support.cli import Run
from tests.support.git import GitFolder


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitFolder:
    """Return a repository with a hook of its own, and no configuration besides."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = GitFolder.init(tmp_path / "repo")
    (folder.path / ".git/hooks/commit-msg").write_text("#!/bin/sh\n")
    return folder


def test_install_says_what_is_there_now(folder: GitFolder, run: Run) -> None:
    """And what of others is called."""
    before = run("hooks", "status", "--repo", folder.path)
    ran = run("hooks", "install", "--repo", folder.path)

    assert (before.code, ran.code) == (0, 0)
    assert "absent, commit-msg is another's" in before.out
    assert ran.out.splitlines() == [
        f"hooks in {folder.path}/.git/hooks",
        "  commit-msg          current, calls commit-msg.countersign-kept",
        "  post-commit         current",
        "  prepare-commit-msg  current",
        "notes of git-ai: copied when commits are rewritten",
    ]
    gone = run("hooks", "uninstall", "--repo", folder.path)
    assert before.out.startswith(gone.out)


def test_status_for_a_machine(folder: GitFolder, run: Run) -> None:
    """The same, in JSON."""
    run("hooks", "install", "--repo", folder.path)

    read = json.loads(run("hooks", "status", "--repo", folder.path, "-o", "json").out)

    assert read["notes"] is True
    assert [hook["name"] for hook in read["hooks"]] == list(HOOKS)
    assert read["hooks"][0] == {
        "name": "commit-msg",
        "state": "current",
        "file": "commit-msg",
        "before": "commit-msg.countersign-kept",
        "called": True,
    }


@pytest.mark.parametrize("name", HOOKS)
def test_a_script_for_another_manager(name: str, run: Run) -> None:
    """To the byte what would be installed."""
    assert run("hooks", "script", name).out == hook_script(name)


def test_what_cannot_be_done_says_why(tmp_path: Path, run: Run) -> None:
    """No repository; no such hook."""
    ran = run("hooks", "install", "--repo", tmp_path)

    assert ran.code == 1
    assert "not a git repository" in ran.err
    assert run("hooks", "script", "pre-push").code == 2
