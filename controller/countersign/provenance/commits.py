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
    """A path a commit touches, with its changed lines (0 and 0 for binary).

    For merges only lines that no parent has count, and none count as removed.
    """

    path: str
    added: int
    removed: int = 0

    @property
    def lines(self) -> int:
        """Lines added and removed, as ``git diff --stat`` counts a change."""
        return self.added + self.removed


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
        commits: Those reachable from `target` and not from `base`; may be empty.
        shallow: The clone ends before the range does: nothing can be complete.
        branches: Names of the branches that point at the target, the checked-out one
            first; names of remotes are taken off.
        remote: URL of ``origin``, or ``""``.
    """

    base: Digest | None
    target: Digest
    tree: Digest
    commits: tuple[Commit, ...]
    shallow: bool = False
    branches: tuple[str, ...] = ()
    remote: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """What differs between two commits, as ``git diff`` writes it.

    Attributes:
        lines: The first of them, without line ends.
        left_out: How many more there are.
    """

    lines: tuple[str, ...]
    left_out: int = 0
