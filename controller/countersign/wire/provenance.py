"""The predicate `ai-provenance`: what a collector saw of how a change was made.

Read for what the law needs, and strictly in one direction: whatever in it hints at
assistance marks the change, and ``assistance: human`` reads as unknown, since only the
law finds a change human. `provenance_statement` writes it.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, StringConstraints

from countersign.core.errors import Malformed
from countersign.core.types.evidence import (
    Assistance,
    Contributor,
    Lines,
    Part,
    Provenance,
    Touched,
)
from countersign.wire.declaration import (
    RangeShape,
    VcsShape,
    require_target,
)
from countersign.wire.shapes import Shape, Time, ValidityShape, shaped
from countersign.wire.statement import Statement

TYPE = "https://countersign.dev/attestation/ai-provenance/v0.1"

MAX_PARTS = 4096  # commits, contributors, actors, marks or paths in one predicate

Word = Literal["human", "unknown", "mixed", "ai"]
_WORDS = {word.label: word for word in Assistance}


class _Collector(Shape):
    id: str


class _Scope(Shape):
    clusters: list[str] = Field(min_length=1)
    namespaces: list[str] = Field(default_factory=list)


class _Actor(Shape):
    role: Literal[
        "author",
        "committer",
        "prompter",
        "pusher",
        "pullRequestOpener",
        "agentRequester",
    ]
    id: str = Field(min_length=1)


class _Tool(Shape):
    name: str = Field(min_length=1)
    version: str = ""


class _Contributor(Shape):
    type: Word
    id: str = ""
    tool: _Tool | None = None
    human_author: str = ""


class _Commit(Shape):
    assistance: Word
    author: str = Field(min_length=1)
    committer: str  # "" where a forge's own address says nothing about who it was


class _Touched(Shape):
    id: str = Field(min_length=1)
    paths: list[Annotated[str, StringConstraints(min_length=1)]] = Field(
        max_length=MAX_PARTS
    )


class _Mark(Shape):
    kind: str


class _Unseen(Shape):
    reason: str


class _Coverage(Shape):
    complete: bool = False
    unseen: list[_Unseen] = Field(default_factory=list, max_length=MAX_PARTS)
    commits_with_marker: NonNegativeInt = 0
    lines_ai: NonNegativeInt = 0
    lines_mixed: NonNegativeInt = 0  # of commits whose marks tell no lines
    lines_human: NonNegativeInt = 0
    lines_unknown: NonNegativeInt = 0


class _Provenance(Shape):
    collector: _Collector
    collected_on: Time | None = None
    vcs: VcsShape
    scope: _Scope
    validity: ValidityShape = Field(default_factory=ValidityShape)
    actors: list[_Actor] = Field(default_factory=list, max_length=MAX_PARTS)
    range: RangeShape
    assistance: Word
    contributors: list[_Contributor] = Field(default_factory=list, max_length=MAX_PARTS)
    commits: list[_Commit] = Field(default_factory=list, max_length=MAX_PARTS)
    touched: list[_Touched] = Field(default_factory=list, max_length=MAX_PARTS)
    evidence: list[_Mark] = Field(default_factory=list, max_length=MAX_PARTS)
    coverage: _Coverage = Field(default_factory=_Coverage)

    def worst(self) -> Assistance:
        """Return the worst state that anything in it states; at best unknown."""
        words = [self.assistance, *(commit.assistance for commit in self.commits)]
        return max(Assistance.UNKNOWN, *(_WORDS[word] for word in words))

    def assistants(self) -> list[_Contributor]:
        """Return the contributors that are no plain humans."""
        return [part for part in self.contributors if part.type != "human"]

    def marked(self) -> bool:
        """Tell whether anything hints at assistance."""
        return bool(
            self.worst() > Assistance.UNKNOWN
            or self.evidence
            or self.coverage.commits_with_marker
            or self.assistants()
        )

    def parts(self) -> Iterator[Contributor]:
        """Name everybody with a part in the range; addresses in lower case."""
        agents = {part.id.lower() for part in self.contributors if part.type == "ai"}

        def part(kind: Part, who: str) -> Contributor:
            return Contributor(kind, who.lower(), agent=who.lower() in agents)

        for commit in self.commits:
            yield part(Part.AUTHOR, commit.author)
            if commit.committer:
                yield part(Part.COMMITTER, commit.committer)
        for actor in self.actors:
            yield part(Part(actor.role), actor.id)
        for contributor in self.contributors:
            if contributor.human_author:
                yield part(Part.PROMPTER, contributor.human_author)


def parse_provenance(statement: Statement) -> Provenance:
    """Read the claim of an `ai-provenance`.

    Raises:
        Malformed: the predicate is none, names no cluster or no author, or its revision
            is not the range's target and among the subjects.
    """
    shape = shaped(_Provenance, statement.predicate, "ai-provenance")
    span = shape.range.value()
    if shape.vcs.revision != span.target.value:
        raise Malformed(f"expected vcs.revision to be the range's {span.target}")
    require_target(statement, span)
    contributors = frozenset(shape.parts())
    if all(part.part is not Part.AUTHOR for part in contributors):
        raise Malformed("expected at least one author: nobody is independent of none")
    tools = {
        f"{part.tool.name} {part.tool.version}".rstrip()
        for part in shape.contributors
        if part.tool
    }
    counted = shape.coverage
    return Provenance(
        repository=shape.vcs.uri,
        range=span,
        assistance=shape.worst(),
        complete=counted.complete and not counted.unseen,
        marked=shape.marked(),
        contributors=contributors,
        touched=frozenset(
            Touched(one.id.lower(), frozenset(one.paths)) for one in shape.touched
        ),
        tools=tuple(sorted(tools)),
        lines=Lines(
            counted.lines_ai + counted.lines_mixed,
            counted.lines_human,
            counted.lines_unknown,
        ),
        clusters=frozenset(shape.scope.clusters),
        namespaces=frozenset(shape.scope.namespaces),
        validity=shape.validity.value(),
        collected_on=shape.collected_on,
        collector=shape.collector.id,
    )
