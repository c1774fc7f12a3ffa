"""Review: judge one request by the policies that hold for it.

The same in the webhook, on the command line and in the scan. It neither logs nor
counts; faces do. This is the one place where an error becomes a finding: doubt denies.
"""

import asyncio

from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import BUILT_IN, may_be_custom
from countersign.binding.surface import Rule, rule_for, subject_of
from countersign.core.errors import Stale, Unavailable
from countersign.core.rules.on_call import on_call
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Detail, Finding, Reason, Verdict
from countersign.ports import (
    BundleSource,
    Clock,
    ClusterState,
    Definitions,
    PolicyBook,
    Prover,
    RememberedEvidence,
)
from countersign.usecases.govern import Governor, is_governed
from countersign.usecases.images import Looks, asks_registries
from countersign.usecases.judged import Judged
from countersign.usecases.kept import ends_set
from countersign.usecases.opened import MAX_DETAIL, Opened
from countersign.usecases.rounds import Asked, Rounds
from countersign.usecases.scope import Applicable, applicable
from countersign.usecases.ways import Ways, named

_NOBODYS = (Rule.EXEMPT, Rule.OWN)


class Reviewer:
    """Judges requests.

    Args:
        policies: What is asked.
        prover: Makes evidence of bundles.
        sets: Evidence beside objects.
        state: The cluster.
        clock: The present.
        cluster: Our cluster's name, to which sign-offs are bound.
        settings: Of the cluster: address ranges and the like.
        definitions: The custom kinds that it serves; None: those of `settings`.
        images: Evidence beside images; None: no registry is asked.
        governor: Judges changes of our own objects; None: they are left to RBAC.
    """

    def __init__(
        self,
        *,
        policies: PolicyBook,
        prover: Prover,
        sets: BundleSource,
        state: ClusterState,
        clock: Clock,
        cluster: str,
        settings: ClusterFacts,
        definitions: Definitions | None = None,
        images: RememberedEvidence | None = None,
        governor: Governor | None = None,
    ) -> None:
        self._policies = policies
        self._clock = clock
        self._governor = governor
        self._images = images
        self._rounds = Rounds(sets, images)
        self._definitions = definitions
        self._ways = Ways(
            state=state,
            prover=prover,
            sets=sets,
            clock=clock,
            cluster=cluster,
            settings=settings,
        )

    async def review(
        self, request: AdmissionRequest, patience_s: float | None = None
    ) -> Verdict:
        """Return the verdict of `judge` alone."""
        return (await self.judge(request, patience_s)).verdict

    async def judge(
        self, request: AdmissionRequest, patience_s: float | None = None
    ) -> Judged:
        """Judge `request`. Fails closed: doubt is a finding.

        1. noise is nobody's to judge; our own kinds are the root roster's admins'
        2. without policies that are known and fresh nothing is admitted
        3. policies that cannot be read deny what they would have matched
        4. what needs no signature passes: unchanged, delta, derived
        5. for the rest people must have signed
        6. before a denial the evidence beside the object is listed live, and if there
           is more of it than was known, all doors are tried once more
        7. and then, for policies that look beside images, registries are asked

        Args:
            request: What the API server asks.
            patience_s: Seconds until evidence that was not proven counts for nothing,
                and owners that were not seen count as unproven; None: no limit.

        Returns:
            For each policy a basis or a finding, or that none applies; and what was
            found out on the way.
        """
        deadline = _deadline(patience_s)
        self._ways, blind = self._known()
        ways = self._ways
        request = named(request, ways.settings.kinds)
        rule, subject = rule_for(request), subject_of(request)
        if ends_set(request):
            return Judged(verdict=await self._end_of_set(ways, request, deadline))
        if self._governor is not None and is_governed(request):
            return await self._governor.judge(request, self._known, deadline)
        if rule in _NOBODYS:  # 1.
            return Judged(verdict=Verdict.out_of_scope())
        try:
            snapshot = self._policies.snapshot()  # 2.
        except Unavailable as error:
            return Judged(verdict=_gate_closed(subject, error))
        judges = applicable(snapshot, request, subject)
        if judges.nothing:
            return Judged(verdict=Verdict.out_of_scope())
        policies, unread = judges.policies, _unread(judges, subject)  # 3.
        if blind and may_be_custom(request.resource.group):
            lost = Opened.failing(subject, policies, Reason.UNAVAILABLE, blind)
            return Judged(
                verdict=Verdict.of((), (*unread, *lost.findings)),
                policies=policies,
                subject=subject,
            )
        asked = Asked(
            ways, request, rule, subject, policies, snapshot.revocations, deadline
        )
        opened, seen = await self._rounds.judge(asked)  # 4. to 7.
        verdict = Verdict.of(opened.bases, (*unread, *opened.findings))
        return Judged(
            verdict=verdict,
            policies=policies,
            bundles=seen.bundles(opened.bases),
            intents=seen.intents,
            facts=seen.facts,
            uid=seen.uid,
            subject=subject,
            on_call=on_call(
                verdict,
                policies,
                subject.namespace,
                revoked=snapshot.revocations,
                at=self._clock.now(),
            ),
        )

    def _known(self) -> "tuple[Ways, Unavailable | None]":
        """Return the doors as the present kinds have them, or why they are not known.

        Without custom kinds all others can still be judged.
        """
        kinds, unseen = self._ways.settings.kinds, None
        if self._definitions is not None:
            try:
                kinds = self._definitions.kinds()
            except Unavailable as error:
                kinds, unseen = BUILT_IN, error
        return self._ways.knowing(kinds), unseen

    async def _end_of_set(
        self, ways: Ways, request: AdmissionRequest, deadline: float | None
    ) -> Verdict:
        """Judge the deletion of a BundleSet."""
        try:
            snapshot = self._policies.snapshot()
        except Unavailable as error:
            return _gate_closed(request.ref, error)
        if self._images is not None and asks_registries(snapshot.policies):
            ways = ways.seeing(Looks(self._images))  # what is remembered will do
        try:
            async with asyncio.timeout_at(deadline):
                return await ways.keeper.judge(request, snapshot)
        except (Unavailable, TimeoutError) as error:
            said = str(error) or "what rests on it was not seen in time"
            facts = Detail(said[:MAX_DETAIL])
            reason = Reason.UNAVAILABLE
            finding = Finding(policy="", reason=reason, about=request.ref, facts=facts)
            return Verdict.of((), (finding,))


def _deadline(patience_s: float | None) -> float | None:
    if patience_s is None:
        return None
    return asyncio.get_running_loop().time() + patience_s


def _gate_closed(subject: ObjectRef, error: Unavailable) -> Verdict:
    reason = Reason.STALE if isinstance(error, Stale) else Reason.NOT_READY
    facts = Detail(str(error)[:MAX_DETAIL])
    return Verdict.of(
        (), (Finding(policy="", reason=reason, about=subject, facts=facts),)
    )


def _unread(judges: Applicable, subject: ObjectRef) -> tuple[Finding, ...]:
    """Deny for policies that nobody can read, and where there must be one."""
    found = [
        Finding(
            policy=policy.name,
            reason=Reason.POLICY_INVALID,
            about=subject,
            facts=Detail("; ".join(policy.problems)[:MAX_DETAIL]),
        )
        for policy in judges.invalid
    ]
    if judges.uncovered:
        found.append(Finding(policy="", reason=Reason.NO_POLICY, about=subject))
    return tuple(found)
