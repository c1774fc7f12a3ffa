"""The predicate `human-declaration`: an author's own word that no AI had a hand in it."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Algorithm, Digest, Subject, Tree
from countersign.core.types.evidence import CommitRange, Declaration
from countersign.wire.shapes import Shape, Time, render_time, shaped
from countersign.wire.statement import Statement, render_statement

TYPE = "https://countersign.dev/attestation/human-declaration/v0.1"

_STATEMENT: Literal["no-ai-assistance"] = "no-ai-assistance"


class VcsShape(Shape):
    """A repository, and the revision of it that is meant."""

    type: Literal["git"] = "git"
    uri: str = Field(min_length=1)
    revision: str | None = None


class RangeShape(Shape):
    """Commits after one, up to another."""

    from_id: str | None = Field(default=None, alias="fromID")
    target_id: str = Field(alias="targetID")

    def value(self) -> CommitRange:
        """Return the range; without ``fromID`` it begins at the root.

        Raises:
            Malformed: an id is no commit's.
        """
        base = Digest(Algorithm.GIT_COMMIT, self.from_id) if self.from_id else None
        return CommitRange(base, Digest(Algorithm.GIT_COMMIT, self.target_id))


class _Declaration(Shape):
    declared_on: Time
    vcs: VcsShape
    range: RangeShape
    statement: Literal["no-ai-assistance"]


def parse_declaration(statement: Statement) -> Declaration:
    """Read the claim of a `human-declaration`.

    Raises:
        Malformed: the predicate is none, or its target is not among the subjects.
    """
    shape = shaped(_Declaration, statement.predicate, "human-declaration")
    span = shape.range.value()
    require_target(statement, span)
    return Declaration(
        repository=shape.vcs.uri, range=span, declared_on=shape.declared_on
    )


def render_declaration(claim: Declaration, others: Iterable[Subject] = ()) -> bytes:
    """Write the statement of a declaration; the range's target is one of its subjects.

    Args:
        claim: What the author says.
        others: Further subjects: the tree.

    Raises:
        Malformed: there are too many subjects.
    """
    predicate: Tree = {
        "declaredOn": render_time(claim.declared_on),
        "vcs": {"type": "git", "uri": claim.repository},
        "range": render_range(claim.range),
        "statement": _STATEMENT,
    }
    target = Subject(f"commit:{claim.repository}", claim.range.target)
    return render_statement([*others, target], TYPE, predicate)


def render_range(span: CommitRange) -> Tree:
    """Write a range of commits."""
    base: Tree = {"fromID": span.base.value} if span.base else {}
    return {**base, "targetID": span.target.value}


def require_target(statement: Statement, span: CommitRange) -> None:
    """Check that the statement is about what its predicate is about.

    Raises:
        Malformed: the range's target is not among the subjects.
    """
    if all(subject.digest != span.target for subject in statement.subjects):
        raise Malformed(f"expected {span.target} among the subjects")
