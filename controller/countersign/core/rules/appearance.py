"""How a change was made, as far as it is known: for people and records, not for judging."""

from dataclasses import dataclass
from datetime import datetime

from countersign.core.rules.adverse import about
from countersign.core.rules.artifacts import artifacts
from countersign.core.rules.case import Case
from countersign.core.rules.collectors import made_by
from countersign.core.rules.human import human
from countersign.core.types.evidence import NOT_COUNTED, Assistance, Lines


@dataclass(frozen=True, slots=True)
class Appearance:
    """The worst that anybody trusted says.

    Attributes:
        assistance: HUMAN only where that is proven for every artifact.
        tools: Assistants seen, sorted.
        lines: Of the worst provenance.
        collected: Collector of the worst provenance and when, or None without any.
    """

    assistance: Assistance = Assistance.UNKNOWN
    tools: tuple[str, ...] = ()
    lines: Lines = NOT_COUNTED
    collected: tuple[str, datetime | None] | None = None


def appearance(case: Case) -> Appearance:
    """Describe how the change under admission was made."""
    made = artifacts(case)
    ours = about(
        case.policy,
        {*case.provenance, *case.adverse},
        frozenset().union(*(one.against | one.sources for one in made)),
    )
    if not ours:
        return Appearance()
    worst = max(
        ours,
        key=lambda p: (p.claim.assistance, p.claim.lines.total, p.evidence.statement),
    )
    proven = all(human(case, artifact) for artifact in made)
    return Appearance(
        assistance=Assistance.HUMAN if proven else worst.claim.assistance,
        tools=tuple(sorted({tool for p in ours for tool in p.claim.tools})),
        lines=worst.claim.lines,
        collected=(
            made_by(case.policy.collectors, worst.evidence)[0],
            worst.evidence.signed_at or worst.claim.collected_on,
        ),
    )
