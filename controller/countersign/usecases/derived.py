"""The door *derived*: children of live, authentic owners.

Three things together, none of which is proof alone: the controller that makes such
objects asks; the object is what the live owner makes of it; the owner is authentic.
"""

from dataclasses import dataclass

from countersign.binding.canonical import canonical_json
from countersign.binding.children import (
    DERIVATIONS,
    ROOT_CERTIFICATES,
    Derivation,
    compare,
    compare_roots,
    named_after,
    publishes_root,
)
from countersign.binding.deletions import Owner, controller_of
from countersign.binding.derivations.kin import Kin, text
from countersign.binding.edits import changes
from countersign.binding.facts import ClusterFacts
from countersign.binding.surface import CHILDLESS
from countersign.core.types.artifacts import Difference, Digest, ObjectRef, Tree
from countersign.core.types.policy import GroupKind, Policy
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import (
    Basis,
    Differences,
    Door,
    Expected,
    Reason,
)
from countersign.ports import ClusterState
from countersign.usecases.bind import look_up
from countersign.usecases.opened import Opened
from countersign.usecases.owners import Owners

_POD = GroupKind("", "Pod")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a child says of its owner, and how it would come from there."""

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

    async def open(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Return a basis for each policy by which a new or changed child is derived.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: an object is not what it is called.
        """
        if publishes_root(request):
            return await self._root(request, policies)
        kind = GroupKind(request.ref.group, request.ref.kind)
        claimed = controller_of(request.object or {})
        if claimed and claimed.kind in CHILDLESS:
            facts = Expected("Deployment", claimed.kind.kind)
            return Opened.refusing(request.ref, policies, Reason.UNSUPPORTED, facts)
        claim = _claim(request, kind, claimed)
        if claim is None:
            return Opened()
        if request.requester.name not in claim.way.actors:
            facts = Expected(min(claim.way.actors), request.requester.name)
            return Opened.refusing(request.ref, policies, Reason.OWNER_UNPROVEN, facts)
        return await self._judge(request, claim, policies)

    async def _judge(
        self, request: AdmissionRequest, claim: _Claim, policies: tuple[Policy, ...]
    ) -> Opened:
        """Compare with the cached owner, and with the live one if that differs."""
        namespace, found = request.ref.namespace, Opened()
        for live in (False, True):
            owner = await self._owner(claim, namespace, live=live)
            if owner is None:
                facts = Expected(f"{claim.owner.kind.kind}/{claim.owner.name}", "")
                return Opened.refusing(
                    request.ref, policies, Reason.OWNER_UNPROVEN, facts
                )
            differences = await self._differences(request, claim.way, owner)
            if differences:
                digest = Digest.sha256(canonical_json(owner))
                found = Opened.refusing(
                    request.ref,
                    policies,
                    Reason.CHILD_DIFFERS,
                    Differences(digest, differences),
                )
                continue
            found = await self._believe(request, claim.way, owner, policies)
            if found.complete(policies):
                return found
        return found

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
        seen = Differences(Digest.sha256(canonical_json(root)), differences)
        return Opened.refusing(request.ref, policies, Reason.CHILD_DIFFERS, seen)

    async def _owner(self, claim: _Claim, namespace: str, *, live: bool) -> Tree | None:
        if not claim.way.by_name:
            return await self._owners.find(claim.owner, namespace, live=live)
        kind = claim.owner.kind
        ref = ObjectRef(kind.group, kind.kind, namespace, claim.owner.name)
        tree = await self._state.get(claim.owner.version, ref, live=live)
        if tree is None or text(tree, "/metadata/deletionTimestamp"):
            return None
        return tree

    async def _differences(
        self, request: AdmissionRequest, way: Derivation, owner: Tree
    ) -> tuple[Difference, ...]:
        namespace, child = request.ref.namespace, request.object or {}
        pods: tuple[Tree, ...] = ()
        if way.needs_pods and _leads_on(request):
            pods = await self._state.list(
                "v1", ObjectRef(_POD.group, _POD.kind, namespace, "")
            )
        facts = await look_up(self._state, self._settings, child, namespace)
        kin = Kin(owner=owner, child=child, old=request.old, pods=pods)
        return compare(way, kin, request.ref, facts)

    async def _believe(
        self,
        request: AdmissionRequest,
        way: Derivation,
        owner: Tree,
        policies: tuple[Policy, ...],
    ) -> Opened:
        standing = await self._owners.standing(owner, policies)
        bases = tuple(
            Basis(
                policy=policy.name,
                door=Door.DERIVED,
                rule=way.rule,
                bundles=standing[policy.name],
            )
            for policy in policies
            if policy.name in standing
        )
        doubted = tuple(p for p in policies if p.name not in standing)
        name = f"{owner.get('kind')}/{text(owner, '/metadata/name')}"
        refused = Opened.refusing(
            request.ref, doubted, Reason.OWNER_UNPROVEN, Expected("", name)
        )
        return Opened(bases, refused.findings)


def _claim(
    request: AdmissionRequest, kind: GroupKind, claimed: Owner | None
) -> _Claim | None:
    """Return whose child the object would be, or None if it claims nothing we know."""
    if claimed is not None:
        way = DERIVATIONS.get((claimed.kind, kind))
        fits = way is not None and claimed.version == way.version
        return _Claim(claimed, way) if way and fits else None
    named = named_after(kind)
    if named is None or request.requester.name not in named[1].actors:
        return None
    owner = Owner(named[1].version, named[0], request.ref.name, "")
    return _Claim(owner, named[1])


def _leads_on(request: AdmissionRequest) -> bool:
    """Tell whether endpoints lead anywhere that they did not lead before."""
    old, new = request.old or {}, request.object or {}
    fields = ("subsets", "endpoints", "ports")
    return any(path.split("/")[1] in fields for path, _, _ in changes(old, new))
