"""What a policy would deny: for a person who decides, and for machines."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from shlex import quote

from countersign.core.types.artifacts import Json, ObjectRef, Tree
from countersign.core.types.decision import Outcome
from countersign.core.types.impact import Affected, Impact, Request, State, Traffic
from countersign.core.types.verdict import Reason
from countersign.report.phrases import clean, listed, thing, when
from countersign.report.records import RUNBOOK
from countersign.report.table import table

MAX_SHOWN = 20  # objects, or requests, that the text names; JSON has them all

_STATES = {
    State.NOBODY: "nobody stands for it",
    State.DRIFT: "what was signed is another state",
    State.WITHDRAWN: "what speaks for it was withdrawn; it runs on",
    State.UNFIT: "only somebody stands for it whom nobody asks for; it runs on",
    State.LAPSED: "what speaks for it is out of time; it runs on",
    State.UNKNOWN: "could not be judged",
}
_SIGNED_ANEW = frozenset(State) - {State.UNKNOWN}


@dataclass
class _Group:
    """Requests that the same policy denies for the same reason."""

    times: int = 0
    requests: list[Request] = field(default_factory=list)
    message: str = ""


def impact_text(impact: Impact) -> Iterator[str]:
    """Yield what would be denied, and what helps, for a terminal."""
    yield f"if {listed(impact.policies, 'no policy')} denied, in cluster {clean(impact.cluster)}:"
    if impact.namespaces is not None:
        yield ""
        yield from _running(impact)
    if impact.traffic is not None:
        yield ""
        yield from _asked(impact.traffic)
    for line in impact.unseen:
        yield f"not seen: {clean(line, 300)}"


def impact_json(impact: Impact) -> Tree:
    """Return the same for machines. Fields are added in later versions, never renamed."""
    traffic = impact.traffic
    return {
        "cluster": impact.cluster,
        "policies": list(impact.policies),
        "namespaces": None if impact.namespaces is None else list(impact.namespaces),
        "standing": impact.standing,
        "running": [_affected(one, impact.cluster) for one in impact.running],
        "traffic": None if traffic is None else _traffic(traffic),
        "unseen": list(impact.unseen),
        "denies": impact.denies,
    }


# What runs ----------------------------------------------------------------------------


def _running(impact: Impact) -> Iterator[str]:
    where = listed(impact.namespaces or (), "no namespace")
    yield (
        f"what runs in {where}: {impact.standing} objects that somebody stands for, "
        f"{len(impact.running)} that not"
    )
    rows = [_row(one) for one in impact.running[:MAX_SHOWN]]
    if rows:
        header = ("OBJECT", "STATE", "WHEN IT IS DENIED")
        yield from (f"  {line}" for line in table(header, rows))
    if (more := len(impact.running) - MAX_SHOWN) > 0:
        yield f"  and {more} more (-o json names them)"
    yield from _reasons(impact.running)
    spaces = {o.object.namespace for o in impact.running if o.state in _SIGNED_ANEW}
    for space in sorted(spaces):
        yield f"  next: {_baseline(space, impact.cluster)}"


def _row(one: Affected) -> tuple[str, ...]:
    state = f"{_STATES[one.state]}{f': {clean(one.detail, 120)}' if one.detail else ''}"
    return thing(one.object), state, _effect(one)


def _effect(one: Affected) -> str:
    if one.state is State.UNKNOWN:
        return "not known"
    if one.state not in (State.NOBODY, State.DRIFT) or not one.makes:
        return "when it is changed, or made anew"
    now = f", {one.children} now" if one.children else ""
    return f"when controllers make more of it{now}; when it is changed"


def _reasons(running: Iterable[Affected]) -> Iterator[str]:
    """Yield what the next changes are asked for, each reason once."""
    told: dict[tuple[str, Reason], list[Affected]] = defaultdict(list)
    said: dict[tuple[str, Reason], str] = {}
    for one in running:
        for each in one.shortfalls:
            told[each.policy, each.reason].append(one)
            said.setdefault((each.policy, each.reason), each.message)
    if told:
        yield "  their next change is asked for:"
    for (policy, reason), some in sorted(told.items(), key=lambda i: -len(i[1])):
        yield (
            f"    {len(some)}x {reason}{_by(policy)}: such as {thing(some[0].object)}: "
            f"{clean(said[policy, reason], 160)}"
        )


def _baseline(namespace: str, cluster: str, one: ObjectRef | None = None) -> str:
    which = "" if one is None else f" {quote(clean(f'{one.kind}/{one.name}'))}"
    return (
        f"countersign sign-off --live -n {quote(clean(namespace))}{which} "
        f"--cluster {quote(clean(cluster))}"
    )


def _affected(one: Affected, cluster: str) -> Tree:
    step = ""
    if one.state in _SIGNED_ANEW:
        step = _baseline(one.object.namespace, cluster, one.object)
    return {
        "object": thing(one.object),
        "state": one.state.value,
        "policies": list(one.policies),
        "controllersMakeMore": one.makes,
        "children": one.children,
        "findings": [_finding(s.policy, s.reason, s.message) for s in one.shortfalls],
        "detail": clean(one.detail, 300),
        "next": step,
    }


# What was asked -----------------------------------------------------------------------


def _asked(traffic: Traffic) -> Iterator[str]:
    if traffic.since is None:
        yield "what was asked: nothing is recorded of what these policies protect"
        if traffic.unjudged:
            yield _unjudged(traffic)
        return
    times = sum(one.count for one in traffic.found)
    how = "judged again" if traffic.anew else "as it was judged then"
    yield (
        f"what was asked since {when(traffic.since)}, {how}: {traffic.requests} "
        f"requests, of which {times} would be denied"
    )
    groups = _groups(traffic.found)
    for (policy, reason), group in sorted(groups.items(), key=lambda i: -i[1].times):
        yield f"  {group.times}x {reason}{_by(policy)}: {clean(group.message, 160)}"
        asked = {name for one in group.requests for name in one.requesters}
        objects = {thing(one.object): None for one in group.requests}
        yield f"    asked by {listed(sorted(asked))}; of {listed(objects, 'nothing')}"
        yield f"    see {RUNBOOK}#{reason}"
    if traffic.found:
        rows = [_line(one) for one in traffic.found[:MAX_SHOWN]]
        header = ("TIMES", "LAST", "WHAT", "WHAT HELPS")
        yield from (f"  {line}" for line in table(header, rows))
    if (more := len(traffic.found) - MAX_SHOWN) > 0:
        yield f"  and {more} more (-o json names them)"
    if traffic.unjudged:
        yield _unjudged(traffic)
    if traffic.cut:
        yield "  there is more than was read: --since looks at less at a time"


def _groups(found: Iterable[Request]) -> dict[tuple[str, Reason], _Group]:
    groups: dict[tuple[str, Reason], _Group] = defaultdict(_Group)
    for one in found:
        for policy, reason in sorted({(s.policy, s.reason) for s in one.shortfalls}):
            group = groups[policy, reason]
            group.times += one.count
            group.requests.append(one)
            group.message = group.message or next(
                s.message
                for s in one.shortfalls
                if (s.policy, s.reason) == (policy, reason)
            )
    return groups


def _line(one: Request) -> tuple[str, ...]:
    what = f"{one.verb} {thing(one.object)}"
    return str(one.count), when(one.last), what, _step(one)


def _step(one: Request) -> str:
    """Return what is to be run; what was denied is signed and asked again."""
    verb = "sign-off --decision" if one.signable else "explain"
    again = "    then again" if one.outcome is Outcome.DENIED and one.signable else ""
    return f"countersign {verb} {clean(one.decision)}{again}"


def _unjudged(traffic: Traffic) -> str:
    return (
        f"  {traffic.unjudged} could not be judged again: too little is kept of "
        "Secrets, of subresources, and of what passed without a signature"
    )


def _traffic(traffic: Traffic) -> Tree:
    return {
        "decisions": traffic.decisions,
        "requests": traffic.requests,
        "judgedAnew": traffic.anew,
        "unjudged": traffic.unjudged,
        "since": None if traffic.since is None else _instant(traffic),
        "cut": traffic.cut,
        "denied": [_request(one) for one in traffic.found],
    }


def _instant(traffic: Traffic) -> str:
    assert traffic.since is not None  # noqa: S101 - the caller has one
    return traffic.since.isoformat().replace("+00:00", "Z")


def _request(one: Request) -> Tree:
    return {
        "decision": one.decision,
        "object": thing(one.object),
        "verb": one.verb.value,
        "requesters": list(one.requesters),
        "count": one.count,
        "last": one.last.isoformat().replace("+00:00", "Z"),
        "outcome": one.outcome.value,
        "findings": [_finding(s.policy, s.reason, s.message) for s in one.shortfalls],
        "next": _step(one),
    }


def _finding(policy: str, reason: Reason, message: str) -> Json:
    return {
        "policy": policy,
        "reason": reason.value,
        "message": clean(message, 400),
        "runbook": f"{RUNBOOK}#{reason}",
    }


def _by(policy: str) -> str:
    return f" (policy {clean(policy)})" if policy else ""
