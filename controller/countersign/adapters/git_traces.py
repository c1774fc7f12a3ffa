"""Records of Agent Trace that a commit brings, from the files themselves.

Not from a difference: attributes may call a file binary, and of a merge nobody shows one.
"""

import pygit2

from countersign.provenance.agent_trace import PATH

_FOLDER, _, _NAME = PATH.partition("/")


def added_traces(
    commit: pygit2.Commit, parents: list[pygit2.Commit]
) -> tuple[str, ...]:
    """Return the lines that stand in a commit's file of traces, and in no parent's.

    Raises:
        pygit2.GitError, KeyError: the clone lacks it.
    """
    here = _file(commit)
    if here is None:
        return ()
    before = [there for parent in parents if (there := _file(parent)) is not None]
    if any(there.id == here.id for there in before):
        return ()
    old = {line for there in before for line in _lines(there)}
    return tuple(line for line in _lines(here) if line and line not in old)


def _file(commit: pygit2.Commit) -> pygit2.Blob | None:
    if _FOLDER not in commit.tree:
        return None
    folder = commit.tree[_FOLDER]
    if not isinstance(folder, pygit2.Tree) or _NAME not in folder:
        return None
    found = folder[_NAME]
    return found if isinstance(found, pygit2.Blob) else None


def _lines(file: pygit2.Blob) -> list[str]:
    text = file.data.decode(errors="replace")
    return [line.strip() for line in text.split("\n")]
