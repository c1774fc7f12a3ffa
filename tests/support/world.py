"""A small world for the engine: a cluster, policies and a prover that behave.

Facts are set and answers looked at. ``world.store(tree)`` puts an object into the
cluster; ``world.signed(manifest)`` is the manifest with real annotations, whose bundles
the world's prover knows; ``world.policies = …`` changes what is asked.
"""

import asyncio
import copy
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from countersign.binding.canonical import canonical, canonical_json
from countersign.binding.facts import ClusterFacts
from countersign.binding.images import images
from countersign.core.errors import CountersignError, Rejected, Unavailable
from countersign.core.types.artifacts import Digest, ObjectRef
from countersign.core.types.change import Elastic, ObjectChange
from countersign.core.types.evidence import Evidence
from countersign.core.types.people import Person
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb
from countersign.core.types.stated import Stated
from countersign.core.types.verdict import Reason, Verdict
from countersign.ports import Detached, InvalidPolicy, PolicySnapshot
from countersign.usecases.review import Reviewer
from countersign.wire.annotations import Carried, read_annotations, render_annotations
from tests.support import a

Tree = dict[str, Any]

SALT = bytes(range(32))
DEVELOPER = Requester("lee", "lee", frozenset({"developers", "system:authenticated"}))
SERVICES = ip_network("10.96.0.0/16")

_PLURALS = {"Ingress": "ingresses", "Endpoints": "endpoints"}


def controller(name: str) -> Requester:
    """Return the user as which the controller manager runs a controller."""
    groups = frozenset({"system:serviceaccounts", "system:serviceaccounts:kube-system"})
    return Requester(f"system:serviceaccount:kube-system:{name}", name, groups)


def node(name: str) -> Requester:
    """Return the user of a kubelet."""
    return Requester(f"system:node:{name}", name, frozenset({"system:nodes"}))


@dataclass
class FakeCluster:
    """The ports ClusterState: live objects, and a cache that may lag behind.

    Attributes:
        down: Nobody answers.
        frozen: Nobody ever answers, or says so.
        looks: Live questions asked so far, by kind.
    """

    live: dict[ObjectRef, Tree] = field(default_factory=dict)
    cache: dict[ObjectRef, Tree] = field(default_factory=dict)
    down: bool = False
    frozen: bool = False
    looks: list[str] = field(default_factory=list)

    def store(self, tree: Tree, *, cached: bool = True) -> None:
        """Put an object in, over another of its name."""
        self.live[ref_of(tree)] = copy.deepcopy(tree)
        if cached:
            self.cache[ref_of(tree)] = copy.deepcopy(tree)

    def remove(self, tree: Tree) -> None:
        """Take an object out."""
        self.live.pop(ref_of(tree), None)
        self.cache.pop(ref_of(tree), None)

    async def get(self, version: str, ref: ObjectRef, *, live: bool) -> Tree | None:
        """Return an object as the cache or the server has it."""
        await self._answer()
        if live:
            self.looks.append(ref.kind)
        known = self.live if live else self.cache
        return self._shown(version, known.get(replace(ref, generate_name="")))

    async def list(self, version: str, kind: ObjectRef) -> tuple[Tree, ...]:
        """Return all of a kind and namespace."""
        await self._answer()
        return tuple(
            tree
            for ref, tree in self.live.items()
            if (ref.group, ref.kind, ref.namespace)
            == (kind.group, kind.kind, kind.namespace)
            and self._shown(version, tree)
        )

    async def _answer(self) -> None:
        if self.frozen:
            await asyncio.Event().wait()
        if self.down:
            raise Unavailable("the API server did not answer")

    @staticmethod
    def _shown(version: str, tree: Tree | None) -> Tree | None:
        if tree is None or tree["apiVersion"].rpartition("/")[2] != version:
            return None
        return copy.deepcopy(tree)


@dataclass
class FakeProver:
    """The port Prover: knows what bundles say; refuses all others.

    Attributes:
        known: What bundles prove.
        asked: How often something was to be proven.
        errors: What is raised instead, by bundle.
        stuck: Bundles that are never done with.
    """

    known: dict[bytes, Evidence] = field(default_factory=dict)
    errors: dict[bytes, CountersignError] = field(default_factory=dict)
    stuck: set[bytes] = field(default_factory=set)
    asked: int = 0

    def bundle(self, evidence: Evidence) -> bytes:
        """Return a bundle that proves `evidence` from now on."""
        raw = json.dumps({"bundle": str(evidence.bundle)}).encode()
        self.known[raw] = evidence
        return raw

    async def prove(self, bundle: bytes) -> Evidence:
        """Return what `bundle` proves."""
        self.asked += 1
        if bundle in self.stuck:
            await asyncio.Event().wait()
        if bundle in self.errors:
            raise self.errors[bundle]
        if bundle not in self.known:
            raise Rejected("no trust root knows this signature")
        return self.known[bundle]


