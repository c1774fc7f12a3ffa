"""Deletions that need no signature: the state converges again, or a controller tidies.

Rule 11. Everything else is judged as a deletion to be signed.
"""

from countersign.binding import argocd, helm
from countersign.binding.deletions import (
    NAMESPACE_CONTROLLER,
    Owner,
    ends,
    made_again_by,
    orphans,
)
from countersign.binding.derivations.kin import text
from countersign.binding.tables import supported
from countersign.core.types.artifacts import GroupKind, ObjectRef, Tree
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Basis, Door
from countersign.ports import ClusterState
from countersign.usecases.opened import Opened
from countersign.usecases.owners import Owners


class DeletionDoor:
    """Judges deletions and evictions.

    Args:
        state: The cluster.
        owners: Looks owners up.
    """

    def __init__(self, state: ClusterState, owners: Owners) -> None:
        self._state = state
        self._owners = owners

    async def open(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        policies: tuple[Policy, ...],
    ) -> Opened:
        """Let in what is made again, and what the closed table says.

        Args:
            request: DELETE, or the creation of an eviction.
            subject: What goes.
            policies: That judge it.

        Raises:
            Unavailable: the API server did not answer.
        """
        tree = await self._going(request, subject)
        if tree is None:
            return Opened()
        if request.old is not None and (rule := ends(request)):
            return Opened.by(policies, Door.DELTA, rule)
        if request.requester.name in NAMESPACE_CONTROLLER:
            going = await self._namespace_goes(subject.namespace)
            return Opened.by(policies, Door.DELTA, "namespace") if going else Opened()
        if orphans(request):
            return Opened()
        if await self._made_again(subject, tree):
            return Opened.by(policies, Door.DERIVED, "made-again")
        return await self._hook(tree, policies)

    async def _going(
        self, request: AdmissionRequest, subject: ObjectRef
    ) -> Tree | None:
        """Return the object that goes; an eviction does not show it."""
        if request.old is not None:
            return request.old
        return await self._state.get("v1", subject, live=True)

    async def _made_again(self, subject: ObjectRef, tree: Tree) -> bool:
        owner: Owner | None = made_again_by(
            GroupKind(subject.group, subject.kind), tree
        )
        if owner is None:
            return False
        found = await self._owners.find(owner, subject.namespace, live=False)
        return found is not None

    async def _hook(self, tree: Tree, policies: tuple[Policy, ...]) -> Opened:
        """Let a hook go that people signed with the word that it shall.

        That is Helm's word, or Argo CD's, for policies that name the tool.
        """
        if not supported(tree):
            return Opened()
        over, may_go = helm.hook_is_over(tree), argocd.hook_may_go(tree)
        rules = {
            p.name: helm.HOOK if over and p.doors.tools.helm else argocd.RULE
            for p in policies
            if (over and p.doors.tools.helm)
            or (may_go and p.doors.tools.argocd is not None)
        }
        asked = tuple(p for p in policies if p.name in rules)
        standing = await self._owners.standing(tree, asked) if asked else {}
        return Opened(
            tuple(
                Basis(
                    policy=policy,
                    door=Door.DERIVED,
                    rule=rules[policy],
                    bundles=bundles,
                )
                for policy, bundles in sorted(standing.items())
            )
        )

    async def _namespace_goes(self, name: str) -> bool:
        ref = ObjectRef("", "Namespace", "", name)
        namespace = await self._state.get("v1", ref, live=True)
        return bool(namespace and text(namespace, "/metadata/deletionTimestamp"))
