"""The deletion of a BundleSet: not while something that runs rests on it alone.

Rule 26. Its objects would still run, but none of their Pods could come back. So only
what others follow from is looked at: to look at all that can be signed, Secrets too, we
would need rights that nobody should have for this.
"""

from dataclasses import replace

from countersign.binding.children import DERIVATIONS
from countersign.binding.deletions import controller_of
from countersign.binding.derivations.kin import number, text
from countersign.binding.facts import ClusterFacts
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import GroupKind, ObjectRef, Tree
from countersign.core.types.policy import Enforcement, Policy
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import Finding, Reason, RestedOn, Verdict
from countersign.ports import (
    BundleSource,
    ClusterState,
    Detached,
    PolicySnapshot,
    Prover,
)
from countersign.usecases.gather import Gatherer
from countersign.usecases.images import Looks
from countersign.usecases.owners import Owners
from countersign.usecases.scope import applicable
from countersign.usecases.testimony import ref_of
from countersign.wire.resources.bundleset_about import about
from countersign.wire.resources.kinds import BUNDLE_SET, GROUP
from countersign.wire.resources.objects import bundle_set
from countersign.wire.resources.read import Invalid

MAX_NAMED = 8  # objects that a denial names
UID = "/metadata/uid"


def ends_set(request: AdmissionRequest) -> bool:
    """Tell whether `request` is the deletion of a BundleSet."""
    ours = (GROUP, BUNDLE_SET.plural)
    resource = request.resource
    return request.verb is Verb.DELETE and (resource.group, resource.name) == ours


_OWNERS = {owner: way.version for (owner, _), way in DERIVATIONS.items()}
"""Kinds that others follow from, with the version that they are asked for by."""


class Keeper:
    """Judges deletions of BundleSets.

    Args:
        state: The cluster.
        prover: Makes evidence of bundles.
        sets: All evidence beside objects.
        cluster: Our cluster's name.
        settings: Of the cluster, without live answers.
        looks: What is seen of registries; None: nothing.
    """

    def __init__(
        self,
        state: ClusterState,
        prover: Prover,
        sets: BundleSource,
        cluster: str,
        settings: ClusterFacts,
        *,
        looks: Looks | None = None,
    ) -> None:
        self._state = state
        self._cluster = cluster
        self._prover = prover
        self._sets = sets
        self._settings = settings
        self._looks = looks

    async def judge(
        self, request: AdmissionRequest, snapshot: PolicySnapshot
    ) -> Verdict:
        """Deny if a live object that the set names is authentic only with it.

        1. nothing is asked where the namespace goes, or where no policy denies
        2. which other sets there are is looked up live, or two that hold the same
           could both go
        3. each object is judged with the set and without it

        Raises:
            Unavailable: the API server did not answer.
        """
        judged = self._judged(request, snapshot)
        if not judged or await self._goes(request.ref.namespace):  # 1.
            return Verdict.out_of_scope()
        await self._sets.refresh(request.ref.namespace)  # 2.
        whole = self._owners(self._sets)
        rest = self._owners(_Without(self._sets, request.ref.name))
        resting: list[str] = []
        for version, ref, policies in judged:  # 3.
            resting += [
                str(ref_of(tree))
                for tree in await self._standing(version, ref)
                if await _rests(tree, policies, whole, rest)
            ]
        if not resting:
            return Verdict.out_of_scope()
        facts = RestedOn(tuple(sorted(resting)[:MAX_NAMED]))
        finding = Finding(
            policy="", reason=Reason.EVIDENCE_REMOVED, about=request.ref, facts=facts
        )
        return Verdict.of((), (finding,))

    def _owners(self, sets: BundleSource) -> Owners:
        gatherer = Gatherer(self._prover, sets, self._looks)
        return Owners(self._state, gatherer, self._cluster, self._settings)

    def _judged(
        self, request: AdmissionRequest, snapshot: PolicySnapshot
    ) -> list[tuple[str, ObjectRef, tuple[Policy, ...]]]:
        """Return what the set names and policies protect, with an API version."""
        found = []
        for version, ref in sorted(_named(request.old or {})):
            policies = tuple(
                policy
                for policy in applicable(snapshot, request, ref).policies
                if policy.enforcement is Enforcement.DENY
            )
            if policies and ref.name:
                found.append((version, ref, policies))
        return found

    async def _standing(self, version: str, ref: ObjectRef) -> list[Tree]:
        """Return a live object, and of a Deployment the ReplicaSets that it keeps.

        An older one rests on what was signed for the Deployment of its time.
        """
        tree = await self._state.get(version, ref, live=True)
        if tree is None or (ref.group, ref.kind) != ("apps", "Deployment"):
            return [] if tree is None else [tree]
        kind, uid = replace(ref, kind="ReplicaSet", name=""), text(tree, UID)
        return [
            tree,
            *(
                child
                for child in await self._state.list(version, kind)
                if (owner := controller_of(child))
                and owner.uid == uid
                and number(child, "/spec/replicas", 1) > 0
            ),
        ]

    async def _goes(self, name: str) -> bool:
        ref = ObjectRef("", "Namespace", "", name)
        namespace = await self._state.get("v1", ref, live=True)
        return namespace is None or bool(text(namespace, "/metadata/deletionTimestamp"))


class _Without:
    """All sets but one."""

    def __init__(self, sets: BundleSource, name: str) -> None:
        self._sets = sets
        self._name = name

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        return tuple(s for s in self._sets.about(ref) if s.name != self._name)

    async def refresh(self, namespace: str) -> bool:
        return await self._sets.refresh(namespace)


async def _rests(
    tree: Tree, policies: tuple[Policy, ...], whole: Owners, rest: Owners
) -> bool:
    """Tell whether a live object is authentic for the sake of one set alone."""
    try:
        standing = await whole.standing(tree, policies)
        asked = [policy for policy in policies if policy.name in standing]
        return bool(asked) and len(await rest.standing(tree, asked)) < len(asked)
    except Malformed:  # of a kind that nobody here believes in anyway
        return False


def _named(tree: Tree) -> set[tuple[str, ObjectRef]]:
    """Return the owners that a set names, each with a version to ask for it by."""
    try:
        named = about(*bundle_set(tree))
    except Invalid:
        return set()  # it never counted
    return {
        (_OWNERS[kind], ref)
        for ref in named.refs
        if (kind := GroupKind(ref.group, ref.kind)) in _OWNERS
    }
