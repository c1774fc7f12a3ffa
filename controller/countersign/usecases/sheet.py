"""The sheet: what a reviewer is to look at, and all that there is to see of it."""

from dataclasses import dataclass

from countersign.binding.landing import Landing
from countersign.core.rules.collectors import repository
from countersign.core.types.artifacts import Difference, Digest, Intent, ObjectRef, Tree
from countersign.core.types.change import (
    Access,
    Base,
    Change,
    Deletion,
    NamespaceWindow,
    ObjectChange,
    Operation,
    Stretch,
    Uid,
)
from countersign.core.types.evidence import Build, Provenance
from countersign.ports import Attached, Detached, Pinned
from countersign.usecases.inspect import Inspected
from countersign.usecases.prepare import Prepared
from countersign.usecases.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """An object that is to be deleted.

    Attributes:
        ref: Which object.
        version: API version without group.
        uid: Of the one that is meant; ``""``: the live one.
        propagation: ``Background``, ``Foreground``, ``Orphan``, or ``""``: what the
            request says, but for orphaning.
    """

    ref: ObjectRef
    version: str
    uid: str = ""
    propagation: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """An access to one subresource, for an emergency or its review.

    Attributes:
        change: What is signed.
        version: API version of the object without group.
    """

    change: Access
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOrder:
    """What to look at.

    Attributes:
        objects: The change.
        removals: Objects that are to go.
        openings: Accesses.
        windows: Whole namespaces.
        source: Commits that are to be approved as such, looked at.
        images: To be approved as such, whatever runs them.
        bundles: Evidence given beside the objects, raw.
        detached: BundleSets given beside them, by namespace.
        attached: What lies beside images, as far as registries were asked.
        operation: What may be done with each object.
        base: The state each object is approved on; None: the live one where the
            cluster is seen, else any.
        stretches: Values that scaling may move.
        past: It was done already, and is reviewed afterwards: nothing has to be there
            for it any more.
    """

    objects: tuple[Prepared, ...] = ()
    removals: tuple[Removal, ...] = ()
    openings: tuple[Opening, ...] = ()
    windows: tuple[NamespaceWindow, ...] = ()
    source: Source | None = None
    images: tuple[Pinned, ...] = ()
    bundles: tuple[bytes, ...] = ()
    detached: tuple[tuple[str, Detached], ...] = ()
    attached: tuple[tuple[Pinned, Attached], ...] = ()
    operation: Operation = Operation.CREATE_OR_UPDATE
    base: Digest | Base | Uid | None = None
    stretches: tuple[Stretch, ...] = ()
    past: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object on the sheet.

    Attributes:
        prepared: The object.
        change: What is signed of it.
        landing: Before and after; None where the cluster was not looked at.
        runs: Images that it newly runs, as far as that was looked at.
        same: Other intents that equal its own; evidence may name those.
        sticks: What an apply would leave of the live object, other than it is signed.
    """

    prepared: Prepared
    change: ObjectChange
    landing: Landing | None
    runs: frozenset[Digest] = frozenset()
    same: tuple[Intent, ...] = ()
    sticks: tuple[Difference, ...] = ()

    @property
    def intents(self) -> frozenset[Digest]:
        """Digests that speak of its state."""
        return frozenset({self.change.digest, *(one.digest for one in self.same)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """One object on the sheet that is to go.

    Attributes:
        change: What is signed.
        version: API version without group.
        live: What would go, without what the server owns, the values of a Secret left
            out; None where the cluster was not looked at.
    """

    change: Deletion
    version: str
    live: Tree | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that a reviewer sees.

    Attributes:
        items: The objects, in the order given.
        going: Those that are to be deleted.
        openings: Accesses to objects.
        windows: Whole namespaces, for an emergency.
        source: Commits that are approved as such.
        images: Those that are approved as such, whatever runs them.
        evidence: Every distinct bundle, carried or given, looked at; of BundleSets, and
            of what lies beside images, those that concern what is signed
            (`concerning`).
        aside: How many others there were.
        unreadable: Bundles that are none, and why; they are not passed on.
        detached: BundleSets that were given, by namespace.
        attached: What lies beside images, as far as registries were asked.
        past: It was done already.
    """

    items: tuple[Item, ...]
    going: tuple[Going, ...] = ()
    openings: tuple[Opening, ...] = ()
    windows: tuple[NamespaceWindow, ...] = ()
    source: Source | None = None
    images: tuple[Pinned, ...] = ()
    evidence: tuple[Inspected, ...]
    aside: int = 0
    unreadable: tuple[tuple[Digest, str], ...]
    detached: tuple[tuple[str, Detached], ...] = ()
    attached: tuple[tuple[Pinned, Attached], ...] = ()
    past: bool = False

    @property
    def provenance(self) -> tuple[tuple[Inspected, Provenance], ...]:
        """The statements about how the change was made."""
        return tuple(
            (found, found.claim)
            for found in self.evidence
            if isinstance(found.claim, Provenance)
        )

    @property
    def attested(self) -> frozenset[Digest]:
        """What the provenance speaks of: its subjects, and what was built of its commits.

        An index of which a platform is spoken of, too. As stated: nothing is judged here.
        """
        provenance = self.provenance
        commits = {(repository(c.repository), c.range.target) for _, c in provenance}
        speak = [found for found, _ in provenance]
        speak += [
            found
            for found in self.evidence
            if isinstance(found.claim, Build)
            and (repository(found.claim.repository), found.claim.commit) in commits
        ]
        named = frozenset(s.digest for found in speak for s in found.subjects)
        return named.union(
            image.digest for image, there in self.attached if there.platforms & named
        )

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is signed."""
        return (
            *(item.change for item in self.items),
            *(one.change for one in self.going),
            *(one.change for one in self.openings),
            *self.windows,
        )

    @property
    def pinned(self) -> tuple[Pinned, ...]:
        """The images that are signed: as such, or because an object runs them."""
        run = (image for item in self.items for image in item.prepared.pinned)
        return tuple(dict.fromkeys([*self.images, *run]))

    @property
    def versions(self) -> dict[ObjectRef, str]:
        """API versions of the objects, to be shown to people."""
        return (
            {item.prepared.ref: item.prepared.version for item in self.items}
            | {one.change.object: one.version for one in self.going}
            | {one.change.object: one.version for one in self.openings}
        )
