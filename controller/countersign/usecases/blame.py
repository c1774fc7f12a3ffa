"""Blame: whose hand was in each line of a file, as far as commits and records show.

The same reading as an attestation's, line by line: marks of a commit speak of all its
lines, notes and traces of those they name, and silence is UNKNOWN.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from countersign.core.types.evidence import Assistance
from countersign.ports import Repository
from countersign.ports.blame import BlamedLine, BlameSource
from countersign.provenance.derive import JudgedCommit, judge
from countersign.provenance.marks import Mark, MarkKind
from countersign.provenance.recorded import Records
from countersign.provenance.registry import Registry

_BY_LINE = frozenset({MarkKind.NOTE, MarkKind.TRACE})


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and what is known of how it came to be.

    Attributes:
        marks: Those that speak of this line, sorted; empty means silence.
    """

    blamed: BlamedLine
    assistance: Assistance
    marks: tuple[Mark, ...]

    @property
    def tools(self) -> tuple[str, ...]:
        """The assistants named, sorted, each once."""
        named = {str(mark.tool) for mark in self.marks if mark.tool.name}
        return tuple(sorted(named))


@dataclass(frozen=True, slots=True)
class Blame:
    """The lines of a file.

    Attributes:
        commits: Those that wrote any of them, by object name.
    """

    lines: tuple[Line, ...]
    commits: Mapping[str, JudgedCommit]

    @property
    def counted(self) -> Counter[Assistance]:
        """How many lines are in which state."""
        return Counter(line.assistance for line in self.lines)


def blame(
    file: str,
    *,
    revision: str,
    spans: Sequence[str],
    source: BlameSource,
    repository: Repository,
    registry: Registry,
) -> Blame:
    """Say of each line of `file` which assistants had a hand in it.

    Args:
        file: As `source` names it.
        revision: ``""``: as the file is in the work tree.
        spans: Which lines; empty: all.
        source: Who wrote each line.
        repository: What the commits that wrote them show.
        registry: The assistants known.

    Raises:
        Malformed: there is no such file, revision or line.
        Unavailable: there is no git.
    """
    blamed = source.lines(file, revision, spans)
    commits: dict[str, JudgedCommit] = {}
    for one in blamed:
        if one.commit and one.commit not in commits:
            commits[one.commit] = _judged(one, repository, registry)
    return Blame(tuple(_line(one, commits.get(one.commit)) for one in blamed), commits)


def _judged(
    line: BlamedLine, repository: Repository, registry: Registry
) -> JudgedCommit:
    name = line.commit
    history = repository.history(name if line.first else f"{name}^1..{name}")
    return judge(history.commits[-1], registry, records=Records(history))


def _line(blamed: BlamedLine, commit: JudgedCommit | None) -> Line:
    if commit is None:
        return Line(blamed, Assistance.UNKNOWN, ())
    claimed = [
        one.claims
        for one in commit.record.lines
        if one.path == blamed.path and one.start <= blamed.line <= one.end
    ]
    marks = tuple(mark for mark in commit.marks if mark.kind not in _BY_LINE)
    # of a squash, what was recorded of single lines before is about all of it
    if claimed or (not marks and commit.whole > Assistance.UNKNOWN):
        marks = commit.marks
    return Line(blamed, max([commit.whole, *claimed]), marks)
