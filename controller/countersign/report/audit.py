"""Recorded decisions, for a person at a terminal: a line of many, or one in full."""

from collections.abc import Iterable, Iterator

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.decision import Decision, Outcome, Recorded, Told
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import Reason
from countersign.report.differences import recorded_lines
from countersign.report.explain import basis_lines
from countersign.report.phrases import clean, listed, thing, when
from countersign.report.records import RUNBOOK
from countersign.report.table import table

_HEADER = ("TIME", "DECISION", "OUTCOME", "OBJECT", "ASKED BY", "COUNT", "ON WHAT")
_NEXT = "  next: "


def log_text(found: Iterable[Recorded]) -> Iterator[str]:
    """Yield a table of decisions, in the order given."""
    yield from table(_HEADER, [_row(one) for one in found])


def decision_text(kept: Recorded) -> Iterator[str]:
    """Yield all that is recorded of one decision, its bundles apart."""
    decision = kept.decision
    yield f"{thing(decision.object)}: {decision.outcome}"
    yield f"  decision: {clean(decision.id)}, cluster {clean(decision.cluster)}"
    yield f"  asked: {decision.verb} {clean(str(decision.resource))} by {_who(kept)}"
    yield f"  when: {_when(kept)}"
    for basis in decision.bases:
        yield f"policy {clean(basis.policy)}:"
        yield from basis_lines(basis)
    for told in decision.findings:
        yield f"policy {clean(told.policy)}:" if told.policy else "the gate itself:"
        yield from (f"  {line}" for line in _told(told))
        lines = recorded_lines(told.facts, told.reason, decision.object)
        yield from (f"    {line}" for line in lines)
    yield from _due(kept)
    if step := next_of(kept):
        yield f"next: {step}"


def next_of(kept: Recorded) -> str:
    """Return what is to be done now, or ``""``."""
    decision = kept.decision
    sign = f"countersign sign-off --decision {clean(decision.id)}"
    if decision.emergency and kept.reviewed is None:
        return f"review what was done: {sign}"
    if decision.outcome is not Outcome.DENIED:
        soon = decision.findings and decision.proposal is not None
        return f"before it is denied, have it signed: {sign}" if soon else ""
    if decision.proposal is not None and not _is_unseen(decision):
        who = _eligible(decision)
        asked = f"ask one of {listed(who)} to run: {sign}" if who else f"run: {sign}"
        return f"{asked}    then apply the same again"
    lines = decision.message.splitlines()
    said = (line.removeprefix(_NEXT) for line in lines if line.startswith(_NEXT))
    return clean(next(said, ""), 400)


def _is_unseen(decision: Decision) -> bool:
    """Tell whether evidence may lie where nobody could look: none is asked for yet."""
    return any(
        told.reason is Reason.UNAVAILABLE and told.enforcement is Enforcement.DENY
        for told in decision.findings
    )


def grounds(decision: Decision) -> str:
    """Say in a few words on whose word it was allowed, or why not."""
    if decision.outcome is Outcome.ALLOWED and not decision.findings:
        filled = {f"{f.person} ({f.role})" for b in decision.bases for f in b.filled}
        declared = {f"{p} (declared)" for b in decision.bases for p in b.declared_by}
        doors = {f"{b.door}: {b.rule}" if b.rule else b.door for b in decision.bases}
        people = listed(sorted(filled | declared), "") or listed(sorted(doors), "")
        broken = decision.emergency
        return f"break-glass {clean(broken)}: {people}" if broken else people
    if not decision.findings:
        return ""
    first = decision.findings[0]
    # whatever the policy does about it, it is found out
    only = (
        "" if first.enforcement is Enforcement.DENY else f"only {first.enforcement}: "
    )
    return f"{only}{first.reason}: {clean(first.message, 100)}"


def _row(kept: Recorded) -> tuple[str, ...]:
    decision = kept.decision
    return (
        when(kept.last),
        clean(decision.id),
        decision.outcome,
        thing(decision.object),
        listed(kept.requesters),
        str(kept.count),
        grounds(decision),
    )


def _who(kept: Recorded) -> str:
    asked = clean(kept.decision.requester.name) or "nobody named"
    others = [name for name in kept.requesters if name != kept.decision.requester.name]
    return f"{asked}; also {listed(others)}" if others else asked


def _when(kept: Recorded) -> str:
    if kept.count == 1:
        return when(kept.first)
    return f"{kept.count} times from {when(kept.first)} to {when(kept.last)}"


def _told(told: Told) -> Iterator[str]:
    yield f"{told.enforcement}: {clean(told.message, 400)}"
    yield f"  [{told.reason}] {RUNBOOK}#{told.reason}"
    slots = told.facts if isinstance(told.facts, dict) else {}
    if "open" in slots and "eligible" in slots:
        for pair in _list(slots.get("filled")):
            role, person = [*_names(pair), "?", "?"][:2]
            yield f"met: {role}: {person}"
        open_roles = listed(_names(slots["open"]), "none")
        yield f"missing: {open_roles}; could sign: {listed(_names(slots['eligible']))}"
        if barred := [_barred(one) for one in _list(slots.get("ineligible"))]:
            yield f"may not: {listed(barred)}"


def _due(kept: Recorded) -> Iterator[str]:
    decision = kept.decision
    if not decision.emergency:
        return
    if kept.reviewed is not None:
        by = listed(kept.reviewed.persons)
        yield f"reviewed: {when(kept.reviewed.at)} by {by}"
    elif decision.review_due is not None:
        yield f"review due: until {when(decision.review_due)}"


def _eligible(decision: Decision) -> list[str]:
    facts = (told.facts for told in decision.findings)
    slots = (fact for fact in facts if isinstance(fact, dict) and "eligible" in fact)
    return next((_names(fact["eligible"]) for fact in slots), [])


def _barred(one: Json) -> str:
    said: Tree = one if isinstance(one, dict) else {}
    why = said.get("seen") or said.get("reason") or "?"
    return f"{clean(str(said.get('person', '?')))} ({clean(str(why))})"


def _names(value: Json) -> list[str]:
    return [clean(str(each)) for each in _list(value)]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
