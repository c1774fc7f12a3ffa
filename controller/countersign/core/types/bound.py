"""What binding hands to the law: the change of a request, tied to what evidence names."""

from dataclasses import dataclass

from countersign.core.types.artifacts import Difference, Digest, Image, ObjectRef
from countersign.core.types.change import Elastic, Operation
from countersign.core.types.evidence import Evidence
from countersign.core.types.request import Requester

POD_STATES = frozenset({"ephemeralcontainers", "resize"})
"""Subresources by which a Pod that runs becomes another one, all else left as it is."""


@dataclass(frozen=True, slots=True)
class BoundIntent:
    """`digest` names an intent that the object under admission equals, given `elastic`."""

    digest: Digest
    elastic: tuple[Elastic, ...] = ()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An intent that was signed for this object, and where the object differs.

    Attributes:
        digest: Of the intent.
        differences: Never empty; sorted by path, bounded.
    """

    digest: Digest
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldState:
    """The object before an UPDATE or DELETE.

    Attributes:
        digest: Of its normal form: what a sign-off's ``base`` names.
        uid: Of the live object.
        evidence: Verified, carried by the old object and bound to its state.
        images: Digests it already runs.
        intents: Intents it equals, as `BoundChange.intents` says of the new object.
    """

    digest: Digest
    uid: str
    evidence: tuple[Evidence, ...] = ()
    images: frozenset[Digest] = frozenset()
    intents: frozenset[BoundIntent] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundChange:
    """One request, as the law sees it.

    Attributes:
        cluster: Our cluster's name.
        object: What is changed.
        operation: CREATE, UPDATE, DELETE or CONNECT.
        subresource: ``""`` for the object itself.
        intents: Intents the object equals, for each set of elastic bounds that some
            evidence names. Empty: nothing signed describes this object.
        mismatches: Signed intents that name this object and differ from it.
        images: All that the old object did not already run; sorted.
        old: None on CREATE.
        requester: Who asks; the deployer.
        propagation: What a DELETE does with dependents, ``Orphan`` also where only
            ``orphanDependents`` or a finalizer says so; ``""`` is the server's default.
    """

    cluster: str
    object: ObjectRef
    operation: Operation
    subresource: str = ""
    intents: frozenset[BoundIntent] = frozenset()
    mismatches: tuple[Mismatch, ...] = ()
    images: tuple[Image, ...] = ()
    old: OldState | None = None
    requester: Requester
    propagation: str = ""

    @property
    def is_side_door(self) -> bool:
        """Whether the request goes past the object: no state of it could be signed."""
        if self.subresource in POD_STATES:
            return self.operation is not Operation.UPDATE
        return bool(self.subresource) or self.operation is Operation.CONNECT
