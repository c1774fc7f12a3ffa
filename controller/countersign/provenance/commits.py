"""A range of commits as a repository shows it, before anything is concluded from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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


class Content(StrEnum):
    """What a path holds, as far as its lines can be told."""

    LINES = "lines"
    BINARY = "binary"
    SUBMODULE = "submodule"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place of a difference without context, as ``git diff -U0`` heads it."""

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int


@dataclass(frozen=True, slots=True)
class Edit:
    """How one path differs between a parent and its child.

    Attributes:
        path: In the child; of what is gone, in the parent.
        was: In the parent; another one where the file was renamed.
        hunks: In order; empty where nothing but the name or the mode differs.
        content: Only LINES has hunks.
        gone: The child has no such path.
    """

    path: str
    was: str
    hunks: tuple[Hunk, ...] = ()
    content: Content = Content.LINES
    gone: bool = False


class Gap(StrEnum):
    """Why something of a range was out of sight."""

    SHALLOW = "shallow"
    OBJECTS = "missingObjects"
    NOTES = "notesNotFetched"
    NOTE = "unreadableNote"
    TRACE = "unreadableTrace"
    MESSAGE = "messageTooLong"
    SUBMODULE = "submodule"
    PULL_REQUEST = "pullRequestGone"
    DESCRIPTION = "descriptionCut"


@dataclass(frozen=True, slots=True, order=True)
class Unseen:
    """Something of a range that was not seen: who says so is not complete.

    Attributes:
        gap: Why.
        where: A commit, a path, or ``""`` for the range as a whole.
    """

    gap: Gap
    where: str = ""


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
        edits: For each parent what differs from it; for a root, from nothing. Of the
            second and further parents of a merge only what differs from the first.
        traces: Lines that it adds to files of Agent Trace.
        touched: Every path that it has otherwise than any parent, by both names where it
            was renamed; None: that cannot be told of it, or what it writes is a link,
            which stands for other paths.
        merged: Commits of the pull request that it is the squash of, where the clone
            has them: their marks are its own.
    """

    digest: Digest
    tree: Digest
    parents: tuple[Digest, ...]
    author: Signature
    committer: Signature
    message: str
    note: str = ""
    files: tuple[ChangedFile, ...] = ()
    edits: tuple[tuple[Edit, ...], ...] = ()
    traces: tuple[str, ...] = ()
    touched: frozenset[str] | None = None
    merged: "tuple[Commit, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The commits after `base` up to and including `target`, oldest first.

    Attributes:
        base: None: from the root.
        commits: Those reachable from `target` and not from `base`; may be empty.
        unseen: What of it was out of sight: with any, nothing is complete.
        generated: Paths that the repository's attributes call generated; their lines
            are nobody's.
        traces: Lines of a file of Agent Trace that no commit holds.
        branches: Names of the branches that point at the target, the checked-out one
            first; names of remotes are taken off.
        remote: URL of ``origin``, or ``""``.
    """

    base: Digest | None
    target: Digest
    tree: Digest
    commits: tuple[Commit, ...]
    unseen: tuple[Unseen, ...] = ()
    generated: frozenset[str] = frozenset()
    traces: tuple[str, ...] = ()
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