@dataclass
class FakeSets:
    """The port BundleSource: sets that were seen, and sets that only a live look shows.

    Attributes:
        seen: What is known, with what each speaks of; None: all of the namespace.
        fresh: What the next live look finds besides.
        down: A live look gets no answer.
        frozen: Nor does it end.
        blind: There was no first list.
        looks: Namespaces that were looked at live.
        claims: What bundles claim, as the prover of the same world knows it.
    """

    seen: dict[str, tuple[Detached, frozenset[ObjectRef] | None]] = field(
        default_factory=dict
    )
    fresh: dict[str, tuple[Detached, frozenset[ObjectRef] | None]] = field(
        default_factory=dict
    )
    down: bool = False
    frozen: bool = False
    blind: bool = False
    looks: list[str] = field(default_factory=list)
    claims: Mapping[bytes, Evidence] = field(default_factory=dict)

    def put(
        self,
        name: str,
        bundles: Iterable[bytes],
        intents: Iterable[bytes] = (),
        *,
        about: Iterable[ObjectRef] | None,
        fresh: bool = False,
        at: str = "",
    ) -> None:
        """Put a set beside the objects `about`; None: one about all of its namespace."""
        made = Detached(
            name=name, bundles=tuple(bundles), intents=tuple(intents), made=at
        )
        named = None if about is None else frozenset(about)
        (self.fresh if fresh else self.seen)[name] = made, named

    def about(self, ref: ObjectRef) -> tuple[Detached, ...]:
        """Return the sets that speak of `ref`."""
        if self.blind:
            raise Unavailable("no first list of BundleSet yet")
        plain = replace(ref, generate_name="") if ref.name else ref
        return tuple(
            replace(made, stated=tuple(map(self._stated, made.bundles)))
            for _, (made, named) in sorted(self.seen.items())
            if named is None or plain in named
        )

    def _stated(self, raw: bytes) -> Stated | None:
        found = self.claims.get(raw)
        return None if found is None else Stated(found.digests, found.claim)

    async def refresh(self, namespace: str) -> bool:
        """Take in what is fresh."""
        self.looks.append(namespace)
        if self.frozen:
            await asyncio.Event().wait()
        if self.down:
            raise Unavailable("the API server did not answer")
        found, self.fresh = self.fresh, {}
        self.seen |= found
        return bool(found)


