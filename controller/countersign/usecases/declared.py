"""What the operators that a policy names may do: make children, fill in fields, tidy up.

Rule 27. As with the built-in controllers, the user is no proof: a child must be what the
live owner and the policy make of it, and people must stand for the owner.
"""

from countersign.binding.besides import Besides
from countersign.binding.children import compare, own_annotations
from countersign.binding.declared import Claim, claimed, claims, way_of, writes
from countersign.binding.deletions import orphans
from countersign.binding.derivations.kin import Kin
from countersign.binding.facts import ClusterFacts
from countersign.binding.surface import Rule
from countersign.core.types.artifacts import GroupKind, Tree
from countersign.core.types.operators import Operator
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Door
from countersign.ports import ClusterState
from countersign.usecases.bind import look_up
from countersign.usecases.kinship import believed, differing, unowned
from countersign.usecases.opened import Opened
from countersign.usecases.owners import Owners
from countersign.usecases.stored import unstored

WRITES = "operator-writes"
ENDS = "operator-ends"


class OperatorDoor:
    """Judges what third-party controllers ask for.

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

    async def open(
        self, request: AdmissionRequest, rule: Rule, policies: tuple[Policy, ...]
    ) -> Opened:
        """Return a basis for each policy that lets its operator do this.

        Args:
            request: The request.
            rule: What judges it.
            policies: That apply to it, and have no basis yet.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: an object is not what it is called.
        """
        opened = Opened()
        for policy in policies:
            mine = [
                operator
                for operator in policy.doors.operators
                if operator.user == request.requester.name
            ]
            if mine and (refused := self._unstored(request, policy)).findings:
                opened = opened.then(refused)
                continue
            for operator in mine:
                found = await self._one(request, rule, operator, policy)
                opened = opened.then(found)
        return opened

    def _unstored(self, request: AdmissionRequest, policy: Policy) -> Opened:
        """Refuse a version in which something is not seen, and may be erased."""
        if request.object is None:
            return Opened()
        kinds = self._settings.kinds
        return unstored(request.object, request.ref, (policy,), kinds)

    async def _one(
        self,
        request: AdmissionRequest,
        rule: Rule,
        operator: Operator,
        policy: Policy,
    ) -> Opened:
        if rule in (Rule.OBJECT, Rule.STATUS) and writes((operator,), request):
            return Opened.by((policy,), Door.DELTA, WRITES)
        if rule is Rule.OBJECT:
            return await self._child(request, operator, policy)
        if rule in (Rule.DELETION, Rule.EVICTION):
            return await self._end(request, operator, policy)
        return Opened()

    async def _child(
        self, request: AdmissionRequest, operator: Operator, policy: Policy
    ) -> Opened:
        """Compare with what the cached owner makes of it, then with the live one's."""
        found = Opened()
        for claim in claims(operator, request.object or {}, _kind(request)):
            if _changes_hands(claim, request.old):
                continue
            for live in (False, True):
                found = await self._derived(request, claim, policy, live=live)
                if found.bases:
                    return found
        return found

    async def _derived(
        self, request: AdmissionRequest, claim: Claim, policy: Policy, *, live: bool
    ) -> Opened:
        namespace = request.ref.namespace
        owner = await self._owners.find(claim.owner, namespace, live=live)
        if owner is None:
            return unowned(request, claim.owner, (policy,))
        way = way_of(claim.operator, claim.children)
        child = request.object or {}
        facts = await look_up(self._state, self._settings, child, namespace)
        kin = Kin(owner=owner, child=child, old=request.old)
        besides = Besides.in_children((policy,), _kind(request))
        if differences := compare(way, kin, request.ref, facts, besides):
            return differing(request, owner, differences, (policy,))
        standing = await self._owners.standing(owner, (policy,))
        return believed(request, way, owner, (policy,), standing)

    async def _end(
        self, request: AdmissionRequest, operator: Operator, policy: Policy
    ) -> Opened:
        """Let an operator end its child while the owner is there to have it again.

        What people signed themselves nobody makes again, and what a child leaves behind
        nobody ends (rule 11).
        """
        tree = request.old or {}
        if orphans(request) or own_annotations(tree):
            return Opened()
        for claim in claims(operator, tree, _kind(request)):
            owner = await self._owners.find(
                claim.owner, request.ref.namespace, live=True
            )
            if owner is None:
                continue
            if policy.name in await self._owners.standing(owner, (policy,)):
                return Opened.by((policy,), Door.DERIVED, ENDS)
        return Opened()


def _kind(request: AdmissionRequest) -> GroupKind:
    return GroupKind(request.ref.group, request.ref.kind)


def _changes_hands(claim: Claim, old: Tree | None) -> bool:
    """Tell whether the object was not this owner's child before.

    Else an operator, or who can become it, could take over what people signed: also what
    is called like an owner by chance, or has its annotation. No child carries evidence.
    """
    if old is None:
        return False
    return bool(own_annotations(old)) or claimed(claim.children, old) != claim.owner
