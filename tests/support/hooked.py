"""Repositories in which hooks record, and git that sees only what it is told.

git is started in a session of its own, and with no variable of this machine: whoever runs
the tests is not who commits.
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from countersign.provenance.registry import known_agents
from countersign.provenance.trailers import marks_in

CLAUDE = {"CLAUDECODE": "1"}
CURSOR = {"CURSOR_AGENT": "1"}
MARK = "AI-Assisted: claude"


@dataclass(frozen=True)
class Clone:
    """A work tree whose git sees only what it is told."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(
        self, *args: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the work tree."""
        return subprocess.run(
            args,
            cwd=self.path,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            start_new_session=True,
        )

    def git(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run ``git args…``, which has to succeed; return what it prints."""
        done = self.run("git", *args, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def change(self, name: str = "file", text: str | None = None) -> None:
        """Change a file, and stage it."""
        file = self.path / name
        old = file.read_text() if file.exists() else ""
        file.write_text(f"{old}{len(old)}\n" if text is None else text)
        self.git("add", name)

    def commit(
        self,
        message: str,
        *args: str,
        name: str = "file",
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Change a file and commit it; return the message that became of it."""
        self.change(name)
        self.git("commit", "--quiet", "--message", message, *args, env=env)
        return self.message()

    def message(self, revision: str = "HEAD") -> str:
        """Return the message of a commit."""
        return self.git("log", "-1", "--format=%B", revision)

    def assistants(self, revision: str = "HEAD") -> set[str]:
        """Return which assistants a commit's message names."""
        marks = marks_in(self.message(revision), known_agents())
        return {mark.tool.name for mark in marks}

    def note(self, text: str) -> None:
        """Give the last commit a note of line ranges."""
        self.git("notes", "--ref=ai", "add", "--message", text)

    def notes(self) -> str:
        """Return the notes of the last commit."""
        return self.git("log", "-1", "--notes=ai", "--format=%N")

    def hook(self, name: str, script: str, mode: int = 0o755) -> Path:
        """Write a hook of the user's own."""
        file = self.path / ".git/hooks" / name
        file.write_text(script)
        file.chmod(mode)
        return file


def repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Make a repository with one commit and no hooks.

    Args:
        folder: Gets it, and an empty home; no other configuration counts, for this
            process either.
        monkeypatch: Of the test.
    """
    home = folder / "home"
    home.mkdir()
    (home / "config").touch()
    environ = {
        "HOME": str(home),
        "PATH": f"{Path(shutil.which('git') or '').parent}:/usr/bin:/bin",
        "GIT_CONFIG_GLOBAL": str(home / "config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "false",
        "GIT_AUTHOR_NAME": "Dev",
        "GIT_AUTHOR_EMAIL": "dev@example.com",
        "GIT_COMMITTER_NAME": "Dev",
        "GIT_COMMITTER_EMAIL": "dev@example.com",
    }
    for name in ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, environ[name])
    path = folder / "repo"
    path.mkdir()
    clone = Clone(path, environ)
    clone.git("init", "--quiet", "--initial-branch=main")
    clone.commit("First")
    return clone
