"""The doors that need no signature: unchanged, delta, derived. Tried in this order.

What they leave shut goes to the door *signed*. Nothing else admits.
"""

from collections.abc import Collection

from countersign.binding import argocd, helm
from countersign.binding.births import birth
from countersign.binding.custom.versions import converted_from
from countersign.binding.delta import delta, judged_changes, restarts
from countersign.binding.facts import ClusterFacts
from countersign.binding.kinds import Kinds
from countersign.binding.match import same
from countersign.binding.surface import Rule, subject_of
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.request import AdmissionRequest, Verb
from countersign.core.types.verdict import Detail, Door, Reason
from countersign.ports import Clock, ClusterState
from countersign.usecases.declared import OperatorDoor
from countersign.usecases.deleted import DeletionDoor
from countersign.usecases.derived import DerivedDoor
from countersign.usecases.gather import Gatherer
from countersign.usecases.opened import Opened
from countersign.usecases.owners import Owners
from countersign.usecases.scaled import ScaleDoor
from countersign.usecases.stored import unstored

MAX_PATHS = 8  # places that a finding about a status names


class Doors:
    """Tries the doors that need no signature.

    Args:
        state: The cluster.
        gatherer: Proves what owners carry.
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
        self._kinds = settings.kinds
        owners = Owners(state, gatherer, cluster, settings)
        self._derived = DerivedDoor(state, owners, settings)
        self._deleted = DeletionDoor(state, owners)
        self._operators = OperatorDoor(state, owners, settings)
        self._scaled = ScaleDoor(state, owners, clock, cluster, settings.kinds)

    async def open(
        self,
        request: AdmissionRequest,
        rule: Rule,
        policies: tuple[Policy, ...],
        revoked: Collection[Revoked],
    ) -> Opened:
        """Return a basis for each policy whose doors let `request` in.

        Args:
            request: The request.
            rule: What judges it.
            policies: That apply to it.
            revoked: Every withdrawal; of first admission, so only new numbers heed it.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: an object is not what it is called.
        """
        if is_unchanged(request, rule, self._kinds):
            return self._unchanged(request, policies)
        if rule is Rule.STATUS:
            return await self._status(request, policies)
        if passing := delta(request) or birth(request, rule):
            return Opened.by(policies, Door.DELTA, passing)
        free = policies
        if rule is Rule.OBJECT and unsigned_sources(request, policies):
            free = tuple(p for p in policies if not p.doors.tools.helm)
        opened = await self._usual(request, rule, policies, free, revoked)
        left = tuple(p for p in opened.shut(policies) if p in free)
        if left:
            opened = opened.then(await self._operators.open(request, rule, left))
        return opened

    async def _status(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Let a status be written; its object's other parts must stay as they are."""
        tree, subject = request.object or {}, subject_of(request)
        refused = unstored(tree, subject, policies, self._kinds)
        doubtful = {finding.policy for finding in refused.findings}
        left = tuple(p for p in policies if p.name not in doubtful)
        if passing := delta(request):
            return refused.then(Opened.by(left, Door.DELTA, passing))
        found = await self._operators.open(request, Rule.STATUS, left)
        paths = [path for path, _, _ in judged_changes(request)]
        facts = Detail(", ".join(paths[:MAX_PATHS]))
        changed = Opened.refusing(subject, left, Reason.STATUS_METADATA, facts)
        return refused.then(changed.then(found))

    def _unchanged(
        self, request: AdmissionRequest, policies: tuple[Policy, ...]
    ) -> Opened:
        """Let a state in that is there already, unless storing it would change it."""
        tree = request.object or {}
        lasting = (
            p for p in policies if not converted_from(tree, self._kinds, p.doors)
        )
        return Opened.by(lasting, Door.UNCHANGED)

    async def _usual(
        self,
        request: AdmissionRequest,
        rule: Rule,
        policies: tuple[Policy, ...],
        free: tuple[Policy, ...],
        revoked: Collection[Revoked],
    ) -> Opened:
        """Try what holds in every cluster, and what people may whom a policy names.

        Only for `free` ones the object may come from others.
        """
        subject = subject_of(request)
        match rule:
            case Rule.OBJECT | Rule.DELETION | Rule.EVICTION:
                named = _named(request, policies)
                left = named.shut(policies)
                if not left:
                    return named
                if rule is Rule.OBJECT:
                    left = tuple(p for p in left if p in free)
                    found = await self._derived.open(request, left)
                else:
                    found = await self._deleted.open(request, subject, left)
                return Opened((*named.bases, *found.bases), found.findings)
            case Rule.SCALE:
                return await self._scaled.open(request, subject, policies, revoked)
            case _:
                return Opened()


def is_unchanged(request: AdmissionRequest, rule: Rule, kinds: Kinds) -> bool:
    """Tell whether an UPDATE of an object leaves it as it was, our annotations too."""
    return (
        rule is Rule.OBJECT
        and request.verb is Verb.UPDATE
        and request.old is not None
        and request.object is not None
        and kinds.known(request.object)
        and kinds.known(request.old)
        and same(request.old, request.object, kinds)
    )


def unsigned_sources(
    request: AdmissionRequest, policies: Collection[Policy]
) -> tuple[str, ...]:
    """Return what an object says of objects that some policies let anybody write.

    Those are the policies that name Helm as a tool.
    """
    asked = any(policy.doors.tools.helm for policy in policies)
    return helm.used(request.object or {}) if asked else ()


def _named(request: AdmissionRequest, policies: tuple[Policy, ...]) -> Opened:
    """Let in what only the policies that name it let in.

    That is restarts, Helm's storage, and that a hook of Argo CD's is let go of.
    """
    groups = request.requester.groups
    if helm.stores(request):
        return Opened.by(
            (p for p in policies if p.doors.tools.helm), Door.DELTA, helm.RULE
        )
    if argocd.releases(request):
        return Opened.by(
            (p for p in policies if p.doors.tools.argocd is not None),
            Door.DELTA,
            argocd.RULE,
        )
    if not restarts(request):
        return Opened()
    may = [p for p in policies if not groups.isdisjoint(p.doors.restart_groups)]
    return Opened.by(may, Door.DELTA, "restart-group")
