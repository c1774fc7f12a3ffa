"""Owners: is the object that a child names live, and was it admitted properly?

Rule 12. An owner is believed if people of the roster stand for its present state: by
what it carries itself or lies beside it, or because it comes from an owner of which that
is true. An older ReplicaSet of a Deployment, whose template the Deployment no longer has,
is believed by the evidence that was copied onto it when it was new, or that lies beside
the Deployment: so a rollout that is under way, or stuck, does not keep its old Pods from
coming back. The same holds for the ControllerRevisions of StatefulSets and DaemonSets.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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
from countersign.core.types.artifacts import Digest, GroupKind, ObjectRef, Tree
from countersign.core.types.policy import Policy
from countersign.ports import ClusterState
from countersign.usecases.bind import look_up
from countersign.usecases.gather import Gatherer
from countersign.usecases.testimony import Standing, Witness, ref_of

_COPIED = frozenset(
    {GroupKind("apps", "ReplicaSet"), GroupKind("apps", "ControllerRevision")}
)
"""What keeps an older template, with the annotations that its owner had then."""
_POD = GroupKind("", "Pod")
_RECORD = "ControllerRevision"

MAX_GENERATIONS = 4  # rules of operators on the way to who is signed for


@dataclass(frozen=True, slots=True)
class _Child:
    """A live object, whom it names as its owner, and how it would come from there."""

    tree: Tree
    ref: ObjectRef
    claim: Owner
    way: Derivation


class Owners:
    """Looks owners up and tells what they stand on.

    Args:
        state: The cluster.
        gatherer: Proves what owners carry.
        cluster: Our cluster's name.
        settings: Of the cluster, without live answers.

    Attributes:
        witness: Says of each object by itself what speaks for it.
    """

    def __init__(
        self,
        state: ClusterState,
        gatherer: Gatherer,
        cluster: str,
        settings: ClusterFacts,
    ) -> None:
        self.witness = Witness(state, gatherer, cluster, settings)
        self._state = state
        self._settings = settings

    async def find(self, claim: Owner, namespace: str, *, live: bool) -> Tree | None:
        """Return the owner that a child names, if it is there and stays.

        Args:
            claim: What the child says; without a uid where it only says a name.
            namespace: Of the child.
            live: Ask the server even where a cache has an answer. It is asked anyway
                where the cache has none, or another object of that name than is meant.

        Raises:
            Unavailable: the API server did not answer.
        """
        ref = ObjectRef(claim.kind.group, claim.kind.kind, namespace, claim.name)
        tree = await self._state.get(claim.version, ref, live=live)
        meant = tree is not None and claim.uid in ("", text(tree, "/metadata/uid"))
        going = bool(meant and text(tree or {}, "/metadata/deletionTimestamp"))
        if meant and not going:
            return tree
        final = going and claim.uid  # else another of that name may be there by now
        return None if live or final else await self.find(claim, namespace, live=True)

    async def standing(
        self, tree: Tree, policies: Iterable[Policy], generation: int = 0
    ) -> Standing:
        """Return the policies for which a live object is authentic.

        Args:
            tree: As the server shows it.
            policies: Those that judge the child. A policy that does not judge the
                owner's kind cannot believe it.
            generation: How many rules of operators led here.

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
            by_itself = await self.witness.by_itself(tree, ref, asked)
            left = tuple(p for p in asked if p.name not in by_itself)
            by_operator = await self.made_by_operator(tree, ref, left, generation)
            return {**by_itself, **by_operator}
        child = _Child(tree, ref, claim, way)
        found = dict(await self._through(child, asked, generation))
        rest = tuple(
            p
            for p in asked
            if p.name not in found and p.scope.holds(claim.kind, ref.namespace)
        )
        if rest and kind in _COPIED:
            if await self.find(claim, ref.namespace, live=False) is not None:
                found |= await self.witness.by_copies(tree, ref, claim, way, rest)
        elif rest and kind == _POD:
            found |= await self._by_record(child, rest, generation)
        return found

    async def made_by_operator(
        self,
        tree: Tree,
        ref: ObjectRef,
        policies: tuple[Policy, ...],
        generation: int = 0,
    ) -> Standing:
        """Believe what an operator made for the sake of its live owner (rule 27).

        Args:
            tree: As the server shows it.
            ref: Its name.
            policies: Those that judge it.
            generation: As of `standing`.

        Raises:
            Unavailable, Malformed: as `standing`.
        """
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
            owner = await self.find(claim.owner, ref.namespace, live=True)
            way = way_of(claim.operator, claim.children)
            if owner and await self._comes_from(way, owner, tree, ref, (judge,)):
                found |= await self.standing(owner, (judge,), generation + 1)
        return found

    async def _through(
        self, child: _Child, policies: tuple[Policy, ...], generation: int
    ) -> Standing:
        """Believe a child for the sake of its own live owner."""
        tree, ref, way = child.tree, child.ref, child.way
        for live in (False, True):
            owner = await self.find(child.claim, ref.namespace, live=live)
            if owner and await self._comes_from(way, owner, tree, ref, policies):
                return await self.standing(owner, policies, generation)
        return {}

    async def remembered(
        self,
        owner: Tree,
        child: Tree,
        policies: Iterable[Policy],
        generation: int = 0,
    ) -> tuple[Tree, Standing] | None:
        """Return an owner as it was at the template that its Pod names.

        Args:
            owner: A live StatefulSet or DaemonSet.
            child: A Pod that names one of the owner's ControllerRevisions.
            policies: As of `standing`.
            generation: As of `standing`.

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
        standing = await self.standing(record, policies, generation)
        return at_template(owner, template), standing

    async def _by_record(
        self, child: _Child, policies: tuple[Policy, ...], generation: int
    ) -> Standing:
        """Believe a Pod of an older template for the sake of the record of that."""
        tree, ref = child.tree, child.ref
        owner = await self.find(child.claim, ref.namespace, live=True)
        earlier = owner and await self.remembered(owner, tree, policies, generation)
        if not earlier:
            return {}
        then, standing = earlier
        same = await self._comes_from(child.way, then, tree, ref, policies)
        return standing if same else {}

    async def _comes_from(
        self,
        way: Derivation,
        owner: Tree,
        tree: Tree,
        ref: ObjectRef,
        policies: tuple[Policy, ...],
    ) -> bool:
        """Compare with what the owner, the server and the policies put into it."""
        facts = await look_up(self._state, self._settings, tree, ref.namespace)
        besides = Besides.in_children(policies, GroupKind(ref.group, ref.kind))
        return comes_from(way, owner, tree, ref, facts=facts, besides=besides)
