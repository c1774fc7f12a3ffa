"""Builders of commits that never were in a repository."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from countersign.core.types.artifacts import Algorithm, Digest
from countersign.provenance.commits import (
    ChangedFile,
    Commit,
    Edit,
    Gap,
    History,
    Hunk,
    Signature,
    Unseen,
)

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
    note: str = "",
    traces: tuple[str, ...] = (),
    parents: tuple[Digest, ...] = (),
) -> Commit:
    """Return a commit; lines that it adds, or writes anew, are at the top of its files.

    `history` makes it the child of the one before it.
    """
    digest = commit_id(repr((message, author, committer, name)))
    return Commit(
        digest=digest,
        tree=Digest(Algorithm.GIT_TREE, digest.value),
        parents=parents,
        author=Signature(name, author, NOON),
        committer=Signature(name, committer or author, NOON),
        message=message,
        note=note,
        files=files,
        edits=(tuple(_edit(file) for file in files),),
        traces=traces,
    )


def _edit(file: ChangedFile) -> Edit:
    hunk = Hunk(int(file.removed > 0), file.removed, 1, file.added)
    return Edit(file.path, file.path, (hunk,))


def history(
    *given: Commit, shallow: bool = False, branches: tuple[str, ...] = ()
) -> History:
    """Return a history from some base to the last of `given`, one after the other."""
    commits: list[Commit] = []
    for one in given:
        before = (commits[-1].digest,) if commits else (commit_id("base"),)
        commits.append(one if one.parents else replace(one, parents=before))
    target = commits[-1] if commits else commit()
    return History(
        base=commit_id("base"),
        target=target.digest,
        tree=target.tree,
        commits=tuple(commits),
        unseen=(Unseen(Gap.SHALLOW),) if shallow else (),
        branches=branches,
    )
