"""Policies laid beside what was found, for a person at a terminal and for machines."""

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from countersign.core.types.artifacts import Json, Tree
from countersign.core.types.explained import (
    Ask,
    Explained,
    Filling,
    Requirement,
    State,
)
from countersign.core.types.verdict import Ineligible, OpenSlots
from countersign.report.denial import provenance_line, who_may_not
from countersign.report.differences import difference_lines
from countersign.report.explain import basis_lines
from countersign.report.phrases import clean, listed, short, thing
from countersign.report.records import RUNBOOK
from countersign.report.sentences import by_weight, says
from countersign.report.steps import next_step

_ASKS = MappingProxyType(
    {
        Ask.PROVENANCE: "it is known who made the change, by {}",
        Ask.IMAGES: "each newly run image is attested or signed",
        Ask.PINNING: "each image is pinned by digest",
        Ask.QUESTIONS: "the reviewer answered {}",
        Ask.TRACEABILITY: "it is linked to a {}",
        Ask.PRESENCE: "the signer was there: {}",
        Ask.TRUSTED_TIME: "a trusted clock says when it was signed",
        Ask.VALIDITY: "it is signed for at most {}, and that has not passed",
        Ask.BASE: "it was reviewed against what runs now ({})",
    }
)


def explained_text(cases: Iterable[Explained], cluster: str) -> Iterator[str]:
    """Yield lines about each policy.

    Args:
        cases: As explained.
        cluster: Our name, for the commands.
    """
    for case in cases:
        mode = f" ({case.enforcement})" if case.policy else ""
        head = f"policy {clean(case.policy)}" if case.policy else "the gate itself"
        yield f"{head}{mode}:"
        yield from (f"  {line}" for line in _case(case, cluster))


def explained_json(cases: Iterable[Explained], cluster: str) -> list[Json]:
    """Return the same for machines. Fields are added in later versions, never renamed."""
    return [_plain(case, cluster) for case in cases]


def _case(case: Explained, cluster: str) -> Iterator[str]:
    if case.basis is not None:
        yield from (line.removeprefix("  ") for line in basis_lines(case.basis))
    if case.asks is not None:
        yield f"provenance: {provenance_line(case.asks)}"
    yield from (_slot(filling, case.asks) for filling in case.fillings)
    yield from (f"{r.state}: {_ask(r)}" for r in case.requirements)
    found = sorted(case.findings, key=by_weight)
    for finding in found:
        yield f"{finding.enforcement}: {thing(finding.about)}: {says(finding)}"
        yield from (f"  {line}" for line in difference_lines(finding))
        yield f"  [{finding.reason}] {RUNBOOK}#{finding.reason}"
    if found:
        yield f"next: {next_step(found[0], cluster, case.asks)}"


def _slot(filling: Filling, asks: OpenSlots | None) -> str:
    slot = filling.slot
    of = sorted(slot.independent_of)
    role = clean(slot.role) + (f", independent of {listed(of)}" if of else "")
    if filling.person:
        proof = f" (bundle {short(filling.bundle)})" if filling.bundle else ""
        return f"met: {role}: {clean(filling.person)}{proof}"
    if asks is None:
        return f"missing: {role}"
    could = f"missing: {role}; could sign now: {listed(asks.eligible)}"
    barred = listed(map(who_may_not, asks.ineligible), "")
    return f"{could}; may not: {barred}" if barred else could


def _ask(requirement: Requirement) -> str:
    return _ASKS[requirement.ask].format(clean(requirement.detail) or "nobody")


def _plain(case: Explained, cluster: str) -> Tree:
    found = sorted(case.findings, key=by_weight)
    return {
        "policy": case.policy,
        "enforcement": case.enforcement,
        "met": case.basis is not None,
        "door": case.basis.door if case.basis else None,
        "slots": [_plain_slot(filling) for filling in case.fillings],
        "requirements": [
            {"ask": r.ask, "detail": r.detail, "state": r.state, "words": _ask(r)}
            for r in case.requirements
        ],
        "eligible": list(case.asks.eligible) if case.asks else [],
        "ineligible": [_barred(one) for one in case.asks.ineligible]
        if case.asks
        else [],
        "findings": [
            {
                "reason": finding.reason,
                "enforcement": finding.enforcement,
                "about": thing(finding.about),
                "message": says(finding),
                "runbook": f"{RUNBOOK}#{finding.reason}",
            }
            for finding in found
        ],
        "next": next_step(found[0], cluster, case.asks) if found else "",
    }


def _plain_slot(filling: Filling) -> Tree:
    return {
        "role": filling.slot.role,
        "independentOf": [*sorted(filling.slot.independent_of)],
        "meaning": [*sorted(filling.slot.meanings)],
        "state": State.MET if filling.person else State.MISSING,
        "person": filling.person,
        "bundle": str(filling.bundle) if filling.bundle else None,
    }


def _barred(one: Ineligible) -> Tree:
    return {"person": one.person, "reason": one.reason, "seen": one.seen}
