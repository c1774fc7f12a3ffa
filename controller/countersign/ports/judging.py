"""What judging needs: the present, proof, policies, trust and the cluster."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from countersign.binding.kinds import Kinds
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.evidence import Evidence
from countersign.core.types.policy import Policy, Revoked, Scope
from countersign.core.types.trust import TrustRoot


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
            Foreign: `bundle` holds a statement that countersign does not read.
            Malformed: it is not a Sigstore bundle holding an in-toto statement.
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
