"""A denial as the person at ``kubectl apply`` reads it: the first line says it all.

At most 1 KB, and the same each time. Every finding is in `as_json`; here stand the one
that matters most, what is missing, and the exact next step.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Protocol

from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.change import Access
from countersign.core.types.decision import Decision
from countersign.core.types.policy import Enforcement
from countersign.core.types.verdict import (
    Finding,
    Gap,
    Ineligible,
    OpenSlots,
    Reason,
    Verdict,
)
from countersign.report.facts import lacks
from countersign.report.phrases import clean, counted, listed, thing, when
from countersign.report.sentences import by_weight, says
from countersign.report.steps import NEXT, Way, emergency_step, next_step

MAX_DENIAL = 1024  # bytes of the whole
_HEADLINE, _LINE, _STEP = 300, 160, 480  # bytes of each line, at most
_RELEASE = re.compile(r"[a-z0-9][-a-z0-9.]{0,52}")  # as Helm has it: it is in a command
_OF_FLUX = "kustomize.toolkit.fluxcd.io/name"  # a label
_OF_ARGOCD = "argocd.argoproj.io/tracking-id"  # an annotation
_MORE = len("  also: 9999 more\n")  # bytes
_ABOVE = 3  # lines above the step that are always there
MAX_WARNING = 250  # bytes: the API server cuts warnings above 256


class Asked(Protocol):
    """What a denial needs to know of a request; an AdmissionRequest is one."""

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        ...

    @property
    def object(self) -> Tree | None:
        """Its new state."""
        ...

    @property
    def dry_run(self) -> bool:
        """Whether nothing would be stored."""
        ...


def denial(
    verdict: Verdict,
    request: Asked,
    cluster: str,
    decision: Decision | None = None,
    *,
    on_call: Collection[str] = (),
) -> str:
    """Say why `request` was denied, and what to do.

    Args:
        verdict: One that does not allow.
        request: The object, and whether it is a dry-run: that has no decision.
        cluster: Our name, for the commands.
        decision: As it is recorded, or None where nothing records it.
        on_call: Who could let it in by break-glass, each alone.
    """
    denying = sorted(_with(verdict, Enforcement.DENY), key=by_weight)
    head = denying[0]
    asks = slots_of(verdict, head.policy)
    if request.dry_run:
        decision = None
    way = replace(_way(request, decision), on_call=tuple(on_call))
    step = next_step(head, cluster, asks, way)
    last = [_fit(f"  next: {step}", _STEP)]
    if decision is not None:
        last.append(f"  decision {decision.id}; countersign explain {decision.id}")
    # a step that is cut helps nobody: what is above it makes room
    room = MAX_DENIAL - _length(last) - _ABOVE
    lines = [
        _fit(
            f"{thing(request.ref)}: {says(head)}{_policy(head)}",
            min(_HEADLINE, room // 2),
        ),
        *(_fit(f"  {line}", min(_LINE, room // 4)) for line in _asked(asks)),
    ]
    others = (f"  also: {says(f)}{_other(f, head)}" for f in _others(denying, head))
    also = [line for line in dict.fromkeys(others) if line != f"  also: {says(head)}"]
    if glass := emergency_step(way):
        line = f"  emergency: {glass}"
        # cut, it helps nobody; and it hides no reason but those after the next one
        next_one = [_fit(one, _LINE) for one in also[:1]]
        if _length([*lines, *last, line, *next_one]) <= MAX_DENIAL - _MORE:
            last.insert(1, line)
    return "\n".join([*lines, *_as_fits(also, lines + last), *last])


def _way(request: Asked, decision: Decision | None) -> Way:
    """Say how a signature gets to what was denied."""
    proposal = None if decision is None else decision.proposal
    return Way(
        decision="" if decision is None or proposal is None else decision.id,
        access=proposal is not None and isinstance(proposal.change, Access),
        release=_release(request.object),
        namespace=request.ref.namespace,
        ahead=_is_kept(request.object),
    )


def _is_kept(tree: Tree | None) -> bool:
    """Tell whether Argo CD or Flux keeps an object as git says.

    What a person applied of it they would take back; so only its evidence is applied,
    and the object is theirs.
    """
    metadata = (tree or {}).get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    labels, annotations = about.get("labels"), about.get("annotations")
    return (isinstance(labels, dict) and _OF_FLUX in labels) or (
        isinstance(annotations, dict) and _OF_ARGOCD in annotations
    )


def _release(tree: Tree | None) -> str:
    """Return the release of Helm that an object says it belongs to, or ``""``."""
    metadata = (tree or {}).get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    labels, annotations = about.get("labels"), about.get("annotations")
    if not isinstance(labels, dict) or not isinstance(annotations, dict):
        return ""
    managed = labels.get("app.kubernetes.io/managed-by") == "Helm"
    name = annotations.get("meta.helm.sh/release-name")
    known = managed and isinstance(name, str) and _RELEASE.fullmatch(name)
    return str(name) if known else ""


_LATER = "admitted for now; before it is denied"
RECOVERY = "let in unsigned, as a recovery: this is recorded, counted and announced"


def warnings(
    verdict: Verdict, request: Asked, cluster: str, decision: Decision | None = None
) -> tuple[str, ...]:
    """Return a line for each finding of a policy that only warns; bounded for kubectl.

    Below them what will be needed once it denies, a line for each command: one that is
    cut helps nobody. And one where nobody signed because somebody recovers.
    """
    found = sorted(_with(verdict, Enforcement.WARN), key=by_weight)
    lines = [
        _fit(f"{thing(f.about)}: {says(f)}{_policy(f)}", MAX_WARNING) for f in found
    ]
    if found:
        lines += _soon(found[0], verdict, request, cluster, decision)
    return (*lines, RECOVERY) if verdict.recovered else tuple(lines)


def _soon(
    head: Finding,
    verdict: Verdict,
    request: Asked,
    cluster: str,
    decision: Decision | None,
) -> list[str]:
    """Say what to do before the policy denies."""
    kept = None if request.dry_run else decision
    step = next_step(head, cluster, slots_of(verdict, head.policy), _way(request, kept))
    first, *rest = step.split(NEXT)
    lines = [f"{_LATER}: {first}", *(f"then{one}" for one in rest)]
    if all(len(line.encode()) <= MAX_WARNING for line in lines):
        return lines
    if kept is not None:
        return [f"{_LATER}: countersign explain {kept.id}"]
    return [f"{_LATER}: see docs/runbook.md#{head.reason}"]


def slots_of(verdict: Verdict, policy: str) -> OpenSlots | None:
    """Return what is open of the slots of `policy`, or None if nothing says."""
    facts = (f.facts for f in verdict.findings if f.policy == policy)
    return next((fact for fact in facts if isinstance(fact, OpenSlots)), None)


def provenance_line(asks: OpenSlots) -> str:
    """Say how the change was made and who attests it."""
    if asks.collected is None:
        if asks.gap is not None and asks.gap.gap is not Gap.ABSENT:
            return f"none that counts: {lacks(asks.gap)}"
        return "none that speaks of this state"
    collector, at = asks.collected
    detail = listed((*asks.tools, counted(asks.lines)), "")
    return (
        f"{asks.assistance.label}{f' ({detail})' if detail else ''}, "
        f"attested by {clean(collector)} at {when(at)}{_besides(asks)}"
    )


def _besides(asks: OpenSlots) -> str:
    """Say of what no provenance speaks, though some of the rest does."""
    images = sum(1 for name in asks.unattested if name)
    missing = ["the object itself"] if "" in asks.unattested else []
    if images:
        missing.append(f"{images} image{'s' if images > 1 else ''}")
    return f"; none of {', nor of '.join(missing)}" if missing else ""


def missing_line(asks: OpenSlots) -> str:
    """Say which slots are open, who could fill them, and who may not."""
    filled = Counter(role for role, _ in asks.filled)
    wanted = filled + Counter(asks.open)
    slots = (
        f"{role} ({filled[role]} of {wanted[role]})"
        for role in dict.fromkeys(asks.open)
    )
    line = f"{listed(slots, 'nothing that can be signed')}; eligible now: {listed(asks.eligible)}"
    if asks.ineligible:
        line += f"; not eligible: {listed(map(who_may_not, asks.ineligible))}"
    return line


def who_may_not(person: Ineligible) -> str:
    """Name somebody who holds the role and may not sign, and why."""
    match person.reason:
        case Reason.NOT_INDEPENDENT:
            return f"{person.person} ({person.seen})"
        case Reason.SLOT_OPEN:
            return f"{person.person} (fills {person.seen})"
        case Reason.REVOKED:
            return f"{person.person} (revoked)"
        case _:
            return f"{person.person} (not on the roster now)"


def _asked(asks: OpenSlots | None) -> list[str]:
    if asks is None:
        return []
    shown = [f"missing: {missing_line(asks)}"]
    if asks.collected or asks.authors:
        shown.insert(0, f"provenance: {provenance_line(asks)}")
    return shown


def _others(denying: list[Finding], head: Finding) -> list[Finding]:
    """Return what else to say: all of this policy, of each other the weightiest."""
    same = [f for f in denying if f.policy == head.policy and f is not head]
    rest = [f for f in denying if f.policy != head.policy]
    first = {f.policy: f for f in reversed(rest)}
    return [
        *(f for f in same if not isinstance(f.facts, OpenSlots)),
        *(first[policy] for policy in sorted(first)),
    ]


def _as_fits(also: list[str], given: list[str]) -> list[str]:
    """Return as many of `also` as there is room for, and how many there is not."""
    room = MAX_DENIAL - _length(given)
    shown: list[str] = []
    for i, line in enumerate(_fit(each, _LINE) for each in also):
        rest = f"  also: {len(also) - i} more"
        room -= len(line.encode()) + 1
        if room < len(rest) + 1:
            return [*shown, rest]
        shown.append(line)
    return shown


def _length(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _with(verdict: Verdict, enforcement: Enforcement) -> list[Finding]:
    return [f for f in verdict.findings if f.enforcement is enforcement]


def _policy(finding: Finding) -> str:
    return f" (policy {clean(finding.policy)})" if finding.policy else ""


def _other(finding: Finding, head: Finding) -> str:
    return _policy(finding) if finding.policy != head.policy else ""


def _fit(line: str, limit: int) -> str:
    """Cut `line` to `limit` bytes, between characters."""
    raw = line.encode()
    if len(raw) <= limit:
        return line
    return raw[: limit - 3].decode(errors="ignore") + "…"
