"""What people look at before they sign, and where their signatures go."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from countersign.core.types.artifacts import Digest, Tree
from countersign.ports.beside import Detached
from countersign.provenance.commits import History, Patch


class Repository(Protocol):
    """A git repository."""

    def history(self, revision_range: str, head: str = "") -> History:
        """Read the commits of ``base..target`` or ``target``.

        Args:
            revision_range: As above.
            head: Commit at which the request ends that the range merged, or ``""``.

        Raises:
            Malformed: no repository, or no such revision.
        """
        ...


class SourceRepository(Repository, Protocol):
    """A git repository, with what its commits changed."""

    def patch(self, base: Digest | None, target: Digest, *, limit: int) -> Patch:
        """Return what differs between two commits.

        Args:
            base: A commit; None: nothing, so all of `target` is new.
            target: A commit.
            limit: Lines that are kept.

        Raises:
            Malformed: no such commit, or objects that are missing.
        """
        ...


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """What a user may do; a ``namespace`` of ``""`` is the whole cluster."""

    verb: str
    group: str
    resource: str
    namespace: str

    def __str__(self) -> str:
        name = f"{self.resource}.{self.group}" if self.group else self.resource
        where = f"in namespace {self.namespace}" if self.namespace else "cluster-wide"
        return f"{self.verb} {name} {where}"


class EvidenceStore(Protocol):
    """The BundleSets of a cluster, as one user may see and write them."""

    def heard_at(self) -> datetime | None:
        """Return what the API server's clock showed at its last answer, if it said."""
        ...

    async def lacking(self, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Return those of `rights` that the user has not, in their order.

        Raises:
            Unavailable: the API server did not answer.
        """
        ...

    async def sets(self, namespace: str) -> tuple[Detached, ...]:
        """Return the present sets of a namespace, sorted by name.

        What is no set, or holds what it should not, is left out.

        Raises:
            Unavailable: the API server did not answer, or the user may not.
        """
        ...

    async def create(self, tree: Tree) -> bool:
        """Create a set; tell whether it is new: one of its name is the same.

        Raises:
            Rejected: the API server refused it, in its own words.
            Unavailable: it did not answer.
        """
        ...
