"""A verdict in full, for a person at a terminal: by whom it is admitted, or all that lacks."""

from countersign.core.types.verdict import Basis, Finding, Verdict
from countersign.report.denial import missing_line, provenance_line, slots_of
from countersign.report.phrases import clean, listed, making, short, thing
from countersign.report.sentences import by_weight, says
from countersign.report.steps import next_step

_DOORS = {
    "unchanged": "nothing that matters changes",
    "delta": "a change that needs no signature",
    "derived": "made by a controller from its signed owner",
    "signed": "signed",
}


def explain(verdict: Verdict, cluster: str = "CLUSTER") -> str:
    """Explain `verdict`, policy by policy.

    Args:
        verdict: Any.
        cluster: Our name, for the commands; a placeholder where nobody knows it.
    """
    if verdict.outside:
        return "allowed: no policy applies"
    word = "allowed" if verdict.allowed else "denied"
    names = sorted(
        {b.policy for b in verdict.bases} | {f.policy for f in verdict.findings}
    )
    each = [line for name in names for line in _policy(verdict, name, cluster)]
    return "\n".join([word, *each])


def _policy(verdict: Verdict, name: str, cluster: str) -> list[str]:
    lines = [line for b in verdict.bases if b.policy == name for line in basis_lines(b)]
    found = sorted((f for f in verdict.findings if f.policy == name), key=by_weight)
    asks = slots_of(verdict, name)
    lines += [line for f in found for line in _finding(f)]
    if asks:
        lines += [
            f"  provenance: {provenance_line(asks)}",
            f"  missing: {missing_line(asks)}",
        ]
    if found:
        lines.append(f"  next: {next_step(found[0], cluster, asks)}")
    return [f"policy {clean(name)}:" if name else "the gate itself:", *lines]


def basis_lines(basis: Basis) -> list[str]:
    """Return lines that say by what a policy is met.

    Whether what break-glass let in has been reviewed by now, a basis does not know.
    """
    how = f"{_DOORS[basis.door]}{f' ({clean(basis.rule)})' if basis.rule else ''}"
    made = "" if basis.assistance is None else f": {making(basis.assistance)}"
    lines = [f"  met: {how}{made}"]
    lines += [
        f"    {clean(f.role)}: {clean(f.person)} (bundle {short(f.bundle)})"
        for f in basis.filled
    ]
    if basis.declared_by:
        lines.append(f"    declared human by {listed(basis.declared_by)}")
    if basis.emergency:
        broken = clean(basis.emergency)
        lines.append(f"    break-glass for {broken}: to be reviewed afterwards")
    return lines


def _finding(finding: Finding) -> list[str]:
    return [
        f"  {finding.enforcement}: {thing(finding.about)}: {says(finding)} [{finding.reason}]"
    ]
