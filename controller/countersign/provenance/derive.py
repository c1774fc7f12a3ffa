"""From a history to what can be said of how it was made.

Silence is UNKNOWN, never HUMAN: nothing here can conclude that a person wrote a line.
Marks are a union, and the overall state is the worst of the commits, so one more mark
never lowers anything.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from countersign.core.errors import Malformed
from countersign.core.types.evidence import Assistance, Contributor, Lines, Part
from countersign.provenance.commits import Commit, History, Signature
from countersign.provenance.marks import MAX_VALUE, Mark, MarkKind, Tool
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
        contributors: Authors, co-authors and committer.
    """

    commit: Commit
    assistance: Assistance
    marks: tuple[Mark, ...]
    author: str
    committer: str
    contributors: frozenset[Contributor]

    @property
    def lines(self) -> Lines:
        """Changed lines, all booked under the commit's state.

        Marks speak of whole commits: the lines of a commit that an assistant had a hand
        in all count as its own.
        """
        count = sum(file.lines for file in self.commit.files)
        if self.assistance is Assistance.UNKNOWN:
            return Lines(unknown=count)
        return Lines(ai=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What a history shows.

    Attributes:
        assistance: The worst of the commits.
        complete: Nothing of the range was out of sight.
        commits: Oldest first, never empty.
    """

    assistance: Assistance
    complete: bool
    commits: tuple[JudgedCommit, ...]

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
        """Changed lines of all commits."""
        each = [judged.lines for judged in self.commits]
        return Lines(ai=sum(n.ai for n in each), unknown=sum(n.unknown for n in each))

    def files(self) -> dict[str, Counter[Assistance]]:
        """Return for each path how many changed lines are in which state."""
        counted: dict[str, Counter[Assistance]] = {}
        for judged in self.commits:
            for file in judged.commit.files:
                counter = counted.setdefault(file.path, Counter())
                counter[judged.assistance] += file.lines
        return counted


def derive(history: History, registry: Registry) -> Derivation:
    """Read the marks of every commit of `history`.

    Raises:
        Malformed: there is no commit, so there is nothing to speak of.
    """
    if not history.commits:
        raise Malformed("expected at least one commit in the range, saw none")
    on_branch = tuple(_branch_marks(history.branches, registry))
    commits = tuple(judge(commit, registry, on_branch) for commit in history.commits)
    return Derivation(
        assistance=max(judged.assistance for judged in commits),
        complete=not history.shallow
        and all(len(c.message) <= MAX_MESSAGE for c in history.commits),
        commits=commits,
    )


def judge(
    commit: Commit, registry: Registry, also: Iterable[Mark] = ()
) -> JudgedCommit:
    """Read the marks of one commit.

    Args:
        commit: The commit.
        registry: The assistants known.
        also: Marks that hold for it from elsewhere, such as its branch.
    """
    marks = {
        *marks_in(commit.message, registry),
        *_signature_marks(commit.author, MarkKind.AUTHOR, registry),
        *_signature_marks(commit.committer, MarkKind.COMMITTER, registry),
        *also,
    }
    author, committer = _address(commit.author), _address(commit.committer)
    if committer in WEB_COMMITTERS:
        committer = ""
    return JudgedCommit(
        commit=commit,
        assistance=max((mark.claims for mark in marks), default=Assistance.UNKNOWN),
        marks=tuple(sorted(marks)),
        author=author,
        committer=committer,
        contributors=frozenset(
            _contributors(author, committer, co_authors(commit.message), registry)
        ),
    )


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
