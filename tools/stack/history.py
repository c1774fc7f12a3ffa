"""The demo's git repository: a ledger service, and a change that an assistant helped with."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.stack.people import DANA, LEE, REPOSITORY, Someone

IMAGE = "ghcr.io/acme/ledger"
BUILT = "5f3c" * 16
TAMPERED = "bad0" * 16

_MANIFESTS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: ledger
  namespace: payments
data:
  routing.yaml: |
    primary: eu-central-1
    failover: {failover}
---
apiVersion: v1
kind: Service
metadata:
  name: ledger
  namespace: payments
spec:
  selector:
    app: ledger
  ports:
    - name: http
      port: 80
      targetPort: 8080
---
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
          ports:
            - containerPort: 8080
          envFrom:
            - configMapRef:
                name: ledger
"""


@dataclass(frozen=True, slots=True)
class History:
    """The demo's repository.

    Attributes:
        path: Its working tree.
        baseline: First commit, approved by being named in the policies.
        head: The assistant's change.
        manifests: The rendered manifests at head.
    """

    path: Path
    baseline: str
    head: str
    manifests: Path


def make(path: Path) -> History:
    """Create the repository in `path`, which must not exist."""
    path.mkdir(parents=True)
    _git(path, DANA, "init", "--quiet", "--initial-branch=main")
    _git(path, DANA, "remote", "add", "origin", REPOSITORY)
    manifests = path / "deploy" / "ledger.yaml"
    manifests.parent.mkdir()
    image = f"{IMAGE}@sha256:{BUILT}"
    manifests.write_text(_MANIFESTS.format(failover="manual", image=image))
    baseline = commit(path, DANA, "Run the ledger in payments")
    manifests.write_text(_MANIFESTS.format(failover="eu-west-1", image=image))
    head = commit(
        path,
        LEE,
        "Fail over to eu-west-1 by itself\n\n"
        "Nobody should have to wake up for this.\n\n"
        "AI-Assisted: amazon-q/2026-03",
    )
    return History(path, baseline, head, manifests)


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
