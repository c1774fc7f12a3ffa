"""What evidence says of live objects: whether people stand for their present state.

It is what an object carries, and what lies beside it. Who owns it counts in `owners`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from countersign.binding.children import Derivation, comes_from
from countersign.binding.deletions import Owner
from countersign.binding.derivations.kin import text
from countersign.binding.facts import ClusterFacts
from countersign.binding.images import readable_images
from countersign.binding.tree import find
from countersign.core.rules.authentic import authentic
from countersign.core.types.artifacts import Digest, Intent, ObjectRef, Tree
from countersign.core.types.bound import BoundIntent
from countersign.core.types.change import Elastic
from countersign.core.types.policy import Policy
from countersign.ports import ClusterState
from countersign.usecases.bind import ANY_SCALE, Sight, bind, elastics, look_up
from countersign.usecases.gather import Gatherer
from countersign.usecases.gathered import Gathered

Standing: TypeAlias = Mapping[str, tuple[Digest, ...]]
"""By the name of each policy for which an owner is authentic: the bundles that say so."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """A live object with the evidence in its annotations and beside it.

    Attributes:
        sight: The object.
        gathered: What speaks of it.
    """

    sight: Sight
    gathered: Gathered

    def bound(
        self, policy: Policy, allowed: tuple[Elastic, ...] = ()
    ) -> frozenset[BoundIntent]:
        """Return the intents that the object equals, controllers' edits aside.

        Args:
            policy: Whose people count, and what it lets be there.
            allowed: Paths that may have moved, besides the number of replicas: a
                signed autoscaler, or a group that may, chose it at the door *scale*.

        Raises:
            Malformed: the object is not what it was asked for as.
        """
        moved = (*allowed, *ANY_SCALE)
        found, _ = bind(self.sight, self.gathered, policy, allowed=moved)
        return found

    def speaking(self, bound: frozenset[BoundIntent]) -> tuple[Digest, ...]:
        """Return the bundles that speak of any of `bound`, sorted."""
        return _speaking(bound, self.gathered)

    def runs(self, policy: Policy) -> frozenset[Digest]:
        """Return what the object runs, as far as that can be read and is pinned."""
        found = readable_images(self.sight.tree, policy.images.paths)
        return frozenset(image.digest for image in found if image.digest)


class Witness:
    """Reads what speaks for live objects, and asks the law what it is worth.

    Args:
        state: The cluster.
        gatherer: Proves what objects carry.
        cluster: Our cluster's name.
        settings: Of the cluster, without live answers.
    """

    def __init__(
        self,
        state: ClusterState,
        gatherer: Gatherer,
        cluster: str,
        settings: ClusterFacts,
    ) -> None:
        self._state = state
        self._gatherer = gatherer
        self._cluster = cluster
        self._settings = settings

    async def testimony(
        self, tree: Tree, ref: ObjectRef, policies: Iterable[Policy]
    ) -> Testimony:
        """Return what speaks for the present state of a live object.

        Beside its images is looked for policies that do not believe it otherwise. What
        a registry does not say supports nothing; `Looks` knows which were silent.

        Args:
            tree: As the server shows it.
            ref: What it is.
            policies: Whose people count.

        Raises:
            Unavailable: the API server did not answer.
        """
        gathered, judges = Gathered(), tuple(policies)
        await self._gatherer.gather(tree, ref, gathered, judges, old=tree)
        facts = await look_up(self._state, self._settings, tree, ref.namespace)
        sight = Sight(tree=tree, identity=ref, old=tree, facts=facts)
        found = Testimony(sight, gathered)
        if left := tuple(p for p in judges if p.images.registries):
            bound = {policy.name: found.bound(policy) for policy in left}
            standing = self._believed(left, ref, bound, gathered)
            left = tuple(p for p in left if p.name not in standing)
            await self._gatherer.images.gather(tree, ref, gathered, left)
        return found

    async def by_itself(
        self, tree: Tree, ref: ObjectRef, policies: tuple[Policy, ...]
    ) -> Standing:
        """Believe an object for what it carries, and for what lies beside it.

        Args:
            tree: As the server shows it.
            ref: What it is.
            policies: As of `testimony`.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: the object is not what it was asked for as.
        """
        found = await self.testimony(tree, ref, policies)
        bound = {policy.name: found.bound(policy) for policy in policies}
        return self._believed(policies, ref, bound, found.gathered)

    async def by_copies(
        self,
        tree: Tree,
        ref: ObjectRef,
        claim: Owner,
        way: Derivation,
        policies: tuple[Policy, ...],
    ) -> Standing:
        """Believe what keeps an older template for the intent that it came from.

        It carries what was copied onto it; what lies beside names its owner.

        Args:
            tree: As the server shows it.
            ref: What it is.
            claim: Its owner, which is there.
            way: How it would come from that owner.
            policies: As of `testimony`.

        Raises:
            Unavailable: as of `by_itself`.
        """
        gathered = Gathered()
        kind = claim.kind
        owner = ObjectRef(kind.group, kind.kind, ref.namespace, claim.name)
        await self._gatherer.gather(tree, owner, gathered, policies)

        def standing(judges: tuple[Policy, ...]) -> Standing:
            digests = [
                intent.digest
                for intent in gathered.intents
                if comes_from(way, _owning(intent, claim), tree, ref)
            ]
            bound = {
                policy.name: frozenset(
                    BoundIntent(digest, elastic)
                    for digest in digests
                    for elastic in elastics(digest, gathered.evidence, policy)
                )
                for policy in judges
            }
            return self._believed(judges, owner, bound, gathered)

        found = standing(policies)
        left = tuple(p for p in policies if p.name not in found)
        if not await self._gatherer.images.gather(tree, owner, gathered, left):
            return found
        return {**found, **standing(left)}

    def _believed(
        self,
        policies: Iterable[Policy],
        owner: ObjectRef,
        bound: Mapping[str, frozenset[BoundIntent]],
        gathered: Gathered,
    ) -> Standing:
        """Ask the law for each policy, of what is bound for it."""
        supporting, here = gathered.supporting, self._cluster
        return {
            policy.name: _speaking(bound[policy.name], gathered)
            for policy in policies
            if authentic(policy, owner, bound[policy.name], supporting, cluster=here)
        }


def ref_of(tree: Tree) -> ObjectRef:
    """Return what a live object is."""
    group = str(tree.get("apiVersion", "")).rpartition("/")[0]
    return ObjectRef(
        group=group,
        kind=str(tree.get("kind", "")),
        namespace=text(tree, "/metadata/namespace"),
        name=text(tree, "/metadata/name"),
        generate_name=text(tree, "/metadata/generateName"),
    )


def _speaking(bound: frozenset[BoundIntent], gathered: Gathered) -> tuple[Digest, ...]:
    """Return the bundles that speak of any of `bound`, sorted."""
    digests = {intent.digest for intent in bound}
    return tuple(sorted({e.bundle for e in gathered.evidence if e.digests & digests}))


def _owning(intent: Intent, claim: Owner) -> Tree:
    """Return the intent as if it were the live owner: with its uid."""
    metadata = find(intent.tree, "/metadata")
    return {**intent.tree, "metadata": {**metadata, "uid": claim.uid}}
