"""Impact: what policies would deny of what runs, if they denied.

Nothing is enforced here, and nothing believed that admission would not believe: live
objects are judged by the rule by which owners are believed, and what they lack by the
engine that admits. What the policies say of their own enforcement does not count.
"""

from collections.abc import Collection
from dataclasses import replace

from countersign.binding.children import DERIVATIONS
from countersign.core.types.artifacts import GroupKind, ObjectRef
from countersign.core.types.impact import (
    Affected,
    Shortfall,
    State,
)
from countersign.core.types.policy import Enforcement
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb
from countersign.core.types.running import Bar, Running
from countersign.core.types.verdict import Verdict
from countersign.ports import (
    ClusterState,
    PolicySnapshot,
)
from countersign.report.sentences import says
from countersign.usecases.review import Reviewer
from countersign.usecases.running import Seen
from countersign.usecases.verify import plural

_MAKERS = frozenset(owner for owner, _ in DERIVATIONS)
_UNFIT = frozenset({Bar.NO_ROLE, Bar.MAKER})
_WORST_FIRST = tuple(State)


def enforced(snapshot: PolicySnapshot, names: Collection[str] | None) -> PolicySnapshot:
    """Return the policies as if each denied.

    Args:
        snapshot: All there are.
        names: Only these; None: all.
    """

    def asked(name: str) -> bool:
        return names is None or name in names

    return replace(
        snapshot,
        policies=tuple(
            replace(p, enforcement=Enforcement.DENY)
            for p in snapshot.policies
            if asked(p.name)
        ),
        invalid=tuple(p for p in snapshot.invalid if p.scope is None or asked(p.name)),
    )


async def affected(
    seen: Seen, *, reviewer: Reviewer, state: ClusterState
) -> tuple[tuple[Affected, ...], int]:
    """Return the live objects that enforcement would affect, and how many it would not.

    What claims to be made of an object that nobody stands for is counted with it, as
    the scan does.

    Args:
        seen: What runs, with what is withdrawn and out of time.
        reviewer: Judges by policies that deny.
        state: The cluster.

    Raises:
        Unavailable: an object cannot be read again.
    """
    judged = [one for one in seen.running if one.policies and not one.machinery]
    nobodys = {one.object for one in judged if one.nobody}
    folded = [one.owner for one in judged if one.nobody and one.owner in nobodys]
    found, standing = [], 0
    for one in judged:
        if one.nobody and one.owner in nobodys:
            continue
        how = _state(one)
        if how is None:
            standing += 1 + len(one.children)
            continue
        missing: tuple[Shortfall, ...] | None = ()
        if how in (State.NOBODY, State.DRIFT, State.UNFIT):
            missing = await _next_change(one, reviewer, state)
        if missing is None:
            continue
        found.append(
            Affected(
                object=one.object,
                state=how,
                policies=one.doubting or one.withdrawn or one.lapsed or one.policies,
                makes=GroupKind(one.object.group, one.object.kind) in _MAKERS,
                children=len(one.children) + folded.count(one.object),
                shortfalls=missing,
                detail=one.problem,
            )
        )
    return tuple(sorted(found, key=_order)), standing


def _state(one: Running) -> State | None:
    if one.problem:
        return State.UNKNOWN
    if one.doubting:
        return State.DRIFT if one.known or one.owner else State.NOBODY
    if one.withdrawn:
        return State.WITHDRAWN
    if one.lapsed:
        return State.LAPSED
    unfit = one.voices and all(voice.bar in _UNFIT for voice in one.voices)
    return State.UNFIT if unfit else None


async def _next_change(
    one: Running, reviewer: Reviewer, state: ClusterState
) -> tuple[Shortfall, ...] | None:
    """Return what is asked for the object as it stands, were it to be made now.

    None: it is gone, or nobody's to judge, such as an Event.
    """
    tree = await state.get(one.version, one.object, live=True)
    if tree is None:
        return None
    kind = one.object.kind
    request = AdmissionRequest(
        uid="",
        verb=Verb.CREATE,
        resource=Resource(one.object.group, one.version, plural(kind)),
        ref=one.object,
        version=one.version,
        object=tree,
        old=None,
        options=None,
        requester=Requester(""),
        dry_run=True,
    )
    verdict = await reviewer.review(request)
    return None if verdict.outside else shortfalls(verdict)


def _order(one: Affected) -> tuple[int, bool, ObjectRef]:
    return _WORST_FIRST.index(one.state), not one.makes, one.object


def shortfalls(verdict: Verdict) -> tuple[Shortfall, ...]:
    """Return what is missing, each once."""
    found = {Shortfall(f.policy, f.reason, says(f)) for f in verdict.findings}
    return tuple(sorted(found))
