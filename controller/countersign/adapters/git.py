"""Reading git repositories through libgit2; the one importer of pygit2."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pygit2
from pygit2.enums import DeltaStatus, SortMode

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest
from countersign.provenance.commits import (
    ChangedFile,
    Commit,
    History,
    Patch,
    Signature,
)

MAX_COMMITS = 10_000  # a statement about more does not fit into a bundle

_NOTES = "refs/notes/ai"


class GitRepository:
    """A repository on disk. Nothing is fetched, nothing is written."""

    def __init__(self, path: Path) -> None:
        """Open the repository that holds `path`.

        Raises:
            Malformed: there is none, or libgit2 does not read it.
        """
        try:
            self._repo = pygit2.Repository(str(path))
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise Malformed(
                f"expected a readable git repository, saw {error}: give --repo"
            ) from error

    def history(self, revision_range: str) -> History:
        """Read the commits of ``base..target`` or ``target`` (from the root).

        An empty side of ``..`` means HEAD, as in git.

        Raises:
            Malformed: no such revision, a range of another form, more commits than
                `MAX_COMMITS`, or objects that are missing.
        """
        start, dots, end = revision_range.rpartition("..")
        if "..." in revision_range or (not dots and not end):
            raise Malformed(
                f"expected BASE..TARGET or TARGET as range, saw {revision_range!r}"
            )
        base = self._commit(start or "HEAD") if dots else None
        target = self._commit(end or "HEAD")
        try:
            commits = [self._read(found) for found in self._walk(base, target)]
        except (pygit2.GitError, KeyError) as error:
            raise Malformed(
                f"expected all objects of {revision_range}, saw one missing ({error}): "
                "fetch the full history"
            ) from error
        cut = self._cut()
        return History(
            base=_commit_digest(base) if base else None,
            target=_commit_digest(target),
            tree=_tree_digest(target),
            commits=tuple(commits),
            shallow=any(commit.digest.value in cut for commit in commits),
            branches=tuple(self._branches(target)),
            remote=self._remote(),
        )

    def patch(self, base: Digest | None, target: Digest, *, limit: int) -> Patch:
        """Return what differs between two commits, as ``git diff`` writes it.

        Args:
            base: A commit; None: nothing, so all of `target` is new.
            target: A commit.
            limit: Lines that are kept.

        Raises:
            Malformed: no such commit, or objects that are missing.
        """
        new = self._commit(target.value).tree
        try:
            diff = (
                self._commit(base.value).tree.diff_to_tree(new)
                if base
                else new.diff_to_tree(swap=True)
            )
            diff.find_similar()
            lines = [line for patch in diff for line in _lines(patch)]
        except (pygit2.GitError, KeyError) as error:
            raise Malformed(
                f"expected all objects of {target}, saw one missing ({error}): "
                "fetch the full history"
            ) from error
        return Patch(tuple(lines[:limit]), max(0, len(lines) - limit))

    def _commit(self, revision: str) -> pygit2.Commit:
        try:
            return self._repo.revparse_single(revision).peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError) as error:
            hint = ", the clone is shallow: fetch more" if self._cut() else ""
            raise Malformed(
                f"expected a revision of the repository, saw {revision!r}{hint}"
            ) from error

    def _walk(
        self, base: pygit2.Commit | None, target: pygit2.Commit
    ) -> Iterator[pygit2.Commit]:
        walker = self._repo.walk(target.id, SortMode.TOPOLOGICAL | SortMode.REVERSE)
        if base is not None:
            walker.hide(base.id)
        for count, commit in enumerate(walker):
            if count == MAX_COMMITS:
                raise Malformed(
                    f"expected at most {MAX_COMMITS} commits in the range, saw more: "
                    "start it at a commit that was approved before"
                )
            yield commit

    def _read(self, commit: pygit2.Commit) -> Commit:
        return Commit(
            digest=_commit_digest(commit),
            tree=_tree_digest(commit),
            parents=tuple(_digest(Algorithm.GIT_COMMIT, i) for i in commit.parent_ids),
            author=_signature(commit.author),
            committer=_signature(commit.committer),
            message=_decoded(commit.raw_message, commit.message_encoding),
            note=self._note(commit),
            files=tuple(self._files(commit)),
        )

    def _note(self, commit: pygit2.Commit) -> str:
        try:
            note = self._repo.lookup_note(str(commit.id), _NOTES)
        except KeyError:
            return ""
        return self._repo[note.id].read_raw().decode(errors="replace")

    def _files(self, commit: pygit2.Commit) -> list[ChangedFile]:
        parents = commit.parents
        if not parents:
            diff = commit.tree.diff_to_tree(swap=True, context_lines=0)
            return _changed(diff)
        diffs = [
            parent.tree.diff_to_tree(commit.tree, context_lines=0) for parent in parents
        ]
        return _changed(diffs[0]) if len(diffs) == 1 else _resolved(diffs)

    def _cut(self) -> frozenset[str]:
        """Return the commits whose parents this clone hides: shallow or grafted."""
        inner = Path(self._repo.path)
        common = inner / "commondir"
        root = inner / common.read_text().strip() if common.exists() else inner
        return frozenset(
            line.split()[0]
            for name in ("shallow", "info/grafts")
            if (root / name).exists()
            for line in (root / name).read_text(errors="replace").splitlines()
            if line.strip()
        )

    def _branches(self, target: pygit2.Commit) -> list[str]:
        """Return the branches at `target`, the checked-out one first, then by name."""
        here = [
            name
            for name in self._repo.branches
            if _points_at(self._repo.branches[name], target)
        ]
        remotes = {remote.name or "" for remote in self._repo.remotes}
        names = {_without_remote(name, remotes) for name in here} - {"HEAD"}
        on_branch = not (self._repo.head_is_unborn or self._repo.head_is_detached)
        head = self._repo.head.shorthand if on_branch else ""
        return sorted(names, key=lambda name: (name != head, name))

    def _remote(self) -> str:
        try:
            return self._repo.remotes["origin"].url or ""
        except KeyError:
            return ""


def _changed(diff: pygit2.Diff) -> list[ChangedFile]:
    diff.find_similar()
    return sorted(
        (
            ChangedFile(_path(patch.delta), *patch.line_stats[1:])
            for patch in diff
            if patch is not None
        ),
        key=lambda file: file.path,
    )


def _lines(patch: pygit2.Patch | None) -> list[str]:
    return [] if patch is None else patch.data.decode(errors="replace").splitlines()


def _resolved(diffs: list[pygit2.Diff]) -> list[ChangedFile]:
    """Return what a merge itself wrote: paths, and lines, that no parent has."""
    by_parent = [
        {_path(patch.delta): _new_lines(patch) for patch in diff if patch is not None}
        for diff in diffs
    ]
    everywhere = set.intersection(*(set(lines) for lines in by_parent))
    return [
        ChangedFile(path, len(set.intersection(*(p[path] for p in by_parent))))
        for path in sorted(everywhere)
    ]


def _new_lines(patch: pygit2.Patch) -> set[int]:
    return {
        line.new_lineno
        for hunk in patch.hunks
        for line in hunk.lines
        if line.origin == "+"
    }


def _path(delta: pygit2.DiffDelta) -> str:
    gone = delta.status == DeltaStatus.DELETED
    file = delta.old_file if gone else delta.new_file
    return file.raw_path.decode(errors="backslashreplace")


def _points_at(branch: pygit2.Branch, target: pygit2.Commit) -> bool:
    try:
        return branch.peel(pygit2.Commit).id == target.id
    except (pygit2.GitError, KeyError, ValueError):  # a dangling symbolic ref
        return False


def _without_remote(name: str, remotes: set[str]) -> str:
    remote, _, rest = name.partition("/")
    return rest if remote in remotes and rest else name


def _digest(algorithm: Algorithm, oid: pygit2.Oid) -> Digest:
    return Digest(algorithm, str(oid))


def _commit_digest(commit: pygit2.Commit) -> Digest:
    return _digest(Algorithm.GIT_COMMIT, commit.id)


def _tree_digest(commit: pygit2.Commit) -> Digest:
    return _digest(Algorithm.GIT_TREE, commit.tree_id)


def _signature(raw: pygit2.Signature) -> Signature:
    return Signature(
        name=_decoded(raw.raw_name, None),
        email=_decoded(raw.raw_email, None),
        at=_moment(raw.time),
    )


def _moment(seconds: int) -> datetime:
    """Read git's seconds; what no calendar holds becomes the epoch."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _decoded(raw: bytes, encoding: str | None) -> str:
    try:
        return raw.decode(encoding or "utf-8", errors="replace")
    except (LookupError, ValueError):  # an encoding that Python does not know
        return raw.decode("utf-8", errors="replace")
