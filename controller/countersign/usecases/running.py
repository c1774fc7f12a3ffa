"""Running: who stands for what runs now, and on what evidence.

Every word is proven here and bound to the present state of the object, by the same rule
by which an owner is believed (`core.rules.authentic`). Where that fails, nobody stands
for it: nothing is guessed from names, histories or annotations that do not bind.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from countersign.binding.children import (
    DERIVATIONS,
    ROOT_CERTIFICATES,
    compare_roots,
)
from countersign.binding.deletions import Owner, controller_of
from countersign.binding.derivations.kin import text
from countersign.binding.facts import ClusterFacts
from countersign.binding.helm import is_storage
from countersign.binding.kinds import Kinds
from countersign.binding.match import same
from countersign.binding.tables import KINDS
from countersign.core.errors import Malformed, Unavailable
from countersign.core.rules.authentic import authentic
from countersign.core.rules.case import said
from countersign.core.types.artifacts import Digest, GroupKind, ObjectRef, Tree
from countersign.core.types.decision import Outcome, Recorded
from countersign.core.types.evidence import Provenance
from countersign.core.types.globs import glob
from countersign.core.types.policy import Policy
from countersign.core.types.running import Running, Since, Voice
from countersign.core.types.verdict import Door
from countersign.ports import (
    BundleSource,
    ClusterState,
    Prover,
    RememberedEvidence,
)
from countersign.usecases.gather import Gatherer
from countersign.usecases.images import Looks, asks_registries
from countersign.usecases.owners import Owners
from countersign.usecases.testimony import Testimony, ref_of
from countersign.usecases.today import Today
from countersign.usecases.voices import about_images, merged, voices
from countersign.wire.resources.kinds import GROUP

_FIRST = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Job",
    "ReplicaSet",
    "Pod",
)
_UNLISTED = frozenset(
    {"Binding", "Endpoints", "EndpointSlice", "LocalSubjectAccessReview"}
)
"""Where Services lead to: judged on every change, made anew all the time. And kinds that
are asked for and kept nowhere: they cannot be listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What runs in a namespace.

    Attributes:
        running: Workloads first.
        unseen: Kinds that could not be listed, and why.
    """

    running: tuple[Running, ...]
    unseen: tuple[str, ...]


class Standing:
    """Tells who stands for live objects.

    Args:
        state: The cluster.
        prover: Verifies evidence.
        sets: Evidence beside objects; must have been refreshed.
        cluster: Its name.
        settings: Of the cluster, without live answers.
        images: Evidence beside images; None: no registry is asked.
    """

    def __init__(
        self,
        state: ClusterState,
        prover: Prover,
        sets: BundleSource,
        cluster: str,
        settings: ClusterFacts,
        *,
        images: RememberedEvidence | None = None,
    ) -> None:
        self._state = state
        self._cluster = cluster
        self._kinds = settings.kinds
        self._looks = None if images is None else Looks(images, asks=True)
        gatherer = Gatherer(prover, sets, self._looks)
        self._owners = Owners(state, gatherer, cluster, settings)

    async def look(
        self,
        namespace: str,
        policies: Iterable[Policy],
        recorded: Collection[Recorded] = (),
        *,
        today: Today | None = None,
    ) -> Seen:
        """Tell who stands for each object of a namespace that a policy protects.

        Args:
            namespace: Which.
            policies: All there are.
            recorded: Admissions in that namespace, as far as they are known.
            today: Tells what was withdrawn, and is out of time, too; None: not asked.

        Limits:
            Of kinds that this version can judge, custom ones by the definitions that
            were given; not what lies outside namespaces, not where Services lead to,
            and not our own BundleSets, which are evidence.
        """
        asked = tuple(policies)
        trees: list[Tree] = []
        unseen: list[str] = []
        for version, kind in _kinds(namespace, asked, self._kinds):
            try:
                trees += await self._state.list(version, kind)
            except Unavailable as error:
                unseen.append(f"{kind.kind}: {error}")
        by_uid = {text(tree, "/metadata/uid"): tree for tree in trees}
        found: dict[ObjectRef, Running] = {}
        children: dict[ObjectRef, list[ObjectRef]] = {}
        for tree in trees:
            await asyncio.sleep(0)  # thousands of objects: others have the loop, too
            root = _root(tree, by_uid)
            one = await self._one(tree, namespace, asked, today)
            one = replace(one, owner=root)
            if root is not None and not one.doubting:
                children.setdefault(root, []).append(one.object)
            else:
                found[one.object] = one
        return Seen(
            running=tuple(
                replace(
                    one,
                    children=tuple(sorted(children.get(one.object, ()))),
                    since=_since(one, recorded),
                )
                for one in sorted(found.values(), key=_order)
            ),
            unseen=tuple(unseen),
        )

    async def _one(
        self,
        tree: Tree,
        namespace: str,
        policies: tuple[Policy, ...],
        today: Today | None,
    ) -> Running:
        ref = ref_of(tree)
        kind = GroupKind(ref.group, ref.kind)
        judges = tuple(p for p in policies if p.scope.holds(kind, namespace))
        bare = Running(
            object=ref,
            policies=tuple(sorted(p.name for p in judges)),
            version=str(tree.get("apiVersion", "")).rpartition("/")[2],
            uid=text(tree, "/metadata/uid"),
        )
        try:
            if rule := await self._machinery(tree, ref, judges):
                return replace(bare, machinery=rule)
            if _way(tree, ref) is not None:
                standing = await self._owners.standing(tree, judges)
                one = replace(bare, doubting=_without(bare.policies, standing))
            else:
                found = await self._owners.witness.testimony(tree, ref, judges)
                one = _by(found, bare, judges, self._cluster)
                one = replace(one, known=bool(found.gathered.evidence))
                if today is not None:
                    one = today.of(one, found, judges, self._cluster)
                one = await self._for_its_owner(one, tree, judges)
            asked = one.doubting and asks_registries(judges)
            silent = self._looks.silent if self._looks and asked else ()
            return replace(one, problem="; ".join(silent)) if silent else one
        except (Malformed, Unavailable) as error:
            return replace(bare, doubting=bare.policies, problem=str(error))

    async def _for_its_owner(
        self, one: Running, tree: Tree, judges: tuple[Policy, ...]
    ) -> Running:
        """Believe what an operator made of what people stand for (rule 27)."""
        lacking = {*one.doubting, *one.withdrawn, *one.lapsed}
        left = tuple(p for p in judges if p.name in lacking)
        made = await self._owners.made_by_operator(tree, one.object, left)
        return replace(
            one,
            doubting=_without(one.doubting, made),
            withdrawn=_without(one.withdrawn, made),
            lapsed=_without(one.lapsed, made),
        )

    async def _machinery(
        self, tree: Tree, ref: ObjectRef, policies: tuple[Policy, ...]
    ) -> str:
        """Return the rule by which an object is the cluster's own, or ``""``."""
        if ref.kind == "ServiceAccount" and ref.name == "default":
            bare: Tree = {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "default", "namespace": ref.namespace},
            }
            return "default-account" if same(bare, tree) else ""
        if ref.kind == "ConfigMap" and ref.name == ROOT_CERTIFICATES:
            source = ObjectRef("", "ConfigMap", "kube-system", ROOT_CERTIFICATES)
            root = await self._state.get("v1", source, live=True)
            equal = root is not None and not compare_roots(root, tree, ref)
            return "root-certificates" if equal else ""
        stored = is_storage(tree, going=False) and all(
            p.doors.tools.helm for p in policies
        )
        return "helm-storage" if stored else ""


