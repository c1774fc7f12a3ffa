"""What recording tools wrote about each commit of a history, brought together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from countersign.core.types.evidence import Assistance
from countersign.provenance.agent_trace import MAX_TRACES, Trace, read_trace
from countersign.provenance.commits import Commit, Gap, History, Unseen
from countersign.provenance.marks import MAX_VALUE, Mark, MarkKind, Tool
from countersign.provenance.notes import read_note
from countersign.provenance.records import Attested, Record, union
from countersign.provenance.registry import Registry


class Records:
    """The notes and traces of a history.

    Attributes:
        unseen: Those that could not be understood.
    """

    def __init__(self, history: History) -> None:
        self.unseen: set[Unseen] = set()
        self._brought: dict[str, list[Trace]] = {}
        self._of: dict[str, list[Trace]] = defaultdict(list)
        for one in history.commits:
            for commit in (one, *one.merged):
                name = commit.digest.value
                self._brought[name] = [*self._read(commit.traces, name)]
        for trace in self._read(history.traces, ""):
            self._of[trace.revision].append(trace)
        for traces in self._brought.values():
            for trace in traces:
                self._of[trace.revision].append(trace)
        self._loose = [*self._astray(history)]

    def note(self, commit: Commit) -> Record:
        """Return what the note of `commit` says."""
        record = read_note(commit.note)
        if not record.readable:
            self.unseen.add(Unseen(Gap.NOTE, commit.digest.value))
        return record

    def traced(self, commit: Commit) -> Record:
        """Return what traces say of paths that `commit` touches."""
        revisions = [commit.digest.value, *(p.value for p in commit.parents)]
        traces = [
            *self._brought.get(commit.digest.value, ()),
            *(trace for name in revisions for trace in self._of.get(name, ())),
            *self._loose,
        ]
        if not traces:
            return union(())
        touched = {file.path for file in commit.files}
        return Record(
            sessions=frozenset(
                session
                for trace in traces
                for path in touched & trace.sessions.keys()
                for session in trace.sessions[path]
            ),
            lines=frozenset(
                line for trace in traces for line in trace.lines if line.path in touched
            ),
        )

    def _astray(self, history: History) -> Iterator[Trace]:
        """Yield what the range brought about paths that the same commit does not touch.

        It names no revision, or one from before a rebase: any commit may be meant.
        """
        known = {p.value for one in history.commits for p in (one.digest, *one.parents)}
        for one in history.commits:
            touched = {file.path for file in one.files}
            for trace in self._brought[one.digest.value]:
                if trace.revision not in known and trace.sessions.keys() - touched:
                    yield Trace(
                        revision="",
                        lines=frozenset(
                            n for n in trace.lines if n.path not in touched
                        ),
                        sessions={
                            path: sessions
                            for path, sessions in trace.sessions.items()
                            if path not in touched
                        },
                    )

    def _read(self, lines: Iterable[str], where: str) -> Iterator[Trace]:
        for number, line in enumerate(lines):
            trace = read_trace(line) if number < MAX_TRACES else None
            if trace is None:
                self.unseen.add(Unseen(Gap.TRACE, where))
            else:
                yield trace


def record_marks(
    commit: Commit, record: Record, kind: MarkKind, registry: Registry
) -> Iterator[Mark]:
    """Return a mark for each session: AI where all new lines of the commit are its own.

    A session whose lines are all gone again had a hand in it nevertheless.
    """
    if not record.sessions:
        return
    claims = Assistance.AI if _covered(commit, record.lines) else Assistance.MIXED
    for session in record.sessions:
        agent = registry.by_word(session.tool)
        name = agent.name if agent else session.tool[:MAX_VALUE]
        shown = " ".join(p for p in (session.tool, session.model, session.id) if p)
        tool = Tool(name, model=session.model[:MAX_VALUE])
        yield Mark(kind, shown[:MAX_VALUE], claims, tool, session.id[:MAX_VALUE])


def _covered(commit: Commit, lines: frozenset[Attested]) -> bool:
    """Tell whether every line that `commit` brings is one of `lines`, by AI alone."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line in sorted(lines):
        if line.claims is Assistance.AI:
            spans[line.path].append((line.start, line.end))
    brought = [
        (edit.path, hunk.new_start, hunk.new_start + hunk.new_lines)
        for edit in (commit.edits[0] if commit.edits else ())
        for hunk in edit.hunks
        if hunk.new_lines
    ]
    return bool(brought) and all(
        _within(start, end, spans[path]) for path, start, end in brought
    )


def _within(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Tell whether lines `start` to before `end` lie in sorted, inclusive `spans`."""
    for first, last in spans:
        if first <= start <= last:
            start = last + 1
    return start >= end
