"""What commits change, as libgit2 tells it: paths, and the lines of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, DiffOption, FileMode

from countersign.provenance.commits import ChangedFile, Content, Edit, Hunk

# As git itself compares, so that lines are counted as `git blame` counts them.
FLAGS = DiffOption.INDENT_HEURISTIC

# Files that a rename is looked for among; a merge may differ in thousands.
MAX_RENAMES = 1000
MAX_MERGE_RENAMES = 100

_MISSING = (pygit2.GitError, KeyError)  # a partial clone lacks the object


@dataclass(frozen=True, slots=True)
class Changes:
    """What one commit changes; the fields are those of `Commit`."""

    files: tuple[ChangedFile, ...] = ()
    edits: tuple[tuple[Edit, ...], ...] = ()
    touched: frozenset[str] | None = None
    unseen: bool = False


def changes(commit: pygit2.Commit) -> Changes:
    """Compare a commit with each of its parents."""
    try:
        parents = commit.parents
        if len(parents) > 1:
            return _merge(commit, parents)
        diff = _compared(commit, parents[0] if parents else None)
    except _MISSING:
        return Changes(unseen=True)
    edits = tuple(_edits(diff))
    return Changes(
        files=_sorted(_changed(edit) for edit in edits),
        edits=(edits,),
        touched=_touched(diff),
    )


def _compared(
    commit: pygit2.Commit, parent: pygit2.Commit | None, limit: int = MAX_RENAMES
) -> pygit2.Diff:
    """Return what differs from a parent, renames found where the clone allows."""
    if parent is None:
        return commit.tree.diff_to_tree(swap=True, flags=FLAGS, context_lines=0)
    diff = parent.tree.diff_to_tree(commit.tree, flags=FLAGS, context_lines=0)
    try:
        diff.find_similar(DiffFind.FIND_RENAMES, rename_limit=limit)
    except _MISSING:
        # half done: look again, and take what moved for new
        return parent.tree.diff_to_tree(commit.tree, flags=FLAGS, context_lines=0)
    return diff


def _merge(commit: pygit2.Commit, parents: list[pygit2.Commit]) -> Changes:
    """Compare a merge: its files are what it wrote itself, that no parent has."""
    compared = [_compared(commit, parent, MAX_MERGE_RENAMES) for parent in parents]
    first, *others = compared
    main = tuple(_edits(first))
    paths = frozenset(edit.path for edit in main)
    sides = [tuple(_edits(diff, paths)) for diff in others]
    by_parent = [{edit.path: edit for edit in edits} for edits in (main, *sides)]
    everywhere = set.intersection(*(set(edits) for edits in by_parent))
    return Changes(
        files=_sorted(
            ChangedFile(
                path, len(set.intersection(*(_new(p[path]) for p in by_parent)))
            )
            for path in everywhere
        ),
        edits=(main, *sides),
        touched=_touched(*compared),
    )


def _touched(*diffs: pygit2.Diff) -> frozenset[str] | None:
    """Return both names of all that differs, or None where there is a symbolic link.

    Of a merge from every parent: one that takes a side as a whole differs from none in
    what it wrote, and yet undoes what the other side did.
    """
    sides = [
        side for diff in diffs for d in diff.deltas for side in (d.old_file, d.new_file)
    ]
    if any(side.mode == FileMode.LINK for side in sides):
        return None
    return frozenset(_decoded(side.raw_path) for side in sides)


def _edits(diff: pygit2.Diff, only: frozenset[str] | None = None) -> Iterator[Edit]:
    """Yield each difference; the lines of a path are compared only where asked for."""
    for number, delta in enumerate(diff.deltas):
        path = _path(delta)
        if only is not None and path not in only:
            continue
        gone = delta.status == DeltaStatus.DELETED
        was = _decoded(delta.old_file.raw_path) if not gone else path
        if FileMode.COMMIT in (delta.old_file.mode, delta.new_file.mode):
            yield Edit(path, was, content=Content.SUBMODULE, gone=gone)
            continue
        try:
            patch = diff[number]
        except _MISSING:
            yield Edit(path, was, content=Content.MISSING, gone=gone)
            continue
        if patch is not None and patch.delta.is_binary:
            yield Edit(path, was, content=Content.BINARY, gone=gone)
        else:
            yield Edit(path, was, _hunks(patch), gone=gone)


def _hunks(patch: pygit2.Patch | None) -> tuple[Hunk, ...]:
    if patch is None:  # nothing but the mode or the name differs
        return ()
    return tuple(
        Hunk(h.old_start, h.old_lines, h.new_start, h.new_lines) for h in patch.hunks
    )


def _changed(edit: Edit) -> ChangedFile:
    added = sum(hunk.new_lines for hunk in edit.hunks)
    return ChangedFile(edit.path, added, sum(hunk.old_lines for hunk in edit.hunks))


def _new(edit: Edit) -> set[int]:
    return {
        number
        for hunk in edit.hunks
        for number in range(hunk.new_start, hunk.new_start + hunk.new_lines)
    }


def _sorted(files: Iterator[ChangedFile]) -> tuple[ChangedFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _path(delta: pygit2.DiffDelta) -> str:
    gone = delta.status == DeltaStatus.DELETED
    return _decoded((delta.old_file if gone else delta.new_file).raw_path)


def _decoded(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")