async def protected(state: ClusterState, policies: Iterable[Policy]) -> tuple[str, ...]:
    """Return the namespaces that are there and that some policy protects, sorted.

    Raises:
        Unavailable: the user may not list namespaces; the message says what helps.
    """
    patterns = [p for policy in policies for p in policy.scope.namespaces]
    try:
        found = await state.list("v1", ObjectRef("", "Namespace", "", ""))
    except Unavailable as error:
        raise Unavailable(
            f"could not list namespaces, name them with -n: {error}"
        ) from error
    names = {text(tree, "/metadata/name") for tree in found}
    return tuple(
        sorted(n for n in names if any(glob(p, "").fullmatch(n) for p in patterns))
    )


def _kinds(
    namespace: str, policies: tuple[Policy, ...], kinds: Kinds
) -> Iterator[tuple[str, ObjectRef]]:
    """Yield version and kind of what is protected there, workloads first."""
    known: set[tuple[str, GroupKind]] = set()
    for key, built_in in KINDS.items():
        api, _, kind = key.rpartition("/")
        group, _, version = api.rpartition("/")
        if built_in.namespaced and kind not in _UNLISTED:
            known.add((version, GroupKind(group, kind)))
    # a custom kind has the same objects in each version: as they are stored, if served
    customs = sorted(kinds.every(), key=lambda o: o.version == o.storage)
    versions = {GroupKind(o.group, o.kind): o for o in customs if o.namespaced}
    known |= {(o.version, kind) for kind, o in versions.items() if o.group != GROUP}
    protected = [
        (version, ObjectRef(kind.group, kind.kind, namespace, ""))
        for version, kind in known
        if any(policy.scope.holds(kind, namespace) for policy in policies)
    ]
    yield from sorted(protected, key=lambda one: (_rank(one[1]), one[1], one[0]))


