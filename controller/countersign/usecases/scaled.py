"""Scaling: within the range that was signed, or by groups that may where none was.

Rule 27. A range is signed with the object, or as an autoscaler of it. Groups may write
``spec.replicas`` alone: the scale of a custom resource may be any number of it. And
never zero: that ends the workload without a deletion.
"""

from collections.abc import Collection, Iterator, Mapping

from countersign.binding.custom.definition import CustomKind
from countersign.binding.custom.versions import converted_from
from countersign.binding.derivations.kin import number, text
from countersign.binding.edits import Edit, changes, count
from countersign.binding.kinds import Kinds
from countersign.core.rules.approval import stretched
from countersign.core.rules.case import Case
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.bound import BoundChange, BoundIntent
from countersign.core.types.change import Elastic, Operation
from countersign.core.types.policy import Policy, Revoked
from countersign.core.types.request import AdmissionRequest
from countersign.core.types.verdict import Basis, Door, Expected, Finding, Reason
from countersign.ports import Clock, ClusterState
from countersign.usecases.autoscaled import AUTOSCALER, Span, spans
from countersign.usecases.opened import Opened
from countersign.usecases.owners import Owners
from countersign.usecases.testimony import Testimony

REPLICAS = "/spec/replicas"
LARGEST = 2**31 - 1
"""The present number does not matter: the new one is judged."""


class ScaleDoor:
    """Judges writes to ``/scale``.

    Args:
        state: The cluster.
        owners: Tells what a live object stands on.
        clock: The present.
        cluster: Our cluster's name.
        kinds: Those that are known: a custom kind says itself what is scaled.
    """

    def __init__(
        self,
        state: ClusterState,
        owners: Owners,
        clock: Clock,
        cluster: str,
        kinds: Kinds,
    ) -> None:
        self._state = state
        self._owners = owners
        self._clock = clock
        self._cluster = cluster
        self._kinds = kinds

    async def open(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        policies: tuple[Policy, ...],
        revoked: Collection[Revoked],
    ) -> Opened:
        """Let in a number that people signed for, or that a group may choose.

        Raises:
            Unavailable: the API server did not answer.
            Malformed: the object is not what it is called.
        """
        wanted = number(request.object or {}, REPLICAS, -1)
        tree = await self._state.get(request.resource.version, subject, live=True)
        if tree is None or not _only_scales(request, tree):
            return Opened()
        path = scaled_path(tree, self._kinds)
        lasting = tuple(
            p for p in policies if not converted_from(tree, self._kinds, p.doors)
        )
        if not (path and lasting):
            return Opened()
        found = await self._owners.witness.testimony(tree, subject, lasting)
        automatic: Mapping[str, tuple[Span, ...]] = {}
        if request.requester.name in AUTOSCALER:
            automatic = await spans(self._state, self._owners, subject, lasting)
        judged = [
            _judge(case, found, path, wanted, automatic.get(case.policy.name, ()))
            for case in self._cases(request, subject, found, lasting, revoked)
        ]
        return Opened(
            bases=tuple(j for j in judged if isinstance(j, Basis)),
            findings=tuple(j for j in judged if isinstance(j, Finding)),
        )

    def _cases(
        self,
        request: AdmissionRequest,
        subject: ObjectRef,
        found: Testimony,
        policies: tuple[Policy, ...],
        revoked: Collection[Revoked],
    ) -> Iterator[Case]:
        """Yield the change before each policy, with what speaks of the live object."""
        change = BoundChange(
            cluster=self._cluster,
            object=subject,
            operation=Operation.UPDATE,
            requester=request.requester,
        )
        for policy in policies:
            yield Case.of(
                change,
                policy,
                supporting=found.gathered.supporting,
                adverse=found.gathered.adverse,
                revoked=revoked,
                at=self._clock.now(),
            )


def _only_scales(request: AdmissionRequest, tree: Tree) -> bool:
    """Tell whether the number alone changes, and of this very object."""
    old, new = request.old or {}, request.object or {}
    edit = Edit(REPLICAS, count)
    rest = [c for c in changes(old, new) if not c[0].startswith("/status")]
    return all(edit.allows(change) for change in rest) and text(
        new, "/metadata/uid"
    ) == text(tree, "/metadata/uid")


def scaled_path(tree: Tree, kinds: Kinds) -> str:
    """Return where an object has the number that ``/scale`` writes; ``""``: nowhere."""
    kind = kinds.of(tree)
    return kind.replicas if isinstance(kind, CustomKind) else REPLICAS


def _judge(
    case: Case,
    testimony: Testimony,
    path: str,
    wanted: int,
    automatic: tuple[Span, ...],
) -> Basis | Finding:
    policy, requester = case.policy, case.change.requester
    ranges = _signed_ranges(case, testimony, path)
    holding = [
        bound for bound, lowest, highest in ranges if lowest <= wanted <= highest
    ]
    if holding:
        return Basis(
            policy=policy.name,
            door=Door.DELTA,
            rule="signed-range",
            bundles=testimony.speaking(frozenset(holding)),
        )
    if chosen := next((span for span in automatic if span.holds(wanted)), None):
        return Basis(
            policy=policy.name,
            door=Door.DELTA,
            rule="signed-autoscaler",
            bundles=chosen.bundles,
        )
    may = path == REPLICAS and not requester.groups.isdisjoint(
        policy.doors.scale_groups
    )
    if may and not ranges and wanted > 0:
        return Basis(policy=policy.name, door=Door.DELTA, rule="scale-group")
    signed = {f"{lowest}..{highest}" for _, lowest, highest in ranges}
    signed |= {f"{span.lowest}..{span.highest}" for span in automatic}
    return Finding(
        policy=policy.name,
        reason=Reason.SUBRESOURCE,
        about=testimony.sight.identity,
        facts=Expected(", ".join(sorted(signed)), f"scale to {wanted}"),
        enforcement=policy.enforcement,
    )


def _signed_ranges(
    case: Case, testimony: Testimony, path: str
) -> list[tuple[BoundIntent, int, int]]:
    """Return the ranges that all whom the policy asks have signed."""
    return [
        (bound, elastic.minimum, elastic.maximum)
        for bound in testimony.bound(case.policy, (Elastic(path, 0, LARGEST),))
        for elastic in bound.elastic
        if elastic.path == path and stretched(case, bound)
    ]
