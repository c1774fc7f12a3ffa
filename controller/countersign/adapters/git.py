"""Reading git repositories through libgit2: the commits of a range, and beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pygit2
from pygit2.enums import AttrCheck, SortMode

from countersign.adapters.git_commits import Reader, commit_digest, tree_digest
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest
from countersign.provenance.agent_trace import PATH
from countersign.provenance.commits import (
    Commit,
    Content,
    Gap,
    History,
    Patch,
    Unseen,
)

MAX_COMMITS = 10_000  # a statement about more does not fit into a bundle

MAX_WORK_TREE = 64 << 20  # characters of traces in the work tree; the rest is unread

_GENERATED = "linguist-generated"
_ATTRIBUTES = AttrCheck.INDEX_ONLY | AttrCheck.NO_SYSTEM | AttrCheck.INCLUDE_COMMIT
_STEP = 64  # commits between two words about progress


def _silent(_: int) -> None:
    """Say nothing."""


class GitRepository:
    """A repository on disk. Nothing is fetched, nothing is written."""

    def __init__(self, path: Path, progress: Callable[[int], None] = _silent) -> None:
        """Open the repository that holds `path`.

        Args:
            path: Of it, or in it.
            progress: Told how many commits are read, now and then.

        Raises:
            Malformed: there is none, or libgit2 does not read it.
        """
        self._progress = progress
        try:
            self._repo = pygit2.Repository(str(path))
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise Malformed(
                f"expected a readable git repository, saw {error}: give --repo"
            ) from error

    def history(self, revision_range: str, head: str = "") -> History:
        """Read the commits of ``base..target`` or ``target`` (from the root).

        An empty side of ``..`` means HEAD, as in git.

        Args:
            revision_range: As above.
            head: Commit at which a request ends that the range merged, or ``""``: what
                only it shows is the last commit's.

        Raises:
            Malformed: no such revision, a range of another form, more commits than
                `MAX_COMMITS`, or commits that are missing.
        """
        start, dots, end = revision_range.rpartition("..")
        if "..." in revision_range or (not dots and not end):
            raise Malformed(
                f"expected BASE..TARGET or TARGET as range, saw {revision_range!r}"
            )
        base = self._commit(start or "HEAD") if dots else None
        target = self._commit(end or "HEAD")
        reader = Reader(self._repo)
        try:
            commits = [
                reader.read(found) for found in self._counted(self._walk(base, target))
            ]
            if head and commits:
                hidden = [one.id for one in (base, target) if one]
                commits[-1] = reader.with_request(commits[-1], head, hidden)
        except (pygit2.GitError, KeyError) as error:
            raise Malformed(
                f"expected all commits of {revision_range}, saw one missing ({error}): "
                "fetch the full history"
            ) from error
        cut = reader.references.cut()
        if any(c.digest.value in cut for one in commits for c in (one, *one.merged)):
            reader.unseen.add(Unseen(Gap.SHALLOW))
        return History(
            base=commit_digest(base) if base else None,
            target=commit_digest(target),
            tree=tree_digest(target),
            commits=tuple(commits),
            unseen=tuple(sorted({*reader.unseen, *reader.references.unseen})),
            generated=self._generated(commits, target),
            traces=self._traces(),
            branches=tuple(reader.references.branches(target)),
            remote=reader.references.remote(),
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
            hint = ", the clone is shallow: fetch more" if self._repo.is_shallow else ""
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

    def _counted(self, commits: Iterator[pygit2.Commit]) -> Iterator[pygit2.Commit]:
        for number, commit in enumerate(commits):
            if number % _STEP == 0:
                self._progress(number)
            yield commit

    def _generated(
        self, commits: list[Commit], target: pygit2.Commit
    ) -> frozenset[str]:
        """Return the touched paths that the attributes at `target` call generated."""
        try:
            if ".gitattributes" not in target.tree:
                return frozenset()
        except (pygit2.GitError, KeyError):
            return frozenset()
        touched = {
            edit.path
            for commit in commits
            for edit in (commit.edits[0] if commit.edits else ())
            if not edit.gone and edit.content is Content.LINES
        }
        return frozenset(
            path
            for path in touched
            if self._repo.get_attr(path, _GENERATED, _ATTRIBUTES, target.id)
            in {True, "true"}
        )

    def _traces(self) -> tuple[str, ...]:
        """Return the lines of the work tree's file of traces, committed or not."""
        if self._repo.is_bare:
            return ()
        file = Path(self._repo.workdir) / PATH
        try:
            if not file.is_file():
                return ()
            with file.open(encoding="utf-8", errors="replace") as stream:
                text = stream.read(MAX_WORK_TREE)
        except OSError:
            return ()
        return tuple(line.strip() for line in text.splitlines() if line.strip())


def _lines(patch: pygit2.Patch | None) -> list[str]:
    return [] if patch is None else patch.data.decode(errors="replace").splitlines()
