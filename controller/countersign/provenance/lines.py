"""Which commit of a range wrote which line that stands at its end.

As ``git blame BASE..TARGET`` tells it, for all files in one pass: the commits are
replayed, oldest first, on lists of runs of lines. A line of a merge that some parent has
is the first such parent's; what stood before the range is nobody's.

Source:
    git-blame(1); blame.c, ``pass_blame``: parents in order, whole-file renames followed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from countersign.provenance.commits import Commit, Content, Edit, History


@dataclass(frozen=True, slots=True)
class Run:
    """Adjacent lines of one origin.

    Attributes:
        count: How many.
        commit: Position in the history; None: written before the range.
        path: In that commit.
        start: The first of them in that commit's version of the path.
    """

    count: int
    commit: int | None = None
    path: str = ""
    start: int = 0

    def part(self, skipped: int, count: int) -> "Run":
        """Return `count` of its lines, without the first `skipped`."""
        if self.commit is None:
            return Run(count)
        return replace(self, start=self.start + skipped, count=count)


# The lines of a file: what follows the last run was written before the range.
Runs: TypeAlias = tuple[Run, ...]
_Files: TypeAlias = dict[str, Runs]


class _Reader:
    """Takes lines off runs, from the first to the last."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._left = list(reversed(tuple(runs)))

    def take(self, count: int) -> list[Run]:
        """Return the next `count` lines."""
        taken: list[Run] = []
        while count:
            run = self._left.pop() if self._left else Run(count)
            taken.append(run if run.count <= count else run.part(0, count))
            if run.count > count:
                self._left.append(run.part(count, run.count - count))
            count -= taken[-1].count
        return taken

    def rest(self) -> list[Run]:
        """Return all that is left."""
        return self._left[::-1]


def blame(history: History) -> Mapping[str, Runs]:
    """Return the origins of the lines of every path that the range touched.

    Paths that hold no lines, or are gone, are left out. Commits without `Commit.edits`
    count as touching nothing.
    """
    places = {one.digest.value: number for number, one in enumerate(history.commits)}
    waiting = Counter(p.value for one in history.commits for p in one.parents)
    ends: dict[str, _Files] = {}
    for number, commit in enumerate(history.commits):
        parents = []
        for parent in commit.parents:
            files = ends.get(parent.value, {})
            waiting[parent.value] -= 1
            last = not waiting[parent.value] and parent != history.target
            parents.append((files, last and parent.value in places))
        ends[commit.digest.value] = _replayed(number, commit, parents)
        for parent in commit.parents:
            if not waiting[parent.value] and parent != history.target:
                ends.pop(parent.value, None)
    return ends.get(history.target.value, {})


def _replayed(
    number: int, commit: Commit, parents: list[tuple[_Files, bool]]
) -> _Files:
    """Return the files after `commit`.

    Args:
        number: Its position.
        commit: It.
        parents: Their files, and whether nobody else needs them any more.
    """
    before, own = parents[0] if parents else ({}, True)
    after = before if own else dict(before)
    if not commit.edits:
        return after
    first, *others = commit.edits
    by_path = [{edit.path: edit for edit in edits} for edits in others]
    # read all before any is written: a file may take the name of another
    made = [
        (
            edit,
            _merged(
                number, edit, before.get(edit.was, ()), _sides(edit, by_path, parents)
            ),
        )
        for edit in first
    ]
    for edit, _ in made:
        after.pop(edit.was, None)
    after.update(
        (edit.path, runs)
        for edit, runs in made
        if not edit.gone and edit.content is Content.LINES
    )
    return after


def _sides(
    edit: Edit, by_path: list[dict[str, Edit]], parents: list[tuple[_Files, bool]]
) -> list[tuple[Edit | None, Runs]]:
    """Return how the further parents of a merge differ; None: not at all."""
    found = []
    for edits, (files, _) in zip(by_path, parents[1:], strict=False):
        side = edits.get(edit.path)
        found.append((side, files.get(side.was if side else edit.path, ())))
    return found


def _merged(
    number: int, edit: Edit, runs: Runs, sides: list[tuple[Edit | None, Runs]]
) -> Runs:
    for side, there in sides:
        if side is None:
            return there
    made = _edited(number, edit, runs)
    for side, there in sides:
        if side is not None:
            made = _filled(number, made, _edited(number, side, there))
    return tuple(made)


def _edited(number: int, edit: Edit, runs: Runs) -> list[Run]:
    """Return the runs after an edit."""
    reader, made, at = _Reader(runs), list[Run](), 1
    for hunk in edit.hunks:
        # an insertion is headed by the line it follows
        first = hunk.old_start if hunk.old_lines else hunk.old_start + 1
        made += reader.take(first - at)
        reader.take(hunk.old_lines)
        if hunk.new_lines:
            made.append(Run(hunk.new_lines, number, edit.path, hunk.new_start))
        at = first + hunk.old_lines
    return made + reader.rest()


def _filled(number: int, runs: list[Run], other: list[Run]) -> list[Run]:
    """Return `runs` with those lines that seemed new taken from `other`."""
    reader, made = _Reader(other), list[Run]()
    for run in runs:
        there = reader.take(run.count)
        made += there if run.commit == number else [run]
    return made
