"""Reading one commit, with what lies beside it: its note, its traces, its request."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pygit2
from pygit2.enums import SortMode

from countersign.adapters.git_diff import changes
from countersign.adapters.git_message import message_of
from countersign.adapters.git_refs import References
from countersign.adapters.git_traces import added_traces
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.provenance.commits import Commit, Gap, Signature, Unseen
from countersign.provenance.derive import WEB_COMMITTERS

MAX_MERGED = 1_000  # commits of one squashed request


class Reader:
    """Reads commits with what lies beside them, and remembers what it could not see."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repo = repository
        self.references = References(repository)
        self.unseen: set[Unseen] = set()

    def read(self, commit: pygit2.Commit, *, squashed: bool = True) -> Commit:
        """Read one commit.

        Args:
            commit: It.
            squashed: Look for the request that it is the squash of.
        """
        name = str(commit.id)
        changed = changes(commit)
        if changed.unseen:
            self.unseen.add(Unseen(Gap.OBJECTS, name))
        message = message_of(commit)
        return Commit(
            digest=commit_digest(commit),
            tree=tree_digest(commit),
            parents=tuple(_digest(Algorithm.GIT_COMMIT, i) for i in commit.parent_ids),
            author=_signature(commit.author),
            committer=_signature(commit.committer),
            message=message,
            note=self.references.note(name),
            files=changed.files,
            edits=changed.edits,
            traces=self._traces(commit),
            touched=changed.touched,
            merged=tuple(self._merged(commit, message)) if squashed else (),
        )

    def _traces(self, commit: pygit2.Commit) -> tuple[str, ...]:
        try:
            return added_traces(commit, commit.parents)
        except (pygit2.GitError, KeyError):
            self.unseen.add(Unseen(Gap.OBJECTS, str(commit.id)))
            return ()

    def _merged(self, commit: pygit2.Commit, message: str) -> Iterator[Commit]:
        """Yield the commits of the request that `commit` is the squash of."""
        if len(commit.parent_ids) != 1:
            return
        committer = _signature(commit.committer).email
        by_forge = committer.lower() in WEB_COMMITTERS
        for head in self.references.requests(message, by_forge=by_forge):
            yield from self._up_to(head, commit.parent_ids)

    def with_request(
        self, commit: Commit, head: str, hidden: list[pygit2.Oid]
    ) -> Commit:
        """Return `commit` with those of the request that was squashed or rebased.

        Args:
            commit: The last of the range.
            head: At which the request ends. It may go on where the range ends: then
                what follows is no part of it.
            hidden: Both ends of the range.
        """
        try:
            ends = self._repo[head].peel(pygit2.Commit).id
        except (pygit2.GitError, KeyError, ValueError):
            self.unseen.add(Unseen(Gap.PULL_REQUEST, head))
            return commit
        if self._repo.descendant_of(ends, hidden[-1]):
            return commit
        known = {one.digest for one in commit.merged}
        more = [c for c in self._up_to(ends, hidden) if c.digest not in known]
        return replace(commit, merged=(*commit.merged, *more))

    def _up_to(self, head: pygit2.Oid, hidden: list[pygit2.Oid]) -> Iterator[Commit]:
        walker = self._repo.walk(head, SortMode.TOPOLOGICAL | SortMode.REVERSE)
        for one in hidden:
            walker.hide(one)
        for number, found in enumerate(walker):
            if number == MAX_MERGED:
                self.unseen.add(Unseen(Gap.PULL_REQUEST, str(head)))
                break
            yield self.read(found, squashed=False)


def _digest(algorithm: Algorithm, oid: pygit2.Oid) -> Digest:
    return Digest(algorithm, str(oid))


def commit_digest(commit: pygit2.Commit) -> Digest:
    """Return its name as a digest."""
    return _digest(Algorithm.GIT_COMMIT, commit.id)


def tree_digest(commit: pygit2.Commit) -> Digest:
    """Return the name of its files as a digest."""
    return _digest(Algorithm.GIT_TREE, commit.tree_id)


def _signature(raw: pygit2.Signature) -> Signature:
    return Signature(
        name=raw.raw_name.decode(errors="replace"),
        email=raw.raw_email.decode(errors="replace"),
        at=_moment(raw.time),
    )


def _moment(seconds: int) -> datetime:
    """Read git's seconds; what no calendar holds becomes the epoch."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)
