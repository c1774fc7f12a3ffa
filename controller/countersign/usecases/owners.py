"""Owners: is the object that a child names live, and was it admitted properly?

Rule 12. An owner is believed if people of the roster stand for its present state: by
what it carries itself or lies beside it, or because it comes from an owner of which that
is true. An older ReplicaSet of a Deployment, whose template the Deployment no longer has,
is believed by the evidence that was copied onto it when it was new, or that lies beside
the Deployment: so a rollout that is under way, or stuck, does not keep its old Pods from
coming back. The same holds for the ControllerRevisions of StatefulSets and DaemonSets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from countersign.binding.besides import Besides
from countersign.binding.children import DERIVATIONS, Derivation, comes_from
from countersign.binding.declared import claims, way_of
from countersign.binding.deletions import Owner, controller_of
from countersign.binding.derivations.histories import (
    at_template,
    record_named,
    template_of,
)
from countersign.binding.derivations.kin import text
from countersign.binding.facts import ClusterFacts
from countersign.binding.images import images
from countersign.binding.tree import find
from countersign.core.rules.authentic import authentic
from countersign.core.types.artifacts import Digest, GroupKind, Intent, ObjectRef, Tree
from countersign.core.types.bound import BoundIntent
from countersign.core.types.change import Elastic
from countersign.core.types.policy import Policy
from countersign.ports import ClusterState
from countersign.usecases.bind import ANY_SCALE, Sight, bind, elastics, look_up
from countersign.usecases.gather import Gatherer
from countersign.usecases.gathered import Gathered

Standing: TypeAlias = Mapping[str, tuple[Digest, ...]]
"""By the name of each policy for which an owner is authentic: the bundles that say so."""

_COPIED = frozenset(
    {GroupKind("apps", "ReplicaSet"), GroupKind("apps", "ControllerRevision")}
)
"""What keeps an older template, with the annotations that its owner had then."""
_POD = GroupKind("", "Pod")
_RECORD = "ControllerRevision"


MAX_GENERATIONS = 4  # of operators' children, their children and so on


class Owners:
    """Looks owners up and tells what they stand on.

    Args:
        state: The cluster.
        gatherer: Proves what owners carry.
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

    async def find(self, claim: Owner, namespace: str, *, live: bool) -> Tree | None:
        """Return the owner that `claim` names by uid, if it is there and stays.

        Args:
            claim: What the child says.
            namespace: Of the child.
            live: Ask the server even where a cache has an answer. It is asked anyway
                where the cache has another object of that name, or none.

        Raises:
            Unavailable: the API server did not answer.
        """
        ref = ObjectRef(claim.kind.group, claim.kind.kind, namespace, claim.name)
        tree = await self._state.get(claim.version, ref, live=live)
        if tree is not None and text(tree, "/metadata/uid") == claim.uid:
            going = text(tree, "/metadata/deletionTimestamp")
            return None if going else tree
        return None if live else await self.find(claim, namespace, live=True)

    async def named(self, claim: Owner, namespace: str, *, live: bool) -> Tree | None:
        """Return the owner that a child names by uid, or only by name.

        Args:
            claim: What the child says; without a uid where it says none.
            namespace: Of the child.
            live: As of `find`.

        Raises:
            Unavailable: the API server did not answer.
        """
        if claim.uid:
            return await self.find(claim, namespace, live=live)
        ref = ObjectRef(claim.kind.group, claim.kind.kind, namespace, claim.name)
        tree = await self._state.get(claim.version, ref, live=live)
        going = tree is not None and text(tree, "/metadata/deletionTimestamp")
        return None if going else tree

    async def standing(
        self, tree: Tree, policies: Iterable[Policy], generation: int = 0
    ) -> Standing:
        """Return the policies for which a live object is authentic.

        Args:
            tree: As the server shows it.
            policies: Those that judge the child. A policy that does not judge the
                owner's kind cannot believe it.
            generation: How many of its kin were looked at on the way here.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: an object is not what it was asked for as.
        """
        ref = ref_of(tree)
        kind = GroupKind(ref.group, ref.kind)
        asked = tuple(p for p in policies if p.scope.holds(kind, ref.namespace))
        claim = controller_of(tree)
        way = DERIVATIONS.get((claim.kind, kind)) if claim else None
        if claim is None or way is None:
            by_itself = await self._by_itself(tree, ref, asked)
            left = tuple(p for p in asked if p.name not in by_itself)
            by_operator = await self._by_operator(tree, ref, left, generation)
            return {**by_itself, **by_operator}
        found = dict(await self._through(tree, ref, claim, way, asked))
        rest = tuple(
            p
            for p in asked
            if p.name not in found and p.scope.holds(claim.kind, ref.namespace)
        )
        if rest and kind in _COPIED:
            found |= await self._by_copies(tree, ref, claim, way, rest)
        elif rest and kind == _POD:
            found |= await self._by_record(tree, ref, claim, way, rest)
        return found

    async def _by_operator(
        self,
        tree: Tree,
        ref: ObjectRef,
        policies: tuple[Policy, ...],
        generation: int,
    ) -> Standing:
        """Believe what an operator made for the sake of its live owner (rule 27)."""
        found: dict[str, tuple[Digest, ...]] = {}
        if generation == MAX_GENERATIONS:
            return found
        kind = GroupKind(ref.group, ref.kind)
        claimed = [
            (policy, claim)
            for policy in policies
            for operator in policy.doors.operators
            for claim in claims(operator, tree, kind)
        ]
        for judge, claim in claimed:
            owner = await self.named(claim.owner, ref.namespace, live=True)
            way = way_of(claim.operator, claim.children)
            if owner is not None and comes_from(way, owner, tree, ref):
                found |= await self.standing(owner, (judge,), generation + 1)
        return found

    async def _through(
        self,
        tree: Tree,
        ref: ObjectRef,
        claim: Owner,
        way: Derivation,
        policies: tuple[Policy, ...],
    ) -> Standing:
        """Believe a child for the sake of its own live owner."""
        besides = Besides.in_children(policies, GroupKind(ref.group, ref.kind))
        for live in (False, True):
            owner = await self.find(claim, ref.namespace, live=live)
            if owner is not None and comes_from(way, owner, tree, ref, besides):
                return await self.standing(owner, policies)
        return {}

    async def remembered(
        self, owner: Tree, child: Tree, policies: Iterable[Policy]
    ) -> tuple[Tree, Standing] | None:
        """Return an owner as it was at the template that its Pod names.

        Args:
            owner: A live StatefulSet or DaemonSet.
            child: A Pod that names one of the owner's ControllerRevisions.
            policies: As of `standing`.

        Returns:
            The owner at that template, and for which policies the template is
            authentic; None if there is no such record of this owner.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: as `standing`.
        """
        name, namespace = record_named(owner, child), text(owner, "/metadata/namespace")
        ref = ObjectRef("apps", _RECORD, namespace, name)
        record = await self._state.get("v1", ref, live=True) if name else None
        claim, template = controller_of(record or {}), template_of(record or {})
        if (
            record is None
            or template is None
            or claim is None
            or claim.uid != text(owner, "/metadata/uid")
        ):
            return None
        return at_template(owner, template), await self.standing(record, policies)

    async def _by_record(
        self,
        tree: Tree,
        ref: ObjectRef,
        claim: Owner,
        way: Derivation,
        policies: tuple[Policy, ...],
    ) -> Standing:
        """Believe a Pod of an older template for the sake of the record of that."""
        owner = await self.find(claim, ref.namespace, live=True)
        earlier = owner and await self.remembered(owner, tree, policies)
        if not earlier:
            return {}
        then, standing = earlier
        return standing if comes_from(way, then, tree, ref) else {}

    async def _by_copies(
        self,
        tree: Tree,
        ref: ObjectRef,
        claim: Owner,
        way: Derivation,
        policies: tuple[Policy, ...],
    ) -> Standing:
        """Believe what keeps an older template for the intent that it came from.

        It carries what was copied onto it; what lies beside names its owner.
        """
        if await self.find(claim, ref.namespace, live=False) is None:
            return {}
        gathered = Gathered()
        kind = claim.kind
        owner = ObjectRef(kind.group, kind.kind, ref.namespace, claim.name)
        await self._gatherer.gather(tree, owner, gathered, policies)
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
            for policy in policies
        }
        return self._believed(policies, owner, bound, gathered)

    async def _by_itself(
        self, tree: Tree, ref: ObjectRef, policies: tuple[Policy, ...]
    ) -> Standing:
        """Believe an object for what it carries, and for what lies beside it."""
        carried = await self.carried(tree, ref, policies)
        return self._believed(
            policies,
            ref,
            {policy.name: carried.bound(policy) for policy in policies},
            carried.gathered,
        )

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

    async def carried(
        self, tree: Tree, ref: ObjectRef, policies: Iterable[Policy]
    ) -> "Carried":
        """Return what speaks for the present state of a live object.

        Args:
            tree: As the server shows it.
            ref: What it is.
            policies: Whose people count.

        Raises:
            Unavailable: the API server did not answer.
        """
        gathered = Gathered()
        await self._gatherer.gather(tree, ref, gathered, policies, old=tree)
        facts = await look_up(self._state, self._settings, tree, ref.namespace)
        return Carried(Sight(tree=tree, identity=ref, old=tree, facts=facts), gathered)


@dataclass(frozen=True, slots=True)
class Carried:
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

    @property
    def images(self) -> frozenset[Digest]:
        """What the object runs."""
        return frozenset(i.digest for i in images(self.sight.tree) if i.digest)


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
    """Return the bundles that speak of the owner's present state, sorted."""
    digests = {intent.digest for intent in bound}
    return tuple(sorted({e.bundle for e in gathered.evidence if e.digests & digests}))


def _owning(intent: Intent, claim: Owner) -> Tree:
    """Return the intent as if it were the live owner: with its uid."""
    metadata = find(intent.tree, "/metadata")
    return {**intent.tree, "metadata": {**metadata, "uid": claim.uid}}
