"""From a history to what can be said of how it was made.

Silence is UNKNOWN, never HUMAN: nothing here can conclude that a person wrote a line.
Marks are a union, and the overall state is the worst of the commits, so one more mark
never lowers anything.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from countersign.core.errors import Malformed
from countersign.core.types.evidence import Assistance, Contributor, Lines, Part
from countersign.provenance.commits import (
    Commit,
    Content,
    Gap,
    History,
    Signature,
    Unseen,
)
from countersign.provenance.counting import Claimed, count
from countersign.provenance.marks import MAX_VALUE, Mark, MarkKind, Tool
from countersign.provenance.pull_request import NO_REQUEST, PullRequest, request_marks
from countersign.provenance.recorded import Records, record_marks
from countersign.provenance.records import NO_RECORD, Record, union
from countersign.provenance.registry import Registry
from countersign.provenance.trailers import MAX_MESSAGE, co_authors, marks_in

# Committers that a forge writes for whoever pressed its button: they name nobody.
WEB_COMMITTERS = frozenset({"noreply@github.com", "noreply@gitlab.com"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCommit:
    """What one commit shows.

    Attributes:
        commit: The commit as read.
        assistance: UNKNOWN, MIXED or AI.
        marks: Sorted; empty means silence.
        author: Address in lower case.
        committer: The same; ``""`` where a forge committed for somebody.
        contributors: Authors, co-authors, prompters and committer.
        whole: What is claimed of all its lines.
        record: What notes and traces say of some of them.
    """

    commit: Commit
    assistance: Assistance
    marks: tuple[Mark, ...]
    author: str
    committer: str
    contributors: frozenset[Contributor]
    whole: Assistance = Assistance.UNKNOWN
    record: Record = NO_RECORD

    @property
    def claimed(self) -> Claimed:
        """What is claimed of its lines: of all, and of those that records name."""
        return Claimed(self.whole, self.record.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What a history shows.

    Attributes:
        assistance: The worst of the commits.
        unseen: What of the range was out of sight, sorted.
        commits: Oldest first, never empty.
        by_file: For each path that the range touched, and that holds lines at its end,
            how many of those it wrote are in which state; without generated files.
        uncounted: Paths that the range touched and whose lines nobody counted, sorted:
            binary, generated, submodules, and what the clone lacks.
    """

    assistance: Assistance
    unseen: tuple[Unseen, ...]
    commits: tuple[JudgedCommit, ...]
    by_file: Mapping[str, Counter[Assistance]] = field(repr=False)
    uncounted: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Nothing of the range was out of sight."""
        return not self.unseen

    @property
    def marked(self) -> int:
        """How many commits carry a mark."""
        return sum(1 for judged in self.commits if judged.marks)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Every named assistant, sorted, each once."""
        marks = (mark for judged in self.commits for mark in judged.marks)
        return tuple(sorted({mark.tool for mark in marks if mark.tool.name}))

    @property
    def contributors(self) -> frozenset[Contributor]:
        """Everybody with a part in some commit."""
        return frozenset(c for judged in self.commits for c in judged.contributors)

    @property
    def lines(self) -> Lines:
        """Lines that the range wrote and that stand at its end.

        As AI's count all that an assistant had a hand in.
        """
        total: Counter[Assistance] = Counter()
        for counter in self.by_file.values():
            total.update(counter)
        ai = total[Assistance.AI] + total[Assistance.MIXED]
        return Lines(ai=ai, unknown=total[Assistance.UNKNOWN])

    def files(self) -> Mapping[str, Counter[Assistance]]:
        """Return for each path how many of its lines are in which state."""
        return self.by_file


def _none(history: History) -> str:
    """Say why a range has no commit: its end is its start, or comes before it."""
    if history.base in (None, history.target):
        return "none: it starts where it ends"
    return "none: its end is older than its start. The older one comes first, OLD..NEW"


def derive(
    history: History, registry: Registry, request: PullRequest = NO_REQUEST
) -> Derivation:
    """Read the marks of every commit of `history`.

    Args:
        history: The commits.
        registry: The assistants known.
        request: The pull request that they are, where a forge tells of one.

    Raises:
        Malformed: there is no commit, so there is nothing to speak of.
    """
    if not history.commits:
        raise Malformed(
            f"expected at least one commit in the range, saw {_none(history)}"
        )
    for_all = (
        *_branch_marks(history.branches, registry),
        *request_marks(request, registry),
    )
    records = Records(history)
    commits = tuple(
        judge(commit, registry, for_all, records) for commit in history.commits
    )
    return Derivation(
        assistance=max(judged.assistance for judged in commits),
        unseen=tuple(
            sorted({*history.unseen, *records.unseen, *_overlooked(history, request)})
        ),
        commits=commits,
        by_file=count(history, [judged.claimed for judged in commits]),
        uncounted=_uncounted(history),
    )


