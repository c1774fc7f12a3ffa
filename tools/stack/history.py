"""The demo's git repository: a ledger service, and a change that an assistant helped with."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.stack.people import CI, DANA, LEE, REPOSITORY, Someone

IMAGE = "ghcr.io/acme/ledger"
BUILT = "5f3c" * 16
TAMPERED = "bad0" * 16

_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger
  namespace: payments
  labels:
    app: ledger
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ledger
  template:
    metadata:
      labels:
        app: ledger
    spec:
      containers:
        - name: ledger
          image: {image}
          args:
            - --primary=eu-central-1
            - --failover={failover}
          ports:
            - containerPort: 8080
"""


@dataclass(frozen=True, slots=True)
class History:
    """The demo's repository.

    Attributes:
        path: Its working tree.
        baseline: First commit, approved by being named in the policies.
        head: The assistant's change.
        manifests: The rendered manifests at head.
        before: What they were at the baseline.
    """

    path: Path
    baseline: str
    head: str
    manifests: Path
    before: str


def make(path: Path) -> History:
    """Create the repository in `path`, which must not exist."""
    path.mkdir(parents=True)
    _git(path, DANA, "init", "--quiet", "--initial-branch=main")
    _git(path, DANA, "remote", "add", "origin", REPOSITORY)
    # so that a repository without notes of assistants is known to have none
    notes = "+refs/notes/*:refs/notes/*"
    _git(path, DANA, "config", "--add", "remote.origin.fetch", notes)
    manifests = path / "deploy" / "ledger.yaml"
    manifests.parent.mkdir()
    image = f"{IMAGE}@sha256:{BUILT}"
    before = _MANIFEST.format(failover="manual", image=image)
    manifests.write_text(before)
    baseline = commit(path, DANA, "Run the ledger in payments")
    manifests.write_text(_MANIFEST.format(failover="eu-west-1", image=image))
    head = commit(
        path,
        LEE,
        "Fail over to eu-west-1 by itself\n\n"
        "Nobody should have to wake up for this.\n\n"
        "AI-Assisted: amazon-q/2026-03",
    )
    return History(path, baseline, head, manifests, before)


def commit(path: Path, author: Someone, message: str) -> str:
    """Commit all of `path` as `author`; return the commit in hex."""
    _git(path, author, "add", "--all")
    _git(path, author, "commit", "--quiet", "--message", message)
    return _git(path, author, "rev-parse", "HEAD")


def commit_on(path: Path, parent: str, author: Someone, message: str) -> str:
    """Commit the files of `parent` again as `author`; no branch moves.

    Returns:
        The new commit in hex.
    """
    tree = f"{parent}^{{tree}}"
    return _git(path, author, "commit-tree", tree, "-p", parent, "-m", message)


def tree_of(path: Path, commit: str) -> str:
    """Return the tree of `commit` in hex."""
    return _git(path, CI, "rev-parse", f"{commit}^{{tree}}")


def _git(path: Path, author: Someone, *arguments: str) -> str:
    who = {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": author.name,
        "GIT_COMMITTER_EMAIL": author.email,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=path,
        env={**os.environ, **who},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
