"""Real git repositories in a folder, made by real git commands."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# No configuration of the machine, no prompt, fixed dates: the same commits every time.
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_DATE": "2026-11-20T10:00:00Z",
    "GIT_COMMITTER_DATE": "2026-11-20T10:00:00Z",
}


@dataclass(frozen=True)
class Who:
    """An author or committer."""

    name: str
    email: str


DEV = Who("Dev", "dev@example.com")
WEB_FLOW = Who("GitHub", "noreply@github.com")
COPILOT = Who("Copilot", "198982749+Copilot@users.noreply.github.com")


@dataclass(frozen=True)
class GitFolder:
    """A work tree; `git` runs any command in it."""

    path: Path

    @classmethod
    def init(cls, path: Path) -> "GitFolder":
        """Make an empty repository on branch ``main``."""
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path)
        folder.git("init", "--quiet", "--initial-branch=main")
        return folder

    def git(
        self, *args: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None
    ) -> str:
        """Run ``git args…`` and return what it prints."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env={**os.environ, **_ENVIRONMENT, **(env or {})},
            input=data,
            check=True,
            capture_output=True,
        )
        return done.stdout.decode(errors="replace").strip()

    def fetching_notes(self) -> None:
        """Let ``git fetch`` bring notes: where there are none then, there are none."""
        notes = "+refs/notes/*:refs/notes/*"
        self.git("config", "--add", "remote.origin.fetch", notes)

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file and stage it."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")

    def commit(
        self, message: str, *, author: Who = DEV, committer: Who | None = None
    ) -> str:
        """Commit what is staged, an empty commit where nothing is; return its id."""
        by = committer or author
        self.git(
            *("commit", "--quiet", "--allow-empty", "--allow-empty-message"),
            *("--cleanup=verbatim", "--file=-"),
            stdin=message,
            env={
                "GIT_AUTHOR_NAME": author.name,
                "GIT_AUTHOR_EMAIL": author.email,
                "GIT_COMMITTER_NAME": by.name,
                "GIT_COMMITTER_EMAIL": by.email,
            },
        )
        return self.git("rev-parse", "HEAD")
