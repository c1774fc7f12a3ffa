"""Source: what a range of commits changed, to be looked at and approved as such.

A sign-off that names the end of a range approves the state of the repository there; so
later ranges may begin at it (rule 3).
"""

from dataclasses import dataclass

from countersign.core.types.artifacts import Subject
from countersign.core.types.evidence import CommitRange
from countersign.ports import SourceRepository
from countersign.provenance.commits import Patch
from countersign.provenance.derive import Derivation, derive
from countersign.provenance.registry import Registry
from countersign.usecases.attest import repository_of

MAX_SHOWN = 2_000  # lines of difference; nobody reads more on a terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A range of commits, looked at.

    Attributes:
        repository: Address under which policies know it.
        range: Which commits.
        subjects: Commit and tree at the end: what a sign-off of it names.
        derivation: The commits, with the marks that are in them.
        patch: What differs between the two ends of the range.
    """

    repository: str
    range: CommitRange
    subjects: tuple[Subject, Subject]
    derivation: Derivation
    patch: Patch


def look_at_source(
    revisions: str,
    repository_uri: str,
    *,
    repository: SourceRepository,
    registry: Registry,
) -> Source:
    """Read what there is to see of a range.

    Args:
        revisions: ``BASE..TARGET``, or ``TARGET`` for all that is there.
        repository_uri: Address under which policies know it; ``""``: that of ``origin``.
        repository: Where the range is.
        registry: The assistants known.

    Raises:
        Malformed: no such range, nothing in it, or no address of the repository.
    """
    history = repository.history(revisions)
    address = repository_of(repository_uri, history)
    return Source(
        repository=address,
        range=CommitRange(history.base, history.target),
        subjects=(
            Subject(f"commit:{address}", history.target),
            Subject(f"tree:{address}", history.tree),
        ),
        derivation=derive(history, registry),
        patch=repository.patch(history.base, history.target, limit=MAX_SHOWN),
    )
