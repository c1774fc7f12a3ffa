"""Who wrote each line of a file: ``git blame``, which follows renames of a whole file."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from countersign.adapters.git_command import git, git_line
from countersign.core.errors import Malformed
from countersign.ports.blame import BlamedLine

# Nobody's list of commits to be looked through, and no filter of the user's, changes
# whose a line is.
_PLAIN = (
    *("-c", "blame.ignoreRevsFile=", "-c", "core.quotePath=false"),
    *("blame", "--porcelain", "--no-textconv"),
)
_HEAD = re.compile(rb"([0-9a-f]{40,64}) ([0-9]+) ([0-9]+)(?: [0-9]+)?")


class GitBlame:
    """The files of the repository that holds a folder."""

    def __init__(self, folder: Path) -> None:
        """Look from `folder`: names of files are relative to it."""
        self._folder = folder

    def lines(
        self, file: str, revision: str, spans: Sequence[str]
    ) -> tuple[BlamedLine, ...]:
        """Return the lines of a file, in order."""
        limits = [f"-L{span}" for span in spans]
        at = [self._commit(revision)] if revision else []
        return tuple(_read(git(self._folder, *_PLAIN, *limits, *at, "--", file)))

    def _commit(self, revision: str) -> str:
        """Return the name of a commit, which no option of git's looks like."""
        wanted = ("--verify", "--end-of-options", f"{revision}^{{commit}}")
        if found := git_line(self._folder, "rev-parse", *wanted):
            return found
        raise Malformed(f"expected a revision of the repository, saw {revision!r}")


def _read(porcelain: bytes) -> Iterator[BlamedLine]:
    """Read the porcelain format: what it says of a commit it says once."""
    paths: dict[bytes, str] = {}
    firsts: set[bytes] = set()
    commit, line, number = b"", 0, 0
    for row in porcelain.split(b"\n"):
        if row.startswith(b"\t"):
            yield BlamedLine(
                number=number,
                text=row[1:].decode(errors="replace").rstrip("\r"),
                commit=commit.decode() if commit.strip(b"0") else "",
                path=paths[commit],
                line=line,
                first=commit in firsts,
            )
        elif head := _HEAD.fullmatch(row):
            commit, line, number = head[1], int(head[2]), int(head[3])
        elif row.startswith(b"filename "):
            paths[commit] = _path(row[len(b"filename ") :])
        elif row == b"boundary":
            firsts.add(commit)


def _path(written: bytes) -> str:
    """Read a name; one with quotes or control characters is written as C would."""
    if written.startswith(b'"') and written.endswith(b'"'):
        text = written[1:-1].decode("unicode_escape", errors="replace")
        written = text.encode("latin-1", errors="replace")
    return written.decode(errors="backslashreplace")
