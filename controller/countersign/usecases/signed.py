"""The door *signed*: what people signed for, and nothing else."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from countersign.binding.deletions import orphans
from countersign.binding.facts import ClusterFacts
from countersign.binding.images import images
from countersign.binding.surface import CHILDLESS, Rule
from countersign.core.decide import decide
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.bound import BoundChange
from countersign.core.types.change import Operation
from countersign.core.types.policy import GroupKind, Policy, Revoked
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import (
    Detail,
    Expected,
    Finding,
    Names,
    Reason,
)
from countersign.ports import Clock, ClusterState
from countersign.usecases.bind import (
    Sight,
    bind,
    bind_old,
    is_known,
    look_up,
    salt_in,
    unproven_state,
)
from countersign.usecases.doors import unsigned_sources
from countersign.usecases.gather import (
    Gathered,
    Gatherer,
    carries_bundles,
    foreign_annotations,
)
from countersign.usecases.opened import Opened
from countersign.wire.annotations import BUNDLES

_OPERATIONS = {
    Verb.CREATE: Operation.CREATE,
    Verb.UPDATE: Operation.UPDATE,
    Verb.DELETE: Operation.DELETE,
    Verb.CONNECT: Operation.CONNECT,
}


class SignedDoor:
    """Gathers evidence, binds the object to it, and asks the law.

    Args:
        state: The cluster.
        gatherer: Proves what objects carry.
        clock: The present.
        cluster: Our cluster's name.
        settings: Of the cluster, without live answers.
    """

    def __init__(
        self,
        state: ClusterState,
        gatherer: Gatherer,
        clock: Clock,
        cluster: str,
        settings: ClusterFacts,
    ) -> None:
        self._state = state
        self._gatherer = gatherer
        self._clock = clock
        self._cluster = cluster
        self._settings = settings

    async def open(
        self,
        request: AdmissionRequest,
        rule: Rule,
        subject: ObjectRef,
        policies: tuple[Policy, ...],
        *,
        revoked: Collection[Revoked],
        deadline: float | None,
    ) -> Opened:
        """Return for each of `policies` a basis, or what is missing.

        Args:
            request: The request.
            rule: What judges it.
            subject: What it is about.
            policies: Those that no other door satisfied; not empty.
            revoked: Every withdrawal.
            deadline: In the loop's time. What is proven by then counts.
        """
        if rule is not Rule.OBJECT:
            return self._without_evidence(request, rule, subject, policies, revoked)
        if refused := _refused(request, subject, policies):
            return refused
        seen = await self._look(request, deadline)
        try:
            judged = [self._judge(request, subject, seen, p, revoked) for p in policies]
        except Malformed as error:
            return Opened.failing(subject, policies, Reason.MALFORMED, error)
        return Opened(
            tuple(basis for one in judged for basis in one.bases),
            tuple(finding for one in judged for finding in one.findings),
        )

    def _without_evidence(
        self,
        request: AdmissionRequest,
        rule: Rule,
        subject: ObjectRef,
        policies: tuple[Policy, ...],
        revoked: Collection[Revoked],
    ) -> Opened:
        """Judge what nothing can be attached to: deletions, and side doors."""
        deletes = rule in (Rule.DELETION, Rule.EVICTION)
        resource = request.resource
        change = BoundChange(
            cluster=self._cluster,
            object=subject,
            operation=Operation.DELETE if deletes else _OPERATIONS[request.verb],
            subresource="" if deletes else resource.subresource or resource.name,
            old=unproven_state(request.old) if request.old else None,
            requester=request.requester,
            propagation="Orphan" if orphans(request) else "",
        )
        verdict = decide(
            change, policies, (), (), revoked=revoked, at=self._clock.now()
        )
        return Opened(verdict.bases, verdict.findings)

    async def _look(self, request: AdmissionRequest, deadline: float | None) -> "_Seen":
        """Gather what both states carry, and what must be known of the cluster.

        Not knowing something can only deny, so what is known in time is enough.
        """
        seen = _Seen(self._settings)
        tree, namespace = request.object or {}, request.ref.namespace
        try:
            async with asyncio.timeout_at(deadline):
                await self._gatherer.gather(tree, seen.now)
                await self._gatherer.gather(request.old, seen.before)
                seen.facts = await look_up(self._state, self._settings, tree, namespace)
        except TimeoutError:
            late = Unavailable("not everything was proven and looked up in time")
            seen.now.problem(late)
        except (Malformed, Unavailable) as error:
            seen.now.problem(error)
        return seen

    def _judge(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        seen: "_Seen",
        policy: Policy,
        revoked: Collection[Revoked],
    ) -> Opened:
        """Ask the law for one policy: what Helm may write depends on it."""
        if sources := unsigned_sources(request, policy):
            facts = Names(sources)
            return Opened.refusing(subject, (policy,), Reason.UNSIGNED_SOURCE, facts)
        verdict = decide(
            self._bound(request, subject, seen, policy),
            (policy,),
            seen.now.supporting,
            (*seen.now.adverse, *seen.before.adverse),
            revoked=revoked,
            at=self._clock.now(),
        )
        if not verdict.bases:
            found = (*verdict.findings, *_problems(subject, policy, seen))
            return Opened(findings=found)
        if policy.banned_tools and not seen.complete:  # rule 6
            unseen = Unavailable("evidence went unseen, and some tools are banned")
            refused = Opened.failing(request.ref, (policy,), Reason.UNAVAILABLE, unseen)
            problems = _problems(subject, policy, seen)
            return Opened(findings=(*refused.findings, *problems))
        return Opened(verdict.bases, verdict.findings)

    def _bound(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        seen: "_Seen",
        policy: Policy,
    ) -> BoundChange:
        tree, old = request.object or {}, request.old
        sight = Sight(
            tree=tree,
            identity=subject,
            old=old,
            facts=seen.facts,
            dry_run=request.dry_run,
        )
        bound, missed = bind(sight, seen.now, policy)
        state = None
        if old is not None:
            past = replace(sight, tree=old)
            state = bind_old(past, seen.before, policy, salt_in(seen.now))
        ran = images(old) if old is not None else ()
        return BoundChange(
            cluster=self._cluster,
            object=subject,
            operation=_OPERATIONS[request.verb],
            intents=bound,
            mismatches=missed,
            images=tuple(sorted(set(images(tree)) - set(ran))),
            old=state,
            requester=request.requester,
        )


@dataclass(slots=True)
class _Seen:
    """What is known when time is up.

    Attributes:
        facts: About the cluster.
        now: What the new object carries.
        before: What the old one does.
    """

    facts: ClusterFacts
    now: Gathered = field(default_factory=Gathered)
    before: Gathered = field(default_factory=Gathered)

    @property
    def complete(self) -> bool:
        """Tell whether nothing that is carried went unseen."""
        return self.now.complete and self.before.complete


def _refused(
    request: AdmissionRequest, subject: ObjectRef, policies: tuple[Policy, ...]
) -> Opened | None:
    """Say why no evidence could help, or None."""
    tree, old = request.object or {}, request.old
    kind = GroupKind(subject.group, subject.kind)
    if foreign := foreign_annotations(tree):
        facts = Names(foreign)
        return Opened.refusing(subject, policies, Reason.FOREIGN_ANNOTATION, facts)
    seen = [t for t in (tree, old) if t is not None]
    if kind in CHILDLESS or not all(is_known(t) for t in seen):
        expected = "Deployment" if kind in CHILDLESS else ""
        said = Expected(expected, f"{tree.get('apiVersion')}/{tree.get('kind')}")
        return Opened.refusing(subject, policies, Reason.UNSUPPORTED, said)
    if carries_bundles(old) and not carries_bundles(tree):
        facts = Names((BUNDLES,))
        return Opened.refusing(subject, policies, Reason.EVIDENCE_REMOVED, facts)
    return None


def _problems(about: ObjectRef, policy: Policy, seen: _Seen) -> list[Finding]:
    """Turn what counted for nothing into findings, each once."""
    return [
        Finding(
            policy=policy.name,
            reason=problem.reason,
            about=about,
            facts=Detail(problem.text),
            enforcement=policy.enforcement,
        )
        for problem in sorted({*seen.now.problems, *seen.before.problems})
    ]
