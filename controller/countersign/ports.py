"""What the use cases need of the world, errors included.

A port's docstring says exactly which errors may leave it; adapters translate at the
boundary. Anything else that escapes an adapter is a bug.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from countersign.binding.kinds import Kinds
from countersign.core.types.artifacts import Digest, ObjectRef, Tree
from countersign.core.types.decision import (
    Batch,
    Decision,
    Outcome,
    Recorded,
    Review,
)
from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import Policy, Revoked, Scope
from countersign.core.types.stated import Stated
from countersign.core.types.survey import Recording
from countersign.core.types.trust import TrustRoot
from countersign.provenance.commits import History, Patch


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        ...


class Prover(Protocol):
    """The only maker of :class:`Evidence`."""

    async def prove(self, bundle: bytes) -> Evidence:
        """Verify `bundle` and return what it proves.

        Raises:
            Malformed: `bundle` is not a Sigstore bundle holding an in-toto statement
                that countersign knows.
            Rejected: it is, and its proof does not hold under any trust root.
            Unavailable: no trust root is loaded, or too much is being verified.
        """
        ...


class Signer(Protocol):
    """Signs statements as one identity."""

    async def sign(self, statement: bytes) -> bytes:
        """Wrap `statement` in DSSE, sign it and return a Sigstore bundle (v0.3 JSON).

        Raises:
            Unavailable: the certificate authority, log or time-stamping authority did
                not answer.
            Rejected: it refused the identity.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidPolicy:
    """A policy that does not parse: it denies what it would have matched.

    Attributes:
        name: Of the object.
        scope: What can still be read of it; None: everything that is protected.
        problems: Expected, seen, what to do; a line each.
    """

    name: str
    scope: Scope | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySnapshot:
    """Policies, resolved with their rosters, and revocations, at one moment.

    Attributes:
        policies: Valid ones.
        invalid: Those that deny because they cannot be read.
        revocations: All entries of all Revocation objects.
        protected: Names that must have a policy, from our settings: a floor.
    """

    policies: tuple[Policy, ...]
    invalid: tuple[InvalidPolicy, ...]
    revocations: tuple[Revoked, ...]
    protected: tuple[str, ...]


class PolicyBook(Protocol):
    """The policies in force."""

    def snapshot(self) -> PolicySnapshot:
        """Return the present policies. No I/O.

        Raises:
            Unavailable: there was no first full list yet, or the watch has been cut
                for longer than its limit; the message says which.
        """
        ...


class TrustBook(Protocol):
    """The trust roots in force."""

    def roots(self) -> tuple[TrustRoot, ...]:
        """Return the present trust roots, sorted by name. No I/O.

        Raises:
            Unavailable: there was no first full list yet, or the watch has been cut
                for longer than its limit.
        """
        ...


class Definitions(Protocol):
    """The custom kinds that the cluster serves."""

    def kinds(self) -> Kinds:
        """Return the present kinds, the built-in ones included. No I/O.

        The same value until one of them changes.

        Raises:
            Unavailable: there was no first full list yet, or the watch has been cut
                for longer than its limit.
        """
        ...


