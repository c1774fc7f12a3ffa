"""A range of commits as a repository shows it, before anything is concluded from it."""

from dataclasses import dataclass
from datetime import datetime

from countersign.core.types.artifacts import Digest


@dataclass(frozen=True, slots=True)
class Signature:
    """A git author or committer line."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path a commit touches, and how many lines it adds there (0 for binary)."""

    path: str
    added: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit.

    Attributes:
        digest: ``gitCommit``.
        tree: ``gitTree``.
        parents: In order; empty for a root.
        message: In full, decoded; undecodable bytes replaced.
        note: Text of ``refs/notes/ai``, or ``""``.
        files: Against the first parent; for merges what differs from every parent.
    """

    digest: Digest
    tree: Digest
    parents: tuple[Digest, ...]
    author: Signature
    committer: Signature
    message: str
    note: str = ""
    files: tuple[ChangedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The commits after `base` up to and including `target`, oldest first.

    Attributes:
        base: None: from the root.
        shallow: The clone ends before the range does: nothing can be complete.
        branch: The branch that points at the target, or ``""``.
        remote: URL of ``origin``, or ``""``.
    """

    base: Digest | None
    target: Digest
    tree: Digest
    commits: tuple[Commit, ...]
    shallow: bool = False
    branch: str = ""
    remote: str = ""