@dataclass
class World:
    """Everything the engine asks.

    Attributes:
        policies: Valid ones.
        trouble: Why nothing can be judged, or None.
        at: The present.
    """

    policies: tuple[Policy, ...] = field(default_factory=lambda: (a.policy(),))
    invalid: tuple[InvalidPolicy, ...] = ()
    revocations: tuple[Revoked, ...] = ()
    protected: tuple[str, ...] = ()
    trouble: Unavailable | None = None
    at: datetime = a.NOON
    cluster: FakeCluster = field(default_factory=FakeCluster)
    prover: FakeProver = field(default_factory=FakeProver)
    sets: FakeSets = field(default_factory=FakeSets)

    def __post_init__(self) -> None:
        """Let the sets claim what the prover proves."""
        self.sets.claims = self.prover.known

    def now(self) -> datetime:
        """Return the present: the port Clock."""
        return self.at

    def snapshot(self) -> PolicySnapshot:
        """Return the policies: the port PolicyBook."""
        if self.trouble:
            raise self.trouble
        return PolicySnapshot(
            policies=self.policies,
            invalid=self.invalid,
            revocations=self.revocations,
            protected=self.protected,
        )

    @property
    def settings(self) -> ClusterFacts:
        """What is configured about the cluster."""
        return ClusterFacts(service_cidrs=(SERVICES,))

    def reviewer(self) -> Reviewer:
        """Return the engine."""
        return Reviewer(
            policies=self,
            prover=self.prover,
            sets=self.sets,
            state=self.cluster,
            clock=self,
            cluster=a.CLUSTER,
            settings=self.settings,
        )

    async def judge(
        self, request: AdmissionRequest, patience_s: float | None = None
    ) -> Verdict:
        """Review a request."""
        return await self.reviewer().review(request, patience_s)

    async def why(self, request: AdmissionRequest) -> set[Reason]:
        """Return the reasons for which a request is denied; empty: it is allowed."""
        verdict = await self.judge(request)

        assert verdict.outside or verdict.bases or verdict.findings
        return a.reasons(verdict)

    # Objects

    def signed(
        self,
        manifest: Tree,
        *people: Person,
        elastic: tuple[Elastic, ...] = (),
        more: Iterable[Evidence] = (),
        about: Collection[Digest] | None = None,
        **fields: Any,
    ) -> Tree:
        """Return `manifest` with provenance and sign-offs in its annotations.

        Args:
            manifest: As its author wrote it.
            *people: Who sign; default: Dana.
            elastic: What may move.
            more: Further evidence to carry.
            about: What all of it names; default: the manifest and its images.
            **fields: Of `a.sign_off`.
        """
        named = self.subjects(manifest) if about is None else about
        made = a.provenance(subjects=named)
        change = self.state(manifest, elastic=elastic)
        given: dict[str, Any] = {
            "saw": (made,),
            "subjects": named,
            "changes": (change,),
            **fields,
        }
        approvals = [a.sign_off(who, **given) for who in people or (a.DANA,)]
        return self.carrying(manifest, made, *approvals, *more)

    def beside(
        self,
        manifest: Tree,
        *people: Person,
        fresh: bool = False,
        at: str = "",
        **fields: Any,
    ) -> Tree:
        """Put what `signed` makes beside a manifest; return the plain manifest.

        Args:
            manifest: As its author wrote it.
            *people: Who sign; default: Dana.
            fresh: Only a live look shows it.
            at: When the server took it.
            **fields: Of `signed`.

        Returns:
            `manifest`, itself.
        """
        carried = read_annotations(
            self.signed(manifest, *people, **fields)["metadata"]["annotations"]
        )
        assert carried.intent is not None
        self.sets.put(
            f"set-{len(self.sets.seen) + len(self.sets.fresh)}",
            carried.bundles,
            (carried.intent,),
            about=[ref_of(manifest)],
            fresh=fresh,
            at=at,
        )
        return manifest

    def carrying(self, manifest: Tree, *evidence: Evidence) -> Tree:
        """Return `manifest` with its intent and `evidence` in its annotations."""
        bundles = tuple(self.prover.bundle(e) for e in evidence)
        return self.annotated(manifest, Carried(bundles, self.intent(manifest)[1]))

    def annotated(self, manifest: Tree, carried: Carried) -> Tree:
        """Return `manifest` carrying just that."""
        made = copy.deepcopy(manifest)
        annotations = made["metadata"].setdefault("annotations", {})
        annotations |= render_annotations(carried)
        return made

    def intent(self, manifest: Tree) -> tuple[Digest, bytes]:
        """Return digest and canonical JSON of the intent of a manifest."""
        made = canonical(manifest, namespace=a.NAMESPACE, salt=SALT)
        return made.digest, canonical_json(made.tree)

    def state(self, manifest: Tree, **fields: Any) -> ObjectChange:
        """Return the state of a manifest as a sign-off names it."""
        return a.state(ref_of(manifest), self.intent(manifest)[0], **fields)

    def subjects(self, manifest: Tree) -> Collection[Digest]:
        """Return what evidence about a manifest speaks of: it, and its images."""
        pinned = [i.digest for i in images(manifest) if i.digest is not None]
        return [self.intent(manifest)[0], *pinned]


def ref_of(tree: Tree) -> ObjectRef:
    """Return what a live object is."""
    group = tree["apiVersion"].rpartition("/")[0]
    metadata = tree["metadata"]
    return ObjectRef(
        group, tree["kind"], metadata.get("namespace", ""), metadata.get("name", "")
    )


def stored(manifest: Tree, uid: str = "") -> Tree:
    """Return `manifest` as the server stores it, defaults aside: with a uid."""
    made = copy.deepcopy(manifest)
    name = made["metadata"].get("name", "")
    made["metadata"]["uid"] = uid or f"uid-{made['kind']}-{name}"
    return made


def request(
    verb: Verb,
    new: Tree | None,
    old: Tree | None = None,
    *,
    by: Requester = DEVELOPER,
    subresource: str = "",
    resource: Resource | None = None,
    options: Tree | None = None,
    dry_run: bool = False,
) -> AdmissionRequest:
    """Return what the API server asks about an object."""
    shown = new or old or {}
    ref = ref_of(shown)
    if resource is None:
        version = shown["apiVersion"].rpartition("/")[2]
        kind = shown["kind"]
        plural = _PLURALS.get(kind, kind.lower() + "s")
        resource = Resource(ref.group, version, plural, subresource)
    return AdmissionRequest(
        uid="1",
        verb=verb,
        resource=resource,
        ref=replace(ref, generate_name=shown["metadata"].get("generateName", "")),
        version=shown["apiVersion"].rpartition("/")[2],
        object=new,
        old=old,
        options=options,
        requester=by,
        dry_run=dry_run,
    )


def create(new: Tree, **fields: Any) -> AdmissionRequest:
    """Return the creation of an object."""
    return request(Verb.CREATE, stored(new), **fields)


def update(old: Tree, new: Tree, **fields: Any) -> AdmissionRequest:
    """Return the update of an object, which keeps its uid."""
    kept = copy.deepcopy(new)
    kept["metadata"]["uid"] = old["metadata"].get("uid", "")
    return request(Verb.UPDATE, kept, old, **fields)


def delete(old: Tree, **fields: Any) -> AdmissionRequest:
    """Return the deletion of an object."""
    return request(Verb.DELETE, None, old, **fields)