class ClusterState(Protocol):
    """Live objects, from watched caches or by one GET."""

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return an object, or None if there is none.

        Args:
            version: API version without its group.
            ref: Which object.
            live: Ask the API server even where a cache has an answer.

        Raises:
            Unavailable: the API server did not answer, or the cache is stale.
        """
        ...

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return all objects of the group, kind and namespace of `kind`.

        Raises:
            Unavailable: the API server did not answer, or the cache is stale.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """A BundleSet, unpacked. Nothing of it is proven: storage is not trusted.

    Attributes:
        name: Of the object.
        bundles: Raw Sigstore bundles, in their order.
        intents: Canonical JSON, checked against no digest yet.
        stated: What each bundle claims, in their order; None: it cannot be read. Empty:
            nobody has looked yet.
        made: When the API server took it, RFC 3339; ``""``: it is not there yet.
        whole: False: more lies there than is kept in memory. Then both are empty, and
            nobody knows what it speaks of.
    """

    name: str
    bundles: tuple[bytes, ...]
    intents: tuple[bytes, ...]
    stated: tuple[Stated | None, ...] = ()
    made: str = ""
    whole: bool = True


class BundleSource(Protocol):
    """Evidence that lies beside the objects it speaks of."""

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        """Return the sets that name `ref`, sorted by name. No I/O.

        A set names an object by an intent, or by a change that one of its sign-offs
        speaks of; a break-glass window names all of its namespace. Only sets of the
        object's own namespace count, and for cluster-scoped objects those in
        countersign's.

        Raises:
            Unavailable: there was no first full list yet, or the watch has been cut
                for longer than its limit.
        """
        ...

    async def refresh(self, namespace: str) -> bool:
        """List the sets of a namespace live; tell whether there was one not yet known.

        Args:
            namespace: Of the object that is judged; ``""`` for a cluster-scoped one.

        Raises:
            Unavailable: the API server did not answer.
        """
        ...


class Journal(Protocol):
    """Where the webhook leaves its decisions. A side channel: it never changes one."""

    async def keep(self, decision: Decision) -> bool:
        """Write `decision` down; tell whether that was done.

        Returns within a bounded time, and raises nothing: what could not be written is
        counted.
        """
        ...


class Spool(Protocol):
    """The spool of one replica, from the recorder's side."""

    async def read(self, positions: Mapping[str, int]) -> Batch:
        """Return the first entries that are not recorded yet.

        Args:
            positions: By the id of each spool, the last sequence recorded of it; a
                spool that is not there starts at 0.

        Raises:
            Unavailable: the replica did not answer.
            Malformed: it answered something else.
        """
        ...

    async def acknowledge(self, spool: str, sequence: int) -> None:
        """Say that everything of `spool` up to `sequence` is recorded.

        Raises:
            Unavailable: the replica did not answer.
        """
        ...


MAX_FOUND = 1000
"""Decisions of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which decisions; an empty field asks nothing.

    Attributes:
        namespace: None: of the whole cluster; ``""``: cluster-scoped objects.
        kind, name: Of the object.
        outcome: How it ended.
        person: Whose word it rests on.
        since: Made last at or after.
        debts: Only break-glass admissions that nobody has reviewed yet.
        limit: At most so many, the newest first; at most `MAX_FOUND`.
    """

    namespace: str | None = None
    kind: str = ""
    name: str = ""
    outcome: Outcome | None = None
    person: str = ""
    since: datetime | None = None
    debts: bool = False
    limit: int = 100


class Records(Protocol):
    """Recorded decisions, to be read: the recorder's own store, or the service of one."""

    async def get(self, decision: str) -> Recorded | None:
        """Return one decision whole, or None if there is none.

        Raises:
            Rejected: the caller may not; the message names the missing right.
            Unavailable: no answer.
        """
        ...

    async def find(self, query: Query) -> tuple[Recorded, ...]:
        """Return decisions, the newest first, without their intents and bundles.

        Raises:
            Rejected: the caller may not; the message names the missing right.
            Unavailable: no answer.
        """
        ...


class Recorder(Records, Protocol):
    """The service that shows recorded decisions."""

    async def status(self) -> Recording:
        """Return how recording goes.

        Raises:
            Rejected: the caller may not; the message names the missing right.
            Unavailable: no answer.
        """
        ...


class Archive(Records, Protocol):
    """The audit store."""

    async def positions(self) -> Mapping[str, int]:
        """Return the last sequence recorded of each spool.

        Raises:
            Unavailable: the store did not answer.
        """
        ...

    async def add(self, batch: Batch) -> None:
        """Record a batch and how far it reaches, both or neither.

        Entries at or before the recorded position are there already, and left out.

        Raises:
            Unavailable: the store did not take it; nothing of it is recorded.
        """
        ...

    async def review(self, decision: str, done: Review) -> None:
        """Note that a break-glass admission was reviewed.

        Raises:
            Unavailable: the store did not take it.
        """
        ...


class Repository(Protocol):
    """A git repository."""

    def history(self, revision_range: str) -> History:
        """Read the commits of ``base..target`` or ``target``.

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
