"""The door *derived*: children of live, authentic owners.

Three things together, none of which is proof alone: the controller that makes such
objects asks; the object is what the live owner makes of it; the owner is authentic.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from countersign.binding.besides import Besides
from countersign.binding.children import (
    DERIVATIONS,
    Derivation,
    adopts,
    changes_hands,
    compare,
    named_after,
    selects,
)
from countersign.binding.deletions import Owner, controller_of
from countersign.binding.derivations.kin import Kin
from countersign.binding.edits import changes
from countersign.binding.facts import ClusterFacts, Fact
from countersign.core.types.artifacts import Difference, GroupKind, ObjectRef, Tree
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Expected, Reason
from countersign.ports import ClusterState
from countersign.usecases.bind import look_up
from countersign.usecases.kinship import believed, differing, unowned
from countersign.usecases.opened import Opened
from countersign.usecases.ownerless import OwnerlessDoor
from countersign.usecases.owners import Owners

_POD = GroupKind("", "Pod")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a child says of its owner, and how it would come from there.

    Without a uid, if the child only has the name of one.
    """

    owner: Owner
    way: Derivation


class DerivedDoor:
    """Judges objects that claim to come from others.

    Args:
        state: The cluster.
        owners: Looks owners up.
        settings: Of the cluster, without live answers.
    """

    def __init__(
        self, state: ClusterState, owners: Owners, settings: ClusterFacts
    ) -> None:
        self._state = state
        self._owners = owners
        self._settings = settings
        self._ownerless = OwnerlessDoor(state, settings)

    async def open(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Return a basis for each policy by which a new or changed child is derived.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: an object is not what it is called.
        """
        told = await self._ownerless.open(request, policies)
        if told is not None:
            return told
        found = Opened()
        for alike in _alike(policies):
            found = found.then(await self._open(request, alike))
        return found

    async def _open(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Judge by policies that let the same be in children."""
        found = Opened()
        for claim in _claims(request):
            found = await self._claimed(request, claim, policies)
            if found.complete(policies):
                break
        return found

    async def _claimed(
        self, request: AdmissionRequest, claim: _Claim, policies: tuple[Policy, ...]
    ) -> Opened:
        """Judge an object as the child that it says it is."""
        if request.requester.name not in claim.way.actors:
            facts = Expected(min(claim.way.actors), request.requester.name)
            return Opened.refusing(request.ref, policies, Reason.OWNER_UNPROVEN, facts)
        if changes_hands(request.old, request.object or {}) and not claim.way.by_name:
            return unowned(request, claim.owner, policies)
        if adopts(request) and not claim.way.by_name:
            return await self._adopted(request, claim, policies)
        return await self._judge(request, claim, policies)

    async def _adopted(
        self, request: AdmissionRequest, claim: _Claim, policies: tuple[Policy, ...]
    ) -> Opened:
        """Let a live controller take what it selects, and what came from its like."""
        child = request.object or {}
        owner = await self._owners.find(claim.owner, request.ref.namespace, live=True)
        if owner is None or not selects(owner, child):
            return unowned(request, claim.owner, policies)
        standing = await self._owners.standing(child, policies)
        return believed(request, claim.way, owner, policies, standing)

    async def _judge(
        self, request: AdmissionRequest, claim: _Claim, policies: tuple[Policy, ...]
    ) -> Opened:
        """Compare with the cached owner, and with the live one if that differs."""
        found, namespace = Opened(), request.ref.namespace
        for live in (False, True):
            owner = await self._owners.find(claim.owner, namespace, live=live)
            if owner is None:
                return unowned(request, claim.owner, policies)
            found = await self._compared(request, claim.way, owner, policies)
            if found.complete(policies):
                return found
            if claim.way.remembers and live:
                earlier = await self._remembered(request, claim.way, owner, policies)
                found = earlier or found
        return found

    async def _compared(
        self,
        request: AdmissionRequest,
        way: Derivation,
        owner: Tree,
        policies: tuple[Policy, ...],
    ) -> Opened:
        """Compare with an owner as it is, and ask who stands for it."""
        source, trusted = None, policies
        if way.source is not None:
            source, trusted = await self._source(request, way.source, owner, policies)
        differences = await self._differences(request, way, owner, policies, source)
        if differences:
            return differing(request, owner, differences, policies)
        standing = await self._owners.standing(owner, trusted)
        return believed(request, way, owner, policies, standing)

    async def _source(
        self,
        request: AdmissionRequest,
        asked: Callable[[Tree, Tree], Fact | None],
        owner: Tree,
        policies: tuple[Policy, ...],
    ) -> tuple[Tree | None, tuple[Policy, ...]]:
        """Return what else a child is made from, and the policies that believe it."""
        fact = asked(owner, request.object or {})
        found = fact and await self._state.get(fact.version, fact.ref, live=True)
        if not found:
            return None, policies
        standing = await self._owners.standing(found, policies)
        return found, tuple(p for p in policies if p.name in standing)

    async def _remembered(
        self,
        request: AdmissionRequest,
        way: Derivation,
        owner: Tree,
        policies: tuple[Policy, ...],
    ) -> Opened | None:
        """Compare with the owner as it was when the child's template was its own."""
        earlier = await self._owners.remembered(owner, request.object or {}, policies)
        if earlier is None:
            return None
        then, standing = earlier
        if await self._differences(request, way, then, policies):
            return None
        return believed(request, way, owner, policies, standing)

    async def _differences(
        self,
        request: AdmissionRequest,
        way: Derivation,
        owner: Tree,
        policies: tuple[Policy, ...],
        source: Tree | None = None,
    ) -> tuple[Difference, ...]:
        namespace, child = request.ref.namespace, request.object or {}
        pods: tuple[Tree, ...] = ()
        if way.needs_pods and _leads_on(request):
            pods = await self._state.list(
                "v1", ObjectRef(_POD.group, _POD.kind, namespace, "")
            )
        facts = await look_up(self._state, self._settings, child, namespace)
        kin = Kin(owner=owner, child=child, old=request.old, pods=pods, source=source)
        kind = GroupKind(request.ref.group, request.ref.kind)
        besides = Besides.in_children(policies, kind)
        return compare(way, kin, request.ref, facts, besides)


def _claims(request: AdmissionRequest) -> Iterator[_Claim]:
    """Yield whose child the object would be; nothing: it claims nothing that we know."""
    kind = GroupKind(request.ref.group, request.ref.kind)
    if named := named_after(kind, request.requester.name):
        owner_kind, way = named
        for name in way.by_name(request.ref.name) if way.by_name else ():
            yield _Claim(Owner(way.version, owner_kind, name, ""), way)
        return
    claimed = controller_of(request.object or {})
    found = DERIVATIONS.get((claimed.kind, kind)) if claimed else None
    if claimed and found and claimed.version == found.version:
        yield _Claim(claimed, found)


def _alike(policies: tuple[Policy, ...]) -> Iterator[tuple[Policy, ...]]:
    """Yield the policies that let nothing but children be, then each of the others."""

    def plain(policy: Policy) -> bool:
        return not (policy.doors.injections or policy.doors.operators)

    if usual := tuple(policy for policy in policies if plain(policy)):
        yield usual
    yield from ((policy,) for policy in policies if not plain(policy))


def _leads_on(request: AdmissionRequest) -> bool:
    """Tell whether Pods must be known: who gets traffic, or owns a claim, is new."""
    old, new = request.old or {}, request.object or {}
    fields = ("subsets", "endpoints", "ports")
    changed = [path for path, _, _ in changes(old, new)]
    owners = request.old is not None and "/metadata/ownerReferences" in changed
    return owners or any(path.split("/")[1] in fields for path in changed)
