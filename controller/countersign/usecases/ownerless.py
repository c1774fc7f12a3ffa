"""What controllers make of the cluster's own state, and of no owner.

Part of the door *derived*: what they write is computed from what is live, as a child is
from its owner.
"""

from countersign.binding.aggregated import (
    ROLES,
    RULE,
    comes_closer,
    gathers,
    is_gathered,
)
from countersign.binding.children import (
    ROOT_CERTIFICATES,
    compare_classed,
    compare_roots,
    gets_class,
    publishes_root,
)
from countersign.binding.facts import ClusterFacts
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Door, Expected, Reason
from countersign.ports import ClusterState
from countersign.usecases.bind import look_up
from countersign.usecases.kinship import differing
from countersign.usecases.opened import Opened


class OwnerlessDoor:
    """Judges root certificates, aggregated roles and the class of a claim.

    Args:
        state: The cluster.
        settings: Of the cluster, without live answers.
    """

    def __init__(self, state: ClusterState, settings: ClusterFacts) -> None:
        self._state = state
        self._settings = settings

    async def open(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened | None:
        """Return what is said of such a request; None: it is none of these.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: an object is not what it is called.
        """
        if publishes_root(request):
            return await self._root(request, policies)
        if gathers(request):
            return await self._gathered(request, policies)
        if gets_class(request):
            return await self._classed(request, policies)
        return None

    async def _root(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Compare the cluster's root certificates with those of kube-system."""
        source = ObjectRef("", "ConfigMap", "kube-system", ROOT_CERTIFICATES)
        root = await self._state.get("v1", source, live=True)
        if root is None:
            facts = Expected(f"kube-system/{ROOT_CERTIFICATES}", "")
            return Opened.refusing(request.ref, policies, Reason.OWNER_UNPROVEN, facts)
        differences = compare_roots(root, request.object or {}, request.ref)
        if not differences:
            return Opened.by(policies, Door.DERIVED, "root-certificates")
        return differing(request, root, differences, policies)

    async def _classed(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Let a claim have the class that is the default now."""
        child = request.object or {}
        facts = await look_up(self._state, self._settings, child, request.ref.namespace)
        if differences := compare_classed(request, facts):
            return differing(request, request.old or {}, differences, policies)
        return Opened.by(policies, Door.DERIVED, "default-class")

    async def _gathered(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Compare an aggregated role with the live roles that it selects."""
        role, roles = request.object or {}, await self._state.list("v1", ROLES)
        if is_gathered(role, roles) or comes_closer(request.old or {}, role, roles):
            return Opened.by(policies, Door.DERIVED, RULE)
        facts = Expected("what the selected ClusterRoles allow", "")
        return Opened.refusing(request.ref, policies, Reason.OWNER_UNPROVEN, facts)
