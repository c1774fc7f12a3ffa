"""Govern: judge changes of policies, rosters, trust roots and revocations.

Rule 25. None of the doors by which controllers and tools come in stands here: an object
of ours stays as it is, is one that the installation begins with, is mended by those who
may recover, or was signed for.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from countersign.binding.surface import Rule, rule_for
from countersign.core.errors import Malformed, Unavailable
from countersign.core.rules.governance import (
    ANY_ADMIN,
    NAME,
    POLICY_ADMIN,
    ROSTER_ADMIN,
    governance,
    lasting,
)
from countersign.core.types.artifacts import Tree
from countersign.core.types.governance import Founding, Regime
from countersign.core.types.people import Roster
from countersign.core.types.policy import Policy
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import (
    FOUNDED,
    RECOVERED,
    Basis,
    Detail,
    Door,
    Finding,
    Reason,
    Verdict,
)
from countersign.ports import BundleSource, Clock, RootBook
from countersign.usecases.doors import is_unchanged
from countersign.usecases.judged import Judged
from countersign.usecases.opened import MAX_DETAIL, Opened
from countersign.usecases.seen import Seen
from countersign.usecases.ways import Ways
from countersign.wire.resources import objects
from countersign.wire.resources.founding import digest
from countersign.wire.resources.kinds import (
    BUNDLE_SET,
    POLICY,
    REVOCATION,
    ROSTER,
    TRUST_ROOT,
)
from countersign.wire.resources.read import Invalid

_ROLES = {
    POLICY.name: POLICY_ADMIN,
    ROSTER.name: ROSTER_ADMIN,
    TRUST_ROOT.name: ROSTER_ADMIN,
    REVOCATION.name: ANY_ADMIN,
}
_REPAIRABLE = frozenset({ROSTER.name, TRUST_ROOT.name})


def is_governed(request: AdmissionRequest) -> bool:
    """Tell whether `request` changes what the law is made of. Evidence is not that."""
    own = rule_for(request) is Rule.OWN
    return own and request.resource.name != BUNDLE_SET.plural


@dataclass(frozen=True, slots=True)
class _Asked:
    request: AdmissionRequest
    regime: Regime
    ways: Ways
    deadline: float | None


class Governor:
    """Judges by the root roster.

    Args:
        founding: What the installation begins with.
        roots: Who governs now.
        sets: Evidence beside objects.
        clock: The present.
    """

    def __init__(
        self, founding: Founding, roots: RootBook, sets: BundleSource, clock: Clock
    ) -> None:
        self._founding = founding
        self._roots = roots
        self._sets = sets
        self._clock = clock

    async def judge(
        self,
        request: AdmissionRequest,
        known: Callable[[], tuple[Ways, Unavailable | None]],
        deadline: float | None,
    ) -> Judged:
        """Judge `request`. Fails closed: doubt is a finding.

        1. nobody governs unless what is known is what the server has
        2. what changes nothing passes
        3. while there is no root roster, only what the installation begins with does
        4. who may recover mends the root roster and trust, and that is told
        5. the root roster stays, and stays changeable; nothing has a made-up name
        6. what cannot be read comes first: nobody knows what was withdrawn
        7. for the rest the admins must have signed

        Args:
            request: A change of an object that `is_governed`.
            known: Returns the doors as the present kinds have them, or why these are
                not known.
            deadline: In the loop's time; None: there is none.
        """
        try:
            async with asyncio.timeout_at(deadline):
                regime = await self._roots.regime(self._founding.root)  # 1.
        except (Unavailable, TimeoutError) as error:
            return _no(request, Reason.UNAVAILABLE, str(error) or "no answer in time")
        ways, blind = known()
        if blind:
            return _no(request, Reason.UNAVAILABLE, str(blind))
        try:
            return await self._judge(_Asked(request, regime, ways, deadline))
        except Malformed as error:
            return _no(request, Reason.MALFORMED, str(error))

    async def _judge(self, asked: _Asked) -> Judged:
        request, regime = asked.request, asked.regime
        if is_unchanged(request, Rule.OBJECT, asked.ways.settings.kinds):  # 2.
            return _yes(Door.UNCHANGED)
        if regime.roster is None and self._founds(request, regime):  # 3.
            return _yes(Door.DELTA, FOUNDED)
        if self._recovers(request):  # 4.
            return _yes(Door.DELTA, RECOVERED)
        if why := self._refused(request, regime):  # 5., 6.
            return _no(request, Reason.GOVERNANCE, why)
        return await self._signed(asked)  # 7.

    def _founds(self, request: AdmissionRequest, regime: Regime) -> bool:
        """Tell whether this is an object that the installation begins with."""
        tree = request.object
        if request.verb is not Verb.CREATE or tree is None or regime.problems:
            return False
        return digest(tree) in self._founding.digests

    def _recovers(self, request: AdmissionRequest) -> bool:
        kind = request.ref.kind
        return (
            not self._founding.recovery.isdisjoint(request.requester.groups)
            and kind in _REPAIRABLE
            and (kind != ROSTER.name or self._is_root(request))
            and request.verb is not Verb.DELETE
            and not _generated(request)
        )

    def _is_root(self, request: AdmissionRequest) -> bool:
        ref = request.ref
        return ref.kind == ROSTER.name and ref.name == self._founding.root

    def _refused(self, request: AdmissionRequest, regime: Regime) -> str:
        """Say why no signature could help, or ``""``."""
        root = self._founding.root
        if regime.problems:
            said = "; ".join(regime.problems)
            return f"the root roster {root} cannot be read: {said}"
        if regime.roster is None:
            return (
                f"there is no root roster {root} yet: only what the installation begins "
                "with may be created, as it was given"
            )
        if _generated(request):
            return "expected a name, saw one that is made up at each creation"
        if self._is_root(request) and (why := self._unlasting(request)):
            return why
        if unread := regime.unread - _about(request):
            return (
                f"the Revocations {', '.join(sorted(unread))} cannot be read: correct or "
                "delete them first, signed"
            )
        return ""

    def _unlasting(self, request: AdmissionRequest) -> str:
        if request.verb is Verb.DELETE:
            return "the root roster cannot be deleted: nobody could change anything"
        roster = _roster(request.object or {})
        if roster is None or not lasting(roster, self._clock.now()):
            return f"nobody with the role {ROSTER_ADMIN} would be left in it"
        return ""

    async def _signed(self, asked: _Asked) -> Judged:
        """Ask for signatures; before a denial, look live for what lies beside."""
        policy = self._policy(asked)
        opened, seen = await _open(asked, policy)
        if not opened.bases:
            more = False
            try:
                async with asyncio.timeout_at(asked.deadline):
                    more = await self._sets.refresh("")
            except (Unavailable, TimeoutError) as error:
                said = Unavailable(str(error) or "BundleSets were not listed in time")
                subject, reason = asked.request.ref, Reason.UNAVAILABLE
                lost = Opened.failing(subject, (policy,), reason, said)
                opened = Opened((), (*opened.findings, *lost.findings))
            if more:
                opened, seen = await _open(asked, policy)
        return Judged(
            verdict=Verdict.of(opened.bases, opened.findings),
            policies=(policy,),
            bundles=seen.bundles(opened.bases),
            intents=seen.intents,
            facts=seen.facts,
            uid=seen.uid,
        )

    def _policy(self, asked: _Asked) -> Policy:
        roster = asked.regime.roster
        assert roster is not None  # noqa: S101 - `_refused` saw to it
        kind, verb = asked.request.ref.kind, asked.request.verb
        withdraws = kind == REVOCATION.name and verb is Verb.CREATE
        now = self._clock.now()
        return governance(roster, _ROLES[kind], alone=withdraws, at=now)


async def _open(asked: _Asked, policy: Policy) -> tuple[Opened, Seen]:
    request, ways, deadline = asked.request, asked.ways, asked.deadline
    revoked = asked.regime.revocations
    if request.verb is Verb.DELETE:
        return await ways.beside.open(
            request,
            Rule.DELETION,
            request.ref,
            (policy,),
            revoked=revoked,
            deadline=deadline,
        )
    return await ways.signed.open(
        request, request.ref, (policy,), revoked=revoked, deadline=deadline
    )


def _roster(tree: Tree) -> Roster | None:
    try:
        return objects.roster(tree)
    except Invalid:
        return None


def _generated(request: AdmissionRequest) -> bool:
    """Tell whether the server makes the name up: each creation is another object."""
    return request.verb is Verb.CREATE and bool(request.ref.generate_name)


def _about(request: AdmissionRequest) -> frozenset[str]:
    """Return the Revocation that is changed here, which may be what mends it."""
    ref = request.ref
    return frozenset({ref.name} if ref.kind == REVOCATION.name else ())


def _yes(door: Door, rule: str = "") -> Judged:
    return Judged(verdict=Verdict.of((Basis(policy=NAME, door=door, rule=rule),), ()))


def _no(request: AdmissionRequest, reason: Reason, why: str) -> Judged:
    facts = Detail(why[:MAX_DETAIL])
    finding = Finding(policy=NAME, reason=reason, about=request.ref, facts=facts)
    return Judged(verdict=Verdict.of((), (finding,)))
