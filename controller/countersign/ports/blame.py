"""Who wrote each line of a file, as git tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class BlamedLine:
    """One line of a file.

    Attributes:
        number: Of the line, from 1.
        text: Without the line's end.
        commit: Object name of the commit that wrote it; ``""``: nobody committed it yet.
        path: What the file was called in that commit.
        line: Its number there.
        first: The history that is there begins with that commit.
    """

    number: int
    text: str
    commit: str
    path: str
    line: int
    first: bool


class BlameSource(Protocol):
    """The lines of the files of a repository."""

    def lines(
        self, file: str, revision: str, spans: Sequence[str]
    ) -> tuple[BlamedLine, ...]:
        """Return the lines of a file, in order.

        Args:
            file: Relative to where the source looks.
            revision: ``""``: as the file is in the work tree.
            spans: ``START,END`` and whatever else ``git blame -L`` takes; empty: all.

        Raises:
            Malformed: there is no such file, revision or line.
            Unavailable: there is no git.
        """
        ...