def judge(
    commit: Commit,
    registry: Registry,
    also: Iterable[Mark] = (),
    records: Records | None = None,
) -> JudgedCommit:
    """Read the marks of one commit.

    Args:
        commit: The commit.
        registry: The assistants known.
        also: Marks that hold for it from elsewhere, such as its branch.
        records: Notes and traces of the history it is of; None: its own note alone.
    """
    records = records or Records(_alone(commit))
    note, traced = records.note(commit), records.traced(commit)
    merged = [judge(one, registry, (), records) for one in commit.merged]
    by_line = {
        *record_marks(commit, note, MarkKind.NOTE, registry),
        *record_marks(commit, traced, MarkKind.TRACE, registry),
    }
    # lines of what was squashed are not the squash's: all that is known is of the whole
    whole = {
        *marks_in(commit.message, registry),
        *_signature_marks(commit.author, MarkKind.AUTHOR, registry),
        *_signature_marks(commit.committer, MarkKind.COMMITTER, registry),
        *(mark for one in merged for mark in one.marks),
        *also,
    }
    marks = by_line | whole
    author, committer = _address(commit.author), _address(commit.committer)
    if committer in WEB_COMMITTERS:
        committer = ""
    parts = _contributors(author, committer, co_authors(commit.message), registry)
    return JudgedCommit(
        commit=commit,
        assistance=_worst(marks),
        marks=tuple(sorted(marks)),
        author=author,
        committer=committer,
        contributors=frozenset(
            {
                *parts,
                *_recorded(note, registry),
                *(part for one in merged for part in one.contributors),
            }
        ),
        whole=_worst(whole),
        record=union((note, traced)),
    )


def _worst(marks: Iterable[Mark]) -> Assistance:
    return max((mark.claims for mark in marks), default=Assistance.UNKNOWN)


def _alone(commit: Commit) -> History:
    return History(base=None, target=commit.digest, tree=commit.tree, commits=(commit,))


def _recorded(note: Record, registry: Registry) -> Iterable[Contributor]:
    """Name who directed a session, and who typed beside it."""
    prompters = {(Part.PROMPTER, one.prompter) for one in note.sessions if one.prompter}
    for part, who in prompters | {(Part.AUTHOR, who) for who in note.humans}:
        agent = registry.by_address(who) is not None
        yield Contributor(part, who, agent=agent)


def _overlooked(history: History, request: PullRequest) -> Iterable[Unseen]:
    """Say which messages were too long, and which paths hide their content."""
    if request.cut or len(request.text) > MAX_MESSAGE:
        yield Unseen(Gap.DESCRIPTION)
    for commit in history.commits:
        if len(commit.message) > MAX_MESSAGE:
            yield Unseen(Gap.MESSAGE, commit.digest.value)
        for edit in commit.edits[0] if commit.edits else ():
            if edit.content is Content.SUBMODULE and not edit.gone:
                yield Unseen(Gap.SUBMODULE, edit.path)
            elif edit.content is Content.MISSING:
                yield Unseen(Gap.OBJECTS, edit.path)


def _uncounted(history: History) -> tuple[str, ...]:
    touched = {
        edit.path
        for commit in history.commits
        for edit in (commit.edits[0] if commit.edits else ())
        if not edit.gone
        and (edit.content is not Content.LINES or edit.path in history.generated)
    }
    return tuple(sorted(touched))


def _signature_marks(
    signature: Signature, kind: MarkKind, registry: Registry
) -> Iterable[Mark]:
    shown = f"{signature.name} <{signature.email}>"[:MAX_VALUE]
    if agent := registry.by_address(signature.email):
        # Who only commits may have applied another's patch; the author wrote all of it.
        claims = Assistance.AI if kind is MarkKind.AUTHOR else Assistance.MIXED
        yield Mark(kind, shown, claims, Tool(agent.name))
    if agent := registry.by_suffix(signature.name):
        yield Mark(kind, shown, Assistance.MIXED, Tool(agent.name))


def _branch_marks(branches: tuple[str, ...], registry: Registry) -> Iterable[Mark]:
    for branch in branches:
        if agent := registry.by_branch(branch):
            shown = branch[:MAX_VALUE]
            yield Mark(MarkKind.BRANCH, shown, Assistance.MIXED, Tool(agent.name))


def _contributors(
    author: str, committer: str, others: Iterable[str], registry: Registry
) -> Iterable[Contributor]:
    """Name who took part. Co-authors wrote too; beside an assistant they prompted it."""
    by_agent = registry.by_address(author) is not None
    yield Contributor(Part.AUTHOR, author, agent=by_agent)
    for address in others:
        agent = registry.by_address(address) is not None
        part = Part.PROMPTER if by_agent and not agent else Part.AUTHOR
        yield Contributor(part, address, agent=agent)
    if committer:
        agent = registry.by_address(committer) is not None
        yield Contributor(Part.COMMITTER, committer, agent=agent)


def _address(signature: Signature) -> str:
    """Return the e-mail in lower case; the bare name where git was given none."""
    return signature.email.strip().lower() or signature.name.strip() or "unknown"
