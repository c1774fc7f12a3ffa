"""Builders of commits that never were in a repository."""

import hashlib
from datetime import UTC, datetime

from countersign.core.types.artifacts import Algorithm, Digest
from countersign.provenance.commits import ChangedFile, Commit, History, Signature

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def commit_id(text: str) -> Digest:
    """Return some commit digest made from `text`."""
    value = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Digest(Algorithm.GIT_COMMIT, value)


def commit(
    message: str = "Change something",
    *,
    author: str = "dev@example.com",
    committer: str | None = None,
    name: str = "Dev",
    files: tuple[ChangedFile, ...] = (ChangedFile("src/ledger.go", 3),),
) -> Commit:
    """Return a commit."""
    digest = commit_id(repr((message, author, committer, name)))
    return Commit(
        digest=digest,
        tree=Digest(Algorithm.GIT_TREE, digest.value),
        parents=(),
        author=Signature(name, author, NOON),
        committer=Signature(name, committer or author, NOON),
        message=message,
        files=files,
    )


def history(
    *commits: Commit, shallow: bool = False, branches: tuple[str, ...] = ()
) -> History:
    """Return a history from some base to the last of `commits`."""
    target = commits[-1] if commits else commit()
    return History(
        base=commit_id("base"),
        target=target.digest,
        tree=target.tree,
        commits=commits,
        shallow=shallow,
        branches=branches,
    )