def _by(
    testimony: Testimony, bare: Running, policies: tuple[Policy, ...], cluster: str
) -> Running:
    """Say who stands for an object by what it carries and what lies beside it."""
    evidence = testimony.gathered.supporting
    heard: list[Voice] = []
    made: dict[Digest, Provenance] = {}
    believing: set[str] = set()
    for policy in policies:
        bound = testimony.bound(policy)
        states = {intent.digest for intent in bound}
        known = [
            one
            for one in said(evidence, Provenance)
            if any(c.made(one.evidence) for c in policy.collectors)
        ]
        of_state = [one for one in known if one.evidence.digests & states]
        made |= {one.evidence.bundle: one.claim for one in of_state}
        # An image that was built before may have other makers in other statements:
        # as in the law, one statement that tells of an artifact is enough.
        told = {digest for one in of_state for digest in one.evidence.digests}
        rest = testimony.runs(policy) - told
        about = [*of_state, *about_images(policy, known, evidence, rest)]
        if authentic(policy, bare.object, bound, evidence, cluster=cluster):
            believing.add(policy.name)
            heard += voices(
                policy, bare.object, states, about, evidence, cluster=cluster
            )
    return replace(
        bare,
        doubting=_without(bare.policies, believing),
        voices=merged(heard),
        provenance=tuple(made[bundle] for bundle in sorted(made)),
    )


def _way(tree: Tree, ref: ObjectRef) -> Owner | None:
    """Return the owner of which an object is made, if that can be compared."""
    claim = controller_of(tree)
    kinds = (claim.kind, GroupKind(ref.group, ref.kind)) if claim else None
    return claim if kinds in DERIVATIONS else None


def _root(tree: Tree, by_uid: Mapping[str, Tree]) -> ObjectRef | None:
    """Return the first owner of an object's owners, or None: it has none that is seen."""
    found, seen = None, {text(tree, "/metadata/uid")}
    while (claim := _way(tree, ref_of(tree))) is not None:
        owner = by_uid.get(claim.uid)
        if owner is None or claim.uid in seen:
            return found
        seen.add(claim.uid)
        tree, found = owner, ref_of(owner)
    return found


def _since(one: Running, recorded: Collection[Recorded]) -> Since | None:
    """Return the last recorded admission of an object by somebody's word."""
    admitted = [
        (kept.first, kept.decision.id, kept.decision.emergency)
        for kept in recorded
        if kept.decision.outcome is not Outcome.DENIED
        and (kept.decision.object.group, kept.decision.object.kind)
        == (one.object.group, one.object.kind)
        and kept.decision.object.name == one.object.name
        and any(basis.door is Door.SIGNED for basis in kept.decision.bases)
    ]
    if not admitted:
        return None
    at, decision, emergency = max(admitted)
    return Since(decision=decision, at=at, emergency=emergency)


def _without(names: Iterable[str], believing: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in believing)


def _order(one: Running) -> tuple[int, ObjectRef]:
    return _rank(one.object), one.object


def _rank(ref: ObjectRef) -> int:
    return _FIRST.index(ref.kind) if ref.kind in _FIRST else len(_FIRST)
