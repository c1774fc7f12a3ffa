"""The door *signed*: what people signed for, and nothing else."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from countersign.binding.derivations.kin import text
from countersign.binding.facts import ClusterFacts
from countersign.binding.images import images, readable_images
from countersign.binding.kinds import Kinds
from countersign.core.decide import decide
from countersign.core.errors import Malformed, Unavailable
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.bound import BoundChange
from countersign.core.types.change import Change
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import (
    Expected,
    Names,
    Reason,
)
from countersign.ports import Clock, ClusterState
from countersign.usecases.beside import OPERATIONS, deeds_of
from countersign.usecases.bind import (
    Sight,
    bind,
    bind_old,
    is_known,
    look_up,
    salt_in,
)
from countersign.usecases.doors import unsigned_sources
from countersign.usecases.gather import (
    Gatherer,
    carries_bundles,
    foreign_annotations,
)
from countersign.usecases.opened import Opened
from countersign.usecases.seen import Seen
from countersign.usecases.stored import unstored
from countersign.usecases.weight import leans
from countersign.wire.annotations import BUNDLES


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
        subject: ObjectRef,
        policies: tuple[Policy, ...],
        *,
        revoked: Collection[Revoked],
        deadline: float | None,
    ) -> tuple[Opened, Seen]:
        """Return for each of `policies` a basis, or what is missing, and what was seen.

        Args:
            request: The request.
            subject: What it is about.
            policies: Those that no other door satisfied; not empty.
            revoked: Every withdrawal.
            deadline: In the loop's time. What is proven by then counts.
        """
        seen = Seen(self._settings)
        if refused := _refused(request, subject, policies, self._settings.kinds):
            return refused, seen
        seen.unsigned = unsigned_sources(request, policies)
        await self._look(request, subject, policies, seen, deadline)
        try:
            opened = self._judged(request, subject, seen, policies, revoked)
            shut = opened.shut(policies)
            wanting = tuple(p for p in policies if leans(p) or p in shut)
            if await self._look_beside_images(
                request, subject, wanting, shut, seen=seen, deadline=deadline
            ):
                later = self._judged(request, subject, seen, wanting, revoked)
                opened = opened.but(wanting, later)
        except Malformed as error:
            return Opened.failing(subject, policies, Reason.MALFORMED, error), seen
        return opened, seen

    def _judged(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        seen: Seen,
        policies: tuple[Policy, ...],
        revoked: Collection[Revoked],
    ) -> Opened:
        judged = [self._judge(request, subject, seen, p, revoked) for p in policies]
        return Opened(
            tuple(basis for one in judged for basis in one.bases),
            tuple(finding for one in judged for finding in one.findings),
        )

    async def _look(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        policies: tuple[Policy, ...],
        seen: Seen,
        deadline: float | None,
    ) -> None:
        """Gather what speaks of both states, and what must be known of the cluster.

        Not knowing something can only deny, so what is known in time is enough.
        """
        tree, old, namespace = request.object or {}, request.old, request.ref.namespace
        gather = self._gatherer.gather
        try:
            async with asyncio.timeout_at(deadline):
                # first: without it nothing binds, however much is proven
                seen.facts = await look_up(self._state, self._settings, tree, namespace)
                deeds: tuple[Change, ...] = ()
                if old is not None and request.resource.subresource:
                    deeds = deeds_of(request, subject, text(old, "/metadata/uid"))
                await gather(tree, subject, seen.now, policies, old=old, deeds=deeds)
                if old is not None:
                    await gather(old, subject, seen.before, policies, old=old)
        except TimeoutError:
            late = Unavailable("not everything was proven and looked up in time")
            seen.now.problem(late)
        except (Malformed, Unavailable) as error:
            seen.now.problem(error)

    async def _look_beside_images(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        wanting: tuple[Policy, ...],
        shut: tuple[Policy, ...],
        *,
        seen: Seen,
        deadline: float | None,
    ) -> bool:
        """Gather what lies beside images, where policies want it; was any looked at?

        What the old state stands on lies beside the images that it runs: only who is
        not content yet must know.
        """
        gather = self._gatherer.images.gather
        try:
            async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
                new = gather(request.object, subject, seen.now, wanting)
                old = gather(request.old, subject, seen.before, shut)
                looks = [group.create_task(look) for look in (new, old)]
        except TimeoutError:  # what was proven in time counts, the rest is unseen
            seen.now.problem(Unavailable("not all beside images was proven in time"))
            return True
        return any(look.result() for look in looks)

    def _judge(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        seen: Seen,
        policy: Policy,
        revoked: Collection[Revoked],
    ) -> Opened:
        """Ask the law for one policy: what Helm may write depends on it."""
        if seen.unsigned and policy.doors.tools.helm:
            facts = Names(seen.unsigned)
            return Opened.refusing(subject, (policy,), Reason.UNSIGNED_SOURCE, facts)
        tree, kinds = request.object or {}, self._settings.kinds
        if (refused := unstored(tree, subject, (policy,), kinds)).findings:
            return refused
        verdict = decide(
            self._bound(request, subject, seen, policy),
            (policy,),
            seen.now.supporting,
            (*seen.now.adverse, *seen.before.adverse),
            revoked=revoked,
            at=self._clock.now(),
        )
        problems = seen.problems(subject, policy)
        if not verdict.bases and _strips(request):
            facts = Names((BUNDLES,))
            gone = Opened.refusing(subject, (policy,), Reason.EVIDENCE_REMOVED, facts)
            others = verdict.findings if seen.now.evidence else ()
            return Opened(findings=(*gone.findings, *others, *problems))
        if not verdict.bases:
            return Opened(findings=(*verdict.findings, *problems))
        broken = any(basis.emergency for basis in verdict.bases)  # whatever speaks
        if leans(policy) and not seen.complete and not broken:  # rule 6
            unseen = Unavailable("evidence went unseen that may speak against it")
            refused = Opened.failing(request.ref, (policy,), Reason.UNAVAILABLE, unseen)
            return Opened(findings=(*refused.findings, *problems))
        return Opened(verdict.bases, verdict.findings)

    def _bound(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        seen: Seen,
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
        seen.bound |= bound
        state = None
        if old is not None:
            past = replace(sight, tree=old)
            state = bind_old(past, seen.before, policy, salt_in(seen.now, bound))
        paths = policy.images.paths
        newly = {*images(tree, paths)} - {*readable_images(old, paths)}
        seen.images |= {i.digest for i in newly if i.digest}
        return BoundChange(
            cluster=self._cluster,
            object=subject,
            operation=OPERATIONS[request.verb],
            subresource=request.resource.subresource,
            intents=bound,
            mismatches=missed,
            images=tuple(seen.now.seen(image) for image in sorted(newly)),
            old=state,
            requester=request.requester,
        )


def _refused(
    request: AdmissionRequest,
    subject: ObjectRef,
    policies: tuple[Policy, ...],
    kinds: Kinds,
) -> Opened | None:
    """Say why no evidence could help, or None."""
    tree, old = request.object or {}, request.old
    if foreign := foreign_annotations(tree):
        facts = Names(foreign)
        return Opened.refusing(subject, policies, Reason.FOREIGN_ANNOTATION, facts)
    seen = [t for t in (tree, old) if t is not None]
    if not all(is_known(t, kinds) for t in seen):
        said = Expected("", f"{tree.get('apiVersion')}/{tree.get('kind')}")
        return Opened.refusing(subject, policies, Reason.UNSUPPORTED, said)
    return None


def _strips(request: AdmissionRequest) -> bool:
    """Tell whether the object would no longer carry what it was admitted on.

    No harm where something beside it speaks for the new state.
    """
    return carries_bundles(request.old) and not carries_bundles(request.object)
